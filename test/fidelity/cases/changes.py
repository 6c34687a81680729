"""Imports that change what importing is while they run: everything that a parent, a finder, a hook or a module can replace."""

import _imp
import importlib._bootstrap as bootstrap
import importlib._bootstrap_external as external
import importlib.machinery as machinery
import importlib.util
import marshal
import os
import sys
import types
import _io

from observe import PACKAGES, plain, run, tell, temporary_folder

sys.path.insert(0, PACKAGES)
NAMES = ("plain", "package", "spaces", "extended", "raising", "graphlib", "json", "virtual", "portioned", "told", "filled")
log = []


def forget():
    for name in list(sys.modules):
        if name.partition(".")[0] in NAMES:
            del sys.modules[name]
    log.clear()


def tried(what, *statements):
    for text in statements or ("import plain", "import package.first", "import graphlib", "from spaces import no_package"):
        forget()
        run(f"{what}: {text}", text)
        tell(f"{what}: seen", list(log))


def noting(function, what):
    def noted(*arguments, **keywords):
        log.append((what, [plain(each) for each in arguments if isinstance(each, str)]))
        return function(*arguments, **keywords)

    return noted


# Functions of importlib and of what it uses.
for module, names in (
    (bootstrap, ("ModuleSpec", "_ModuleLockManager", "_ImportLockContext", "_call_with_frames_removed", "spec_from_loader")),
    (external, ("spec_from_file_location", "_path_join", "_path_isfile", "cache_from_source", "_get_cached", "_path_stat")),
    (_imp, ("is_builtin", "acquire_lock", "release_lock")),
    (external._os, ("stat", "listdir", "fspath")),
    (_io, ("open_code", "open")),
    (marshal, ("loads",)),
    (external, ("_path_stat", "_classify_pyc", "_relax_case", "decode_source", "_path_split")),
    (bootstrap, ("_new_module", "_init_module_attrs", "_verbose_message", "_requires_builtin")),
):
    for name in names:
        usual = getattr(module, name, None)
        if usual is None:
            continue
        setattr(module, name, noting(usual, name))
        try:
            tried(name, "import plain", "import package.first")
        finally:
            setattr(module, name, usual)
tried("all as it was")

# Names that stand in front of built-in functions.
for module, name in ((bootstrap, "hasattr"), (bootstrap, "getattr"), (external, "isinstance"), (external, "len")):
    setattr(module, name, noting(getattr(__builtins__, name), name))
    try:
        tried(f"{name} of a module's own", "import plain", "import package.first")
    finally:
        delattr(module, name)
tried("no such name any more")

# Methods of classes, functions of others behind the same name, and code of functions.
for owner, name in (
    (machinery.SourceFileLoader, "exec_module"),
    (machinery.SourceFileLoader, "create_module"),
    (machinery.SourceFileLoader, "__init__"),
    (machinery.SourceFileLoader, "path_stats"),
    (machinery.FileFinder, "_get_spec"),
    (machinery.FileFinder, "find_spec"),
    (machinery.ModuleSpec, "__init__"),
    (bootstrap._ModuleLock, "acquire"),
):
    own = vars(owner).get(name)
    setattr(owner, name, noting(getattr(owner, name), name))
    getattr(sys, "_clear_type_cache", lambda: None)()
    try:
        tried(f"{owner.__name__}.{name}", "import plain", "import package.first")
    finally:
        delattr(owner, name) if own is None else setattr(owner, name, own)


def replaced(spec):
    import sys

    sys.log_of_test.append("replaced code")
    return sys.modules.setdefault(spec.name, type(sys)(spec.name))


sys.log_of_test = log
usual = bootstrap._load_unlocked.__code__
bootstrap._load_unlocked.__code__ = replaced.__code__
try:
    tried("code of a function", "import plain")
finally:
    bootstrap._load_unlocked.__code__ = usual
tried("code as it was", "import plain")

# Attributes of one finder and of one loader.
finder = sys.path_importer_cache[PACKAGES]
for name in ("find_spec", "_get_spec", "mark"):
    setattr(finder, name, noting(getattr(finder, name, len), f"finder.{name}"))
    tried(f"finder.{name}", "import plain", "import package")
    delattr(finder, name)
usual = finder._loaders
finder._loaders = [(suffix, loader) for suffix, loader in usual if suffix != ".py"]
tried("other loaders", "import plain")
finder._loaders = usual[:-1] + [usual[-1] + ("odd",)]
tried("odd loaders", "import plain")
finder._loaders = usual


class Instrumenting:
    """Finds what the path finder finds, and sets an attribute of the loader."""

    attribute = None

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        spec = machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None and cls.attribute:
            method = getattr(spec.loader, cls.attribute, len)
            setattr(spec.loader, cls.attribute, noting(method, f"loader.{cls.attribute}"))
        return spec


sys.meta_path.insert(0, Instrumenting)
for name in ("get_data", "source_to_code", "exec_module", "path_stats", "get_code", "mark", None):
    Instrumenting.attribute = name
    tried(f"loader.{name}", "import plain", "import package.first")
sys.meta_path.remove(Instrumenting)

# What changes while a finder is asked, a hook is called, a parent is imported.
def patch():
    sys.meta_path.remove(Patching)
    log.append("patched")
    machinery.SourceFileLoader.exec_module = noting(usual_exec, "exec_module")


class Patching:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.startswith(("plain", "package")):
            patch()


usual_exec = machinery.SourceFileLoader.exec_module
own = vars(machinery.SourceFileLoader).get("exec_module")
for text in ("import plain", "import package.first"):
    sys.meta_path.insert(0, Patching)
    tried("patched by a finder", text)
    del machinery.SourceFileLoader.exec_module
    if own is not None:
        machinery.SourceFileLoader.exec_module = own

folder = temporary_folder()
os.mkdir(os.path.join(folder, "portioned"))
with open(os.path.join(folder, "portioned", "leaf.py"), "w") as file:
    file.write("value = 1\n")
with open(os.path.join(folder, "virtual.py"), "w") as file:
    file.write("value = 'on disk'\n")


class Entry:
    """A finder of one entry of the path, which counts."""

    answers = {}

    def __init__(self, path):
        log.append(("hook", path, _imp.lock_held()))
        if path not in ("virt:", b"virt:"):
            raise ImportError(path)
        self.path = path

    def find_spec(self, name, target=None):
        log.append(("entry", name, target, _imp.lock_held()))
        answer = self.answers.get(name)
        return answer(name) if answer else None


class Legacy:
    """One of the old kind."""

    def __init__(self, path):
        if path != "virt:":
            raise ImportError(path)

    def find_module(self, name, path=None):
        log.append(("old", name))


class Made:
    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.made = True


def namespace(name):
    spec = machinery.ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [folder]
    return spec


def portions_of(portions):
    """A finder's answer with such portions of a namespace."""

    def answer(name):
        spec = namespace(name)
        spec.submodule_search_locations = portions
        return spec

    return answer


usual_path, usual_hooks = list(sys.path), list(sys.path_hooks)
for hook in (Entry, Legacy):
    for what, entries in {
        "first": ["virt:", *usual_path],
        "bytes": ["virt:", b"bytes", 7, *usual_path],
        "last": [*usual_path, "virt:"],
        "with a folder": ["virt:", folder, *usual_path],
        "after a folder": [folder, "virt:", *usual_path],
        "nothing else": ["virt:"],
        "a tuple": ("virt:", *usual_path),
    }.items():
        for kind, answers in {
            "nothing": {},
            "made": {"virtual": lambda name: machinery.ModuleSpec(name, Made())},
            "namespaces": {"plain": namespace, "virtual": namespace, "portioned": namespace},
            "a tuple of portions": {"virtual": portions_of((folder, "other")), "portioned": portions_of((folder,))},
            "odd portions": {"virtual": portions_of({folder: 1}), "plain": portions_of(7), "portioned": portions_of(())},
            "no loader": {"plain": lambda name: machinery.ModuleSpec(name, None)},
            "failing": {"plain": lambda name: {}[name]},
        }.items():
            sys.path_hooks[:] = [hook, *usual_hooks]
            sys.path_importer_cache.pop("virt:", None)
            sys.path = entries if isinstance(entries, tuple) else list(entries)
            Entry.answers = answers
            tried(f"{hook.__name__} {what}, {kind}", "import plain", "import virtual", "import portioned.leaf", "import portioned")
sys.path, sys.path_hooks[:] = usual_path, usual_hooks
sys.path_importer_cache.pop("virt:", None)

# An object of somebody's own that names the bytecode files, or does not.
class Implementation:
    def __init__(self, answer):
        self.answer = answer

    def __getattr__(self, name):
        log.append(("implementation", name))
        if name == "cache_tag" and isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer if name == "cache_tag" else getattr(usual_implementation, name)


def imported(what, *names):
    for name in names:
        forget()
        try:
            __import__(name)
            found = getattr(sys.modules[name], "__cached__", "nothing")
        except BaseException as error:
            found = f"{type(error).__name__}: {error}"
        tell(f"{what}: {name}", [found, list(log)])


usual_implementation = sys.implementation
for answer in ("other", None, 7, "", "x" * 80, KeyboardInterrupt("no"), ValueError("no"), AttributeError("no")):
    sys.implementation = Implementation(answer)
    try:
        imported(f"a cache tag that is {answer!r:.20}", "plain", "package.first")
        sys.implementation = types.SimpleNamespace(**vars(usual_implementation))
        sys.implementation.cache_tag = answer if isinstance(answer, (str, int)) else None
        imported(f"a usual one, {answer!r:.20}", "plain", "package.first")
        del sys.implementation.cache_tag
        imported("none", "plain")
    finally:
        sys.implementation = usual_implementation

# A finder that changes the list of finders while it is asked.
class Inserting:
    done = False

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        log.append(("inserting", name))
        if not cls.done:
            cls.done = True
            sys.meta_path.insert(1, Recording)


class Recording:
    @staticmethod
    def find_spec(name, path=None, target=None):
        log.append(("recording", name))


sys.meta_path.insert(0, Inserting)
tried("inserted meanwhile", "import plain")
sys.meta_path[:] = [each for each in sys.meta_path if each not in (Inserting, Recording)]


# Parents that are no modules, or whose attributes somebody computes.
class Parent(types.ModuleType):
    def __getattribute__(self, name):
        if name in ("__path__", "__spec__"):
            log.append(name)
            if name in vars(self).get("failing", ()):
                raise vars(self)["failing"][name]
        return super().__getattribute__(name)


for what, failing in {
    "computed": {},
    "no path": {"__path__": AttributeError("no path")},
    "no spec": {"__spec__": AttributeError("no spec")},
    "a key": {"__spec__": KeyError("spec")},
    "an exit": {"__path__": SystemExit(3)},
}.items():
    forget()
    import package

    parent = Parent("package")
    vars(parent).update(vars(package), failing=failing)
    log.clear()
    sys.modules["package"] = parent
    run(f"parent: {what}", "import package.first")
    tell(f"parent: {what}: seen", list(log))

# sys.modules, and the name in the spec.
kept = sys.modules
for what, text in {
    "replaced": "import sys\nsys.modules = dict(sys.modules)\n",
    "replaced and failing": "import sys\nsys.modules = dict(sys.modules)\nraise ValueError\n",
    "renamed": "import sys\n__spec__.name = 'virtual'\nsys.modules['virtual'] = 'this'\n",
    "renamed and failing": "__spec__.name = 'virtual'\nraise ValueError\n",
    "renamed to nothing": "__spec__.name = 'virtual'\n",
    "spec without a name": "del __spec__.name\n",
}.items():
    forget()
    sys.told_code = compile(text, "<told>", "exec")
    run(f"module: {what}", "import told")
    tell(f"module: {what}", sorted(name for name in sys.modules if name.startswith(("told", "virtual"))))
    tell(f"module: {what}, before", sorted(name for name in kept if name.startswith(("told", "virtual"))))
    sys.modules = kept
    for name in ("told", "virtual"):
        kept.pop(name, None)

# What a parent puts under the name of its submodule.
for what, value in {"nothing": None, "text": "text", "module": types.ModuleType("other")}.items():
    forget()
    sys.filled_value = value
    run(f"filled in: {what}", "import filled.child\nresult = type(sys.modules['filled.child']).__name__", sys=sys)
    for name in ("filled", "filled.child"):
        sys.modules.pop(name, None)


# Deep chains of imports end as they end otherwise.
def chain(room):
    for name in list(sys.modules):
        if name.startswith("links"):
            del sys.modules[name]
    import links

    depth = 0
    frame = sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(depth + room)
        import links.link_0
    except RecursionError:
        return "too deep"
    finally:
        sys.setrecursionlimit(limit)
    return "done"


for room in (15, 30, 45, 100, 200):
    tell(f"a chain of ten in {room} frames", chain(room))
