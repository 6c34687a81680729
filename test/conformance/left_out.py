"""What of the standard library on disk is not frozen in the interpreter that runs this, and why.

Walks the folder itself, independent of how flashfreeze lists modules. Prints {"frozen": N, "left": {name: reason}}; a
reason is null where there is none.
"""

import _imp
import json
import os
import sys

import _flashfreeze

FROZEN = {module.name for module in _flashfreeze.modules()} | {"importlib._bootstrap", "importlib._bootstrap_external"}
STDLIB = getattr(sys, "_stdlib_dir", None) or os.path.dirname(os.__file__)
TESTS = {"test", "tests", "idle_test"}
# An overlay is loaded when CPython has loaded these: it has images of none of them, all other interpreters of all.
CPYTHON_FROZEN = set() if "os" in FROZEN else set(getattr(_imp, "_frozen_module_names", list)())


def reason(parts, is_package_of_packages):
    if ".".join(parts) in CPYTHON_FROZEN:
        return "CPython freezes it itself and has loaded it, or finds it, before an overlay"
    if any(part in TESTS for part in parts):
        return "tests of the standard library, which --stdlib leaves out"
    if not is_package_of_packages:
        return "not in a package: no import statement finds it"
    if not all(part.isidentifier() for part in parts):
        return "its name is no identifier: no import statement can name it"
    return None


left = {}
for folder, folders, files in os.walk(STDLIB):
    below = os.path.relpath(folder, STDLIB)
    parts = [] if below == "." else below.split(os.sep)
    # What others installed, bytecode, and a directory for building extensions, are not the library.
    folders[:] = sorted(f for f in folders if f not in ("site-packages", "dist-packages", "__pycache__") and not f.startswith("config-"))
    packages = all(os.path.exists(os.path.join(STDLIB, *parts[:i], "__init__.py")) for i in range(1, len(parts) + 1))
    for file in sorted(files):
        stem, extension = os.path.splitext(file)
        names = parts if stem == "__init__" else [*parts, stem]
        if extension == ".py" and names and ".".join(names) not in FROZEN:
            left[".".join(names)] = reason(names, packages)
print(json.dumps({"frozen": len(FROZEN), "left": left}))
