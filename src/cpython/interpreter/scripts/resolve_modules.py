"""Finds modules without running them (only the parents of a submodule are imported). One JSON object in, one out: both are files.

    python -B resolve_modules.py ANSWER REQUEST

{"modules": [name, ...]}               each of these
{"packages": [name, ...]}              each of these with all its submodules on disk
{"stdlib": true, "tests": bool}        the modules of the standard library with source code
"directory": path                      besides: what is first on sys.path, as the working directory is with -c

The answer is {"modules": [record, ...], "missing": [{"name", "near": [name, ...], "error": text or null}, ...]}.
"""

import sys

# This script's directory is on the path for its helper only: what else it holds must not hide modules of the standard library.
IS_SAFE = getattr(sys.flags, "safe_path", sys.flags.isolated)
if not IS_SAFE:
    del sys.path[0]
sys.path.insert(0, __file__.rpartition("/")[0])
from request_files import answer_with, read_request

del sys.path[0]

import os
import pkgutil
import sysconfig
from importlib.machinery import BuiltinImporter, ExtensionFileLoader, FrozenImporter, ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec

KINDS = {
    BuiltinImporter: "builtin",
    FrozenImporter: "frozen",
    SourceFileLoader: "source",
    ExtensionFileLoader: "extension",
}
TEST_FOLDERS = {"test", "tests", "idle_test"}


def record(spec):
    loader = spec.loader
    loader_class = loader if isinstance(loader, type) else type(loader)
    kind = KINDS.get(loader_class, "other")
    origin = spec.origin if spec.has_location else None
    if kind == "frozen":
        origin = getattr(spec.loader_state, "filename", None)
    return {
        "name": spec.name,
        "isPackage": spec.submodule_search_locations is not None,
        "kind": kind,
        "origin": origin,
        "loader": None if loader is None else loader_class.__name__,
    }


def locations(spec):
    """The directories of a package's submodules. A frozen package may not have them in its spec."""
    if spec.submodule_search_locations is None:
        return []
    return list(spec.submodule_search_locations)


def identity(directory):
    """The same for all paths of a directory."""
    try:
        state = os.stat(directory)
    except OSError:
        return directory  # a place in a zip file, say
    return state.st_dev, state.st_ino


def portions(path):
    """Where the namespace packages in these directories lie, by name: directories of a name that an import can find."""
    found = {}
    for directory in path:
        try:
            entries = list(os.scandir(directory))
        except OSError:
            continue  # no directory: a zip file, say
        for entry in entries:
            if "." not in entry.name and entry.name != "__pycache__" and entry.is_dir():
                found.setdefault(entry.name, []).append(entry.path)
    return found


def children(spec, tests):
    """The specs of the modules in a package, and of the namespace packages there: in byte-wise order of their names, each with whether it is a
    module."""
    path = locations(spec)
    finders = {info.name: info.module_finder for info in reversed(list(pkgutil.iter_modules(path)))}
    namespaces = portions(path)
    for name in sorted({*finders, *namespaces}):
        if name in TEST_FOLDERS and not tests:
            continue
        full_name = spec.name + "." + name
        if name in finders:
            found = finders[name].find_spec(full_name)
            if found is not None:
                yield found, True
        else:
            found = ModuleSpec(full_name, None, is_package=True)
            found.submodule_search_locations.extend(namespaces[name])
            yield found, False


def submodules(spec, tests):
    """The specs of all modules below a package that importlib.import_module() would find on disk, none of them imported: those that no
    import statement can name included, and those in namespace packages. Packages may be nested deeper than functions may be called."""
    places = set(map(identity, locations(spec)))
    pending = [(children(spec, tests), places)]
    while pending:
        specs, added = pending[-1]
        found, is_module = next(specs, (None, False))
        if found is None:
            places -= added
            pending.pop()
            continue
        if is_module:
            yield found
        below = set(map(identity, locations(found)))
        # A link that leads back up would go on for ever.
        if below and places.isdisjoint(below):
            places |= below
            pending.append((children(found, tests), below))


def near(name):
    from difflib import get_close_matches

    parent, _, last = name.rpartition(".")
    if parent:
        try:
            spec = find_spec(parent)
        except (Exception, SystemExit):
            spec = None
        if spec is not None:
            # It may be listed itself: a link to nothing, a file that is no regular one.
            siblings = [info.name for info in pkgutil.iter_modules(locations(spec)) if info.name != last]
            return [parent + "." + each for each in get_close_matches(last, siblings)]
        return near(parent)
    known = sys.stdlib_module_names | {info.name for info in pkgutil.iter_modules()}
    return get_close_matches(name, sorted(known - {name}))


def find(name, missing):
    error = None
    try:
        spec = find_spec(name)
        if spec is not None:
            return spec
    except ModuleNotFoundError as exception:
        if not (name + ".").startswith(str(exception.name) + "."):
            error = exception
    except (Exception, SystemExit) as exception:
        error = exception
    text = None if error is None else "%s: %s" % (type(error).__name__, error)
    missing.append({"name": name, "near": near(name), "error": text})
    return None


def standard_folders():
    return [sysconfig.get_path("stdlib"), os.path.dirname(os.__file__)]


def standard_names():
    """The top-level names of the standard library, including the module of the build's variables, whose name varies, and what
    distributions put beside the rest (such as `_missing_stdlib_info`, from which Debian's `traceback` takes advice)."""
    name = getattr(sysconfig, "_get_sysconfigdata_name", None)
    beside = (info.name for info in pkgutil.iter_modules(standard_folders()))
    return sorted({*sys.stdlib_module_names, *([] if name is None else [name()]), *filter(str.isidentifier, beside)})


def find_standard(name):
    """Its spec as in an interpreter with only the standard library: site-packages may install finders."""
    folders = standard_folders()
    if sysconfig.get_config_var("DESTSHARED") is not None:
        folders.append(sysconfig.get_config_var("DESTSHARED"))
    return (
        BuiltinImporter.find_spec(name) or FrozenImporter.find_spec(name) or PathFinder.find_spec(name, folders)
    )


def standard_library(tests):
    for name in standard_names():
        if name == "test" and not tests:
            continue
        spec = find_standard(name)
        if spec is not None:
            yield spec
            yield from submodules(spec, tests)


def has_source(each):
    return each["kind"] in ("source", "frozen") and each["origin"] is not None and os.path.isfile(each["origin"])


def main():
    request = read_request()
    if "directory" in request and not IS_SAFE:
        sys.path.insert(0, request["directory"])
    missing = []
    modules = []
    for name in request.get("modules", []):
        spec = find(name, missing)
        if spec is not None:
            modules.append(record(spec))
    for name in request.get("packages", []):
        spec = find(name, missing)
        if spec is not None:
            modules.append(record(spec))
            modules.extend(map(record, submodules(spec, True)))
    if request.get("stdlib"):
        modules.extend(filter(has_source, map(record, standard_library(request.get("tests", False)))))
    answer_with({"modules": modules, "missing": missing})


main()
