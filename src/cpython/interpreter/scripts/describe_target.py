"""Writes down, as one JSON object, what flashfreeze needs to know of the Python that runs this.

    python -B -X frozen_modules=on describe.py ANSWER
"""

import sys

# What this script's directory holds is not on the target's path.
if not getattr(sys.flags, "safe_path", sys.flags.isolated):
    del sys.path[0]

import _imp
import importlib.machinery
import importlib.util
import json
import os
import sysconfig


def frozen_rows():
    if hasattr(_imp, "_frozen_module_names"):
        names = _imp._frozen_module_names()
    else:  # 3.10: Python/frozen.c, without what only its tests import
        names = ["_frozen_importlib", "_frozen_importlib_external", "zipimport"]
    packages = {name for name in names if _imp.is_frozen_package(name)}
    rows = []
    for name in names:
        origin = _imp.get_frozen_object(name).co_filename[len("<frozen ") : -1]
        rows.append(
            {
                "name": name,
                "isPackage": name in packages,
                "origin": origin,
                # An alias can be a package whose code is that of a plain module.
                "packageSource": origin in packages,
            }
        )
    return rows


def flag(name, otherwise):
    value = sysconfig.get_config_var(name)
    return bool(otherwise if value is None else value)


# In a file: standard output belongs to what others print.
with open(sys.argv[1], "w", encoding="ascii") as file:
    json.dump(
        {
            "sysVersion": sys.version,
            "implementation": sys.implementation.name,
            "magic": importlib.util.MAGIC_NUMBER.hex(),
            "cacheTag": sys.implementation.cache_tag,
            "abiflags": getattr(sys, "abiflags", ""),
            "stdlib": getattr(sys, "_stdlib_dir", None) or os.path.dirname(os.__file__),
            "prefix": sys.prefix,
            "basePrefix": sys.base_prefix,
            "executable": sys.executable,
            # Whoever defines Py_REF_DEBUG alone tells nobody but sys.
            "debug": flag("Py_DEBUG", False) or flag("Py_TRACE_REFS", False) or hasattr(sys, "gettotalrefcount"),
            "freeThreaded": flag("Py_GIL_DISABLED", "t" in getattr(sys, "abiflags", "")),
            "shared": flag("Py_ENABLE_SHARED", False),
            "extensionSuffix": importlib.machinery.EXTENSION_SUFFIXES[0],
            "path": sys.path,
            "builtinModules": list(sys.builtin_module_names),
            "frozen": frozen_rows(),
        },
        file,
    )
