"""Import hooks: who is asked, how often, in what order, and with the import lock held or not."""

import _imp
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import traceback
import zipfile

from observe import PACKAGES, attempt, module_facts, run, tell, temporary_folder

# 3.15 looks along sys.path for other names before it prints an ImportError, in the order of a set, and that would be recorded.
if hasattr(traceback, "_find_incompatible_extension_module"):
    traceback._find_incompatible_extension_module = traceback._compute_suggestion_error = lambda *arguments: None

sys.path.insert(0, PACKAGES)
folder = temporary_folder()
with open(os.path.join(folder, "on_disk.py"), "w") as file:
    file.write("value = 'on disk'\n")
sys.path.append(folder)
log = []
FORGOTTEN = (
    *("plain", "on_disk", "package", "package.first", "package.second", "there_is_no_such_module", "made", "graphlib"),
    *("spaces", "spaces.no_package", "json", "json.decoder", "json.encoder", "json.scanner", "zipped", "math", "atexit"),
)
STATEMENTS = [
    *("import plain", "import on_disk", "import there_is_no_such_module", "import package.first", "import made"),
    *("import spaces.no_package", "from json import decoder", "import graphlib", "import math", "import package.nothing"),
]


def statements(what):
    for text in STATEMENTS:
        for name in FORGOTTEN:
            sys.modules.pop(name, None)
        log.clear()
        run(f"{what}: {text}", text)
        tell("asked", list(log))


class Recorder:
    """Answers nothing."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        log.append((name, path, target, _imp.lock_held(), name in sys.modules))


class Maker(Recorder):
    """Makes one module."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        super().find_spec(name, path, target)
        if name == "made":
            return importlib.machinery.ModuleSpec(name, cls(), origin="made up")

    def create_module(self, spec):
        log.append(("create", spec.name, _imp.lock_held()))

    def exec_module(self, module):
        log.append(("exec", module.__name__, list(vars(module)), _imp.lock_held()))


class Refusing(Recorder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        super().find_spec(name, path, target)
        raise ImportError(f"{name} is refused")


class Failing(Recorder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        super().find_spec(name, path, target)
        raise AttributeError(f"{name} fails")


class Importing(Recorder):
    """Imports while it is asked."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        super().find_spec(name, path, target)
        if name == "plain":
            import json.decoder


class Wrapping(Recorder):
    """Changes what others find."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        super().find_spec(name, path, target)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.has_location:
            spec.loader_state = "wrapped"
        return spec


class Nameless:
    pass


statements("usual")
for finder in (Recorder, Maker, Refusing, Failing, Importing, Wrapping, Nameless, Nameless(), Recorder()):
    for where in ("first", "last"):
        position = 0 if where == "first" else len(sys.meta_path)
        sys.meta_path.insert(position, finder)
        statements(f"{finder.__name__ if isinstance(finder, type) else type(finder).__name__ + ' instance'} {where}")
        sys.meta_path.remove(finder)

usual = list(sys.meta_path)
for what, finders in {
    "no finder": [],
    "without the path": usual[:2],
    "only the path": usual[2:],
    "reversed": usual[::-1],
    "twice": usual * 2,
}.items():
    sys.meta_path[:] = finders
    statements(what)
sys.meta_path[:] = usual
sys.meta_path = tuple(usual)
statements("a tuple of finders")
sys.meta_path = usual

# Path hooks.


class PathRecorder:
    """A finder for one entry of sys.path."""

    def __init__(self, path):
        if path != "recorded":
            raise ImportError
        log.append(("hook", path))

    def find_spec(self, name, target=None):
        log.append(("entry", name, target, _imp.lock_held()))
        if name == "made":
            return importlib.util.spec_from_loader(name, self)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.made_by = type(self).__name__


class Portion(PathRecorder):
    def find_spec(self, name, target=None):
        log.append(("portion", name))
        spec = importlib.machinery.ModuleSpec(name, None)
        spec.submodule_search_locations = ["recorded/" + name]
        return spec


for hook in (PathRecorder, Portion):
    for where in (0, len(sys.path)):
        sys.path_hooks.insert(0, hook)
        sys.path.insert(where, "recorded")
        statements(f"{hook.__name__} at {min(where, 1)}")
        sys.path.remove("recorded")
        sys.path_hooks.remove(hook)
        sys.path_importer_cache.clear()

# A subclass of FileFinder, with loaders of its own.


class OwnLoader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname):
        log.append(("get_code", fullname))
        return super().get_code(fullname)

    def exec_module(self, module):
        log.append(("exec_module", module.__name__))
        super().exec_module(module)
        module.own = True


class OwnFinder(importlib.machinery.FileFinder):
    def find_spec(self, name, target=None):
        log.append(("own", self.path, name))
        return super().find_spec(name, target)


loaders = (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES)
for what, hook in {
    "own loader": importlib.machinery.FileFinder.path_hook(loaders, (OwnLoader, [".py"])),
    "own finder": OwnFinder.path_hook(loaders, (importlib.machinery.SourceFileLoader, [".py"])),
    "own suffix": importlib.machinery.FileFinder.path_hook(loaders, (OwnLoader, [".pie"]), (importlib.machinery.SourceFileLoader, [".py"])),
}.items():
    sys.path_hooks.insert(0, hook)
    sys.path_importer_cache.clear()
    statements(what)
    tell("own", getattr(sys.modules.get("plain"), "own", None))
    sys.path_hooks.remove(hook)
    sys.path_importer_cache.clear()

# A loader added to a finder that is in use.
import plain

finder = sys.path_importer_cache[PACKAGES]
finder._loaders.insert(0, (".py", OwnLoader))
statements("a loader put into a finder")
del finder._loaders[0]

# Methods that somebody replaced.
for owner, name in (
    (importlib.machinery.FileFinder, "find_spec"),
    (importlib.machinery.PathFinder, "find_spec"),
    (importlib.machinery.BuiltinImporter, "find_spec"),
    (importlib.machinery.SourceFileLoader, "get_code"),
    (importlib.machinery.SourceFileLoader, "exec_module"),
    (importlib.machinery.SourceFileLoader, "create_module"),
    (importlib.machinery.SourceFileLoader, "get_data"),
    (importlib.machinery.SourceFileLoader, "path_stats"),
    (importlib.machinery.SourceFileLoader, "source_to_code"),
    (importlib.machinery.ModuleSpec, "__init__"),
):
    had = name in vars(owner)
    before = vars(owner).get(name)
    inherited = getattr(owner, name)
    is_class_method = isinstance(before, classmethod)

    def replacement(first, *arguments, inherited=inherited, is_class_method=is_class_method, what=f"{owner.__name__}.{name}", **keywords):
        log.append((what, len(arguments)))
        return inherited(*arguments, **keywords) if is_class_method else inherited(first, *arguments, **keywords)

    setattr(owner, name, classmethod(replacement) if is_class_method else replacement)
    sys.dont_write_bytecode = True
    statements(f"{owner.__name__}.{name} replaced")
    if had:
        setattr(owner, name, before)
    else:
        delattr(owner, name)
import _frozen_importlib

# Functions that tools are known to replace. (importlib._bootstrap_external's are not called for frozen modules.)
for owner, name in (
    (_frozen_importlib, "_find_spec"),
    (_frozen_importlib, "_load_unlocked"),
    (_frozen_importlib, "_find_and_load"),
    (_frozen_importlib, "_find_and_load_unlocked"),
    (_frozen_importlib, "_init_module_attrs"),
    (_frozen_importlib, "module_from_spec"),
    (_frozen_importlib, "_gcd_import"),
    (_frozen_importlib, "_get_module_lock"),
):
    before = getattr(owner, name)

    def replacement(*arguments, before=before, name=name, **keywords):
        log.append(name)
        return before(*arguments, **keywords)

    setattr(owner, name, replacement)
    statements(f"{name} replaced")
    setattr(owner, name, before)

import builtins

before = builtins.__import__


def recording_import(name, globals=None, locals=None, fromlist=(), level=0):
    # Reading a file imports _io, linecache is this test's own.
    if name not in ("_io", "linecache") and "importlib._bootstrap" not in (globals or {}).get("__name__", ""):
        log.append((name, fromlist, level))
    return before(name, globals, locals, fromlist, level)


builtins.__import__ = recording_import
statements("__import__ replaced")
# Modules in C that import others.
MODULES_IN_C = ("_pickle", "_elementtree", "_decimal", "_zoneinfo", "math")
for name in MODULES_IN_C:
    usual = {each: sys.modules.pop(each, None) for each in (name, "copyreg", "numbers", "_math_integer")}
    log.clear()
    tell(f"a sandbox: {name}", [run(name, f"import {name}", __builtins__={"__import__": recording_import}).get(name), list(log)])
    sys.modules.update({key: module for key, module in usual.items() if module is not None})
builtins.__import__ = importlib.__import__
statements("__import__ of importlib")
builtins.__import__ = before

# A zip on the path, before and after.
archive = os.path.join(folder, "archive.zip")
with zipfile.ZipFile(archive, "w") as file:
    file.writestr("zipped.py", "value = 'zipped'\n")
    file.writestr("plain.py", "where = 'zip'\n")
    file.writestr("package/__init__.py", "where = 'zip'\n")
    file.writestr("package/first.py", "where = 'zip'\n")
    file.writestr("spaces/other.py", "where = 'zip'\n")
for where in (0, len(sys.path)):
    sys.path.insert(where, archive)
    sys.path_importer_cache.clear()
    statements(f"zip at {min(where, 1)}")
    for name in ("zipped", "plain", "package.first", "spaces.other"):
        run(f"zip at {min(where, 1)}: {name}", f"import {name}, sys\nresult = sys.modules[{name!r}].__file__, sys.modules[{name!r}].__spec__")
    sys.path.remove(archive)
    for name in list(sys.modules):
        if name.partition(".")[0] in ("zipped", "plain", "package", "spaces"):
            del sys.modules[name]
sys.path_hooks_before = sys.path_hooks[:]
sys.path_hooks.clear()
sys.path_importer_cache.clear()
statements("no path hook")
sys.path_hooks[:] = sys.path_hooks_before
sys.path_importer_cache.clear()
statements("caches cleared")
