"""Describes a frozen interpreter as one JSON object; null if it has no frozen modules.

    python -B examine_executable.py ANSWER

{"python": "3.13.15", "inactiveBecause": text or null, "used": images that the start used,
 "build": its inputs and tools, "modules": [{"name", "origin", "state": "current" | "changed" | "gone" | "shadowed", "by": path or null}, ...]}

`changed`: a fresh compile of the source gives other code; `gone`: there is no source any more; `shadowed`: an ordinary
import finds another file of that name.
"""

import sys

try:
    import _flashfreeze
except ImportError:
    with open(sys.argv[1], "w") as file:
        file.write("null")
    sys.exit()
info = _flashfreeze.info()

if not getattr(sys.flags, "safe_path", sys.flags.isolated):
    del sys.path[0]  # the folder of this script

import os

# What this script imports is the library's own, whatever shadows it.
path = sys.path
sys.path = [entry for entry in path if entry.startswith(os.path.dirname(os.__file__))]

import json
from importlib import _bootstrap_external
from importlib.machinery import FileFinder
from types import CodeType

sys.path = path
DETAILS = _bootstrap_external._get_supported_file_loaders()


class OrdinaryFinder(FileFinder):
    """A finder of another class than Python's own gets no frozen modules: it reads the directory."""


def find(name, path):
    """Like PathFinder.find_spec(), but reads each directory; ignores namespace packages."""
    for entry in path:
        if entry not in finders:
            is_folder = os.path.isdir(entry or ".")
            finders[entry] = OrdinaryFinder(entry or ".", *DETAILS) if is_folder else sys.path_importer_cache.get(entry)
        finder = finders[entry]
        try:
            spec = finder and finder.find_spec(name)
        except (ImportError, OSError):
            spec = None
        if spec and spec.loader is not None:
            return spec
    return None


def same(one, other):
    """Whether two code objects are alike in all but the file's name. (The comparison of 3.10 leaves out lines.)"""
    return (
        one == other
        and list(one.co_lines()) == list(other.co_lines())
        and all(same(a, b) for a, b in zip(one.co_consts, other.co_consts) if isinstance(a, CodeType))
    )


def is_changed(name, origin):
    try:
        with open(origin, "rb") as file:
            return not same(_flashfreeze.code(name), compile(file.read(), origin, "exec", dont_inherit=True))
    except LookupError:
        return False  # images are not in use here: nothing can be said
    except (SyntaxError, ValueError):
        return True


def state(name, origin):
    if origin == "frozen":
        return "current", None
    parent = name.rpartition(".")[0]
    path = places.get(parent) if parent else sys.path
    spec = find(name, path if path is not None else [os.path.dirname(origin)])
    places[name] = spec.submodule_search_locations if spec else None
    if spec and not (os.path.exists(origin) and os.path.samefile(spec.origin, origin)):
        return "shadowed", spec.origin
    if not os.path.exists(origin):
        return "gone", None
    return ("changed" if is_changed(name, origin) else "current"), None


finders = {}
places = {}
modules = []
# Parents come before their submodules.
for name, origin, _ in sorted(_flashfreeze.modules()):
    found, by = state(name, origin)
    modules.append({"name": name, "origin": origin, "state": found, "by": by})
# In a file: standard output belongs to what others print.
with open(sys.argv[1], "w", encoding="ascii") as file:
    json.dump(
        {
            "python": sys.version.split()[0],
            "inactiveBecause": info["inactive_because"],
            "used": info["used"],
            "build": json.loads(info["build"]),
            "modules": modules,
        },
        file,
    )
