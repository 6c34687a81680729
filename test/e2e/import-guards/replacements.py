"""What an import reads or calls is replaced while it runs, or before (see observed.py)."""

import builtins
import importlib
import importlib._bootstrap as bootstrap
import importlib._bootstrap_external as external
import importlib.machinery as machinery
import importlib.util
import os
import sys
import types
import warnings

from observed import CASES, case, load, log, main, noting, replace

Loader = machinery.SourceFileLoader


def patch():
    replace(Loader, "exec_module")


def family(change):
    """Top level, and below a package that makes the change."""
    load("parent.child", parent=change)
    load("told")


def trying(name, function):
    CASES[name] = function


# Functions that importlib is made of: what they are made of.
def setting(function, attribute, value):
    setattr(function, attribute, value)
    family(int)


@case
def keyword_default_changed_in_place():
    external.SourceLoader.source_to_code.__kwdefaults__["_optimize"] = 2
    load("documented")


@case
def keyword_default_changed_in_place_by_the_parent():
    load("parent.child", parent=lambda: external.spec_from_file_location.__kwdefaults__.update(submodule_search_locations=["x"]))
    print(getattr(sys.modules["parent.child"], "__path__", None))


@case
def keyword_default_removed():
    del external.SourceLoader.source_to_code.__kwdefaults__["_optimize"]
    load("documented")


trying("defaults-replaced", lambda: setting(bootstrap._find_spec, "__defaults__", ("target",)))
trying("defaults-removed", lambda: setting(external.PathFinder.find_spec.__func__, "__defaults__", None))
trying("keyword-defaults-replaced", lambda: setting(external.spec_from_file_location, "__kwdefaults__", {}))


def replaced_code(*arguments):
    __import__("observed").log.append(("code", [each for each in arguments if isinstance(each, str)]))


trying("code-of-a-class-method", lambda: setting(external.PathFinder._get_spec.__func__, "__code__", replaced_code.__code__))
trying("code-of-a-static-method", lambda: setting(external.PathFinder._path_hooks, "__code__", replaced_code.__code__))
trying("code-of-an-initialiser", lambda: setting(external.FileLoader.__init__, "__code__", replaced_code.__code__))
trying("code-of-a-property", lambda: setting(bootstrap.ModuleSpec.cached.fget, "__code__", replaced_code.__code__))
trying("code-of-a-setter", lambda: setting(bootstrap.ModuleSpec.cached.fset, "__code__", replaced_code.__code__))


def inner(function):
    return next(each.cell_contents for each in function.__closure__ if isinstance(each.cell_contents, types.FunctionType))


trying("code-of-a-wrapped-method", lambda: setting(inner(external.FileLoader.get_filename), "__code__", replaced_code.__code__))


@case
def closure_replaced():
    for cell in external.FileLoader.get_filename.__closure__:
        if isinstance(cell.cell_contents, types.FunctionType):
            cell.cell_contents = noting(cell.cell_contents, "get_filename")
    family(int)


@case
def code_replaced_by_the_parent():
    def change():
        bootstrap._init_module_attrs.__code__ = replaced_code.__code__

    load("parent.child", parent=change)


@case
def bases_replaced():
    class Base(external.SourceLoader):
        def create_module(self, spec):
            log.append(("create", spec.name))

    Loader.__bases__ = (external.FileLoader, Base)
    family(int)


@case
def suffix_changed_in_place():
    external.BYTECODE_SUFFIXES[0] = ".other"
    load("plain")
    external.BYTECODE_SUFFIXES[:] = [".another"]
    load("parent.child")
    for name in ("plain", "parent", "parent.child"):
        print(sys.modules[name].__spec__.cached.rpartition("/")[2])


# Built-in functions.
for name in ("exec", "compile", "hasattr", "getattr", "isinstance", "len", "setattr"):

    def change_builtin(name=name):
        usual = getattr(builtins, name)

        def ours(*arguments, **keywords):
            caller = sys._getframe(1)
            if "importlib" in caller.f_code.co_filename:
                log.append((name, caller.f_code.co_name))
            return usual(*arguments, **keywords)

        setattr(builtins, name, ours)
        family(int)
        setattr(builtins, name, usual)

    trying(f"builtin-{name}", change_builtin)


@case
def builtin_replaced_by_the_parent():
    usual = builtins.exec

    def ours(code, *arguments):
        log.append(code.co_filename.rpartition("/")[2])
        return usual(code, *arguments)

    family(lambda: setattr(builtins, "exec", ours))


@case
def builtin_import():
    usual = builtins.__import__

    def ours(name, *arguments):
        if name != "_io":  # opening a file imports that (Python/fileutils.c), and no file is opened for what is frozen
            log.append(name)
        return usual(name, *arguments)

    family(lambda: setattr(builtins, "__import__", ours))


# Who watches.
@case
def monitoring():
    if not hasattr(sys, "monitoring"):
        return
    tool = sys.monitoring.PROFILER_ID

    def told(code, offset):
        if code.co_filename.endswith(("parent/child.py", "plain.py")):
            log.append(code.co_name)

    def change():
        sys.monitoring.use_tool_id(tool, "ours")
        sys.monitoring.register_callback(tool, sys.monitoring.events.PY_START, told)
        sys.monitoring.set_events(tool, sys.monitoring.events.PY_START)

    load("parent.child", parent=change)
    sys.monitoring.set_events(tool, 0)


@case
def audit_hook_refuses():
    armed = []

    def hook(event, arguments):
        if armed and event == "import" and arguments[0] == "plain":
            armed.clear()
            raise RuntimeError("refused")

    def change():
        sys.addaudithook(hook)
        armed.append(True)

    load("parent.child", parent=change)
    load("parent.child")


# Names of sys.
class Counting(list):
    def __iter__(self):
        log.append("iter")
        return super().__iter__()

    def __getitem__(self, index):
        log.append(("item", index))
        return super().__getitem__(index)

    def __len__(self):
        log.append("len")
        return super().__len__()


class Modules(dict):
    pass


def told_of(name):
    def method(self, *arguments):
        if isinstance(arguments[0], str) and arguments[0].partition(".")[0] in ("parent", "plain", "told"):
            log.append((name, arguments[0]))
        return getattr(dict, name)(self, *arguments)

    return method


for each in ("__contains__", "__getitem__", "__setitem__", "__delitem__", "get", "pop", "setdefault", "__missing__"):
    if hasattr(dict, each):
        setattr(Modules, each, told_of(each))


class Interrupting(dict):
    def __setitem__(self, name, value):
        if name == "plain":
            raise KeyboardInterrupt(name)
        super().__setitem__(name, value)


class Cache(dict):
    def __getitem__(self, name):
        log.append(("finder of", name.rpartition("/")[2]))
        return super().__getitem__(name)


class Nothing:
    """In the place of what is deleted."""


for attribute, values in {
    "modules": (lambda: Modules(sys.modules), lambda: Interrupting(sys.modules)),
    "meta_path": (lambda: tuple(sys.meta_path), lambda: Counting(sys.meta_path), lambda: None, list, Nothing),
    "path": (lambda: tuple(sys.path), lambda: Counting(sys.path), lambda: None, list, Nothing, lambda: {each: 1 for each in sys.path}),
    "path_hooks": (tuple, list, lambda: None, Nothing, lambda: [lambda path: {}[path]]),
    "path_importer_cache": (dict, lambda: Cache(sys.path_importer_cache), Cache, lambda: None, Nothing, lambda: {each: None for each in sys.path}),
}.items():
    for number, value in enumerate(values):

        def change_name(attribute=attribute, value=value):
            usual = getattr(sys, attribute)

            def change():
                made = value()
                if isinstance(made, Nothing):
                    delattr(sys, attribute)
                else:
                    setattr(sys, attribute, made)
                if attribute == "path_hooks":
                    sys.path_importer_cache.clear()

            warnings.simplefilter("ignore")
            load("parent.child", parent=change)
            load("told")
            load("circle")
            setattr(sys, attribute, usual)

        trying(f"sys.{attribute}-{number}", change_name)


# A parent that is not as usual.
class Path:
    def __init__(self, entries, does=int):
        self.entries, self.does = entries, does

    def __iter__(self):
        log.append("iter")
        self.does()
        return iter(self.entries)


def with_parent(**attributes):
    def change():
        for name, value in attributes.items():
            setattr(sys.modules["parent"], name, value(getattr(sys.modules["parent"], name)))

    load("parent.child", parent=change)


for what, value in {
    "counting": Path,
    "patching": lambda path: Path(path, patch),
    "with-a-generator": iter,
    "str": lambda path: path[0],
    "none": lambda path: None,
    "dict": lambda path: dict.fromkeys(path),
    "odd-entries": lambda path: [None, 3, b"bytes", *path],
    "number": lambda path: 7,
    "list": Counting,
}.items():
    trying(f"path-{what}", lambda value=value: with_parent(__path__=value))


class Submodules(list):
    def append(self, name):
        log.append(("append", name))
        patch()
        super().append(name)


class Spec(machinery.ModuleSpec):
    def __bool__(self):
        log.append("bool")
        patch()
        return True


@case
def submodules_patching():
    def change():
        sys.modules["parent"].__spec__._uninitialized_submodules = Submodules()

    load("parent.child", parent=change)


@case
def submodules_missing():
    load("parent.child", parent=lambda: vars(sys.modules["parent"].__spec__).pop("_uninitialized_submodules", None))


@case
def spec_with_a_truth():
    def change():
        sys.modules["parent"].__spec__.__class__ = Spec

    load("parent.child", parent=change)


for what, spec in {"none": None, "text": "spec", "nothing": types.SimpleNamespace()}.items():
    trying(f"spec-{what}", lambda spec=spec: with_parent(__spec__=lambda usual: spec))


class Closed(types.ModuleType):
    error = AttributeError

    def __setattr__(self, name, value):
        log.append(("set", name))
        raise self.error(name)


for error in (AttributeError, ValueError, KeyboardInterrupt):

    def close(error=error):
        def change():
            Closed.error = error
            sys.modules["parent"].__class__ = Closed

        warnings.simplefilter("error")
        load("parent.child", parent=change)
        print("child" in vars(sys.modules["parent"]), "parent.child" in sys.modules)

    trying(f"parent-refuses-{error.__name__}", close)


@case
def parent_with_another_loader():
    class Other(Loader):
        def exec_module(self, module):
            log.append(("exec", module.__name__))
            super().exec_module(module)

    def change():
        spec = sys.modules["parent"].__spec__
        spec.loader.__class__ = Other

    load("parent.child", parent=change)
    importlib.reload(sys.modules["parent"])


# Reloads in the midst.
@case
def reloads_itself():
    sys.depth = 0

    def again():
        sys.depth += 1
        log.append(("told", sys.depth))
        if sys.depth < 3:
            importlib.reload(sys.modules["told"])

    load("told", told=again)


@case
def reloads_its_parent():
    load("parent")
    parent = sys.modules["parent"]
    load("told", told=lambda: importlib.reload(parent))
    load("parent.child", parent=lambda: log.append("parent"))


@case
def reloads_what_fails():
    load("told")

    def fail():
        raise ValueError("again")

    sys.told = fail
    try:
        importlib.reload(sys.modules["told"])
    except ValueError as error:
        print(error, "told" in sys.modules)


@case
def reloads_with_attributes_of_its_loader():
    import plain

    for name in ("get_code", "exec_module", "get_filename"):
        setattr(plain.__loader__, name, noting(getattr(plain.__loader__, name)))
    importlib.reload(plain)
    print(plain.__spec__.loader is plain.__loader__)


@case
def imports_lazily():
    spec = importlib.util.find_spec("plain")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules["plain"] = module
    spec.loader.exec_module(module)
    print(type(module).__name__, module.value, type(module).__name__)


@case
def subclass_of_str():
    class Name(str):
        def __hash__(self):
            log.append("hash")
            return super().__hash__()

        __eq__ = str.__eq__

    load(Name("plain"))
    load(Name("parent.child"))
    print(type(sys.modules["plain"].__spec__.name).__name__)


# What C extensions do to functions, and to all of them.
try:
    from _testcapi import function_setvectorcall as set_vectorcall  # since 3.12
except ImportError:
    set_vectorcall = int


def another_vectorcall(function):
    set_vectorcall(function if set_vectorcall is not int else 0)
    load("plain")
    load("parent.child")


for function in (
    bootstrap._find_spec,
    bootstrap._load_unlocked,
    bootstrap._call_with_frames_removed,
    bootstrap._init_module_attrs,
    bootstrap.ModuleSpec.__init__,
    bootstrap.ModuleSpec.cached.fget,
    external._path_join,
    external.spec_from_file_location,
    external.PathFinder.find_spec.__func__,
    external.PathFinder._get_spec.__func__,
    external.FileFinder._get_spec,
    external._LoaderBasics.exec_module,
    inner(external.FileLoader.get_filename),
):
    trying(f"vectorcall-of-{function.__qualname__}", lambda function=function: another_vectorcall(function))

trying(
    "vectorcall-set-by-the-parent",
    lambda: load("parent.child", parent=lambda: another_vectorcall(bootstrap._find_spec)),
)


def evaluating(*names, parent=None):
    try:
        from _testinternalcapi import set_eval_frame_default, set_eval_frame_record  # since 3.11
    except ImportError:
        set_eval_frame_default, set_eval_frame_record = int, list
    seen = []
    set_eval_frame_record(seen)
    for name in names:
        load(name, parent=parent)
    set_eval_frame_default()
    # A call of a class comes here with the frame of __init__ or without it, by how often that place was run before.
    print([each for each in seen if each != "__init__"])


trying("an-evaluator-of-frames", lambda: evaluating("plain", "parent.child", "circle", "missing"))
trying("an-evaluator-of-frames-by-the-parent", lambda: load("parent.child", parent=lambda: evaluating("plain")))


def chain(error):
    """An exception, and those that were handled when it was raised."""
    found = []
    while error is not None:
        found.append(f"{type(error).__name__} {error} {error.__suppress_context__}")
        error = error.__context__
    return found


def attempt(name):
    try:
        __import__(name)
    except BaseException as error:
        log.append(chain(error))


@case
def what_is_handled_meanwhile():
    class Legacy:
        def find_module(self, name, path=None):
            log.append(chain(sys.exc_info()[1]))
            if name in ("plain", "parent.child"):
                raise ValueError(name)

    sys.parent = sys.told = int
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sys.meta_path.insert(0, Legacy())
        for name in ("plain", "parent.child", "missing", "told"):
            attempt(name)
            try:
                raise KeyError(name)
            except KeyError:
                attempt(name)
                log.append(chain(sys.exc_info()[1]))
        log.append(chain(sys.exc_info()[1]))


@case
def no_package_any_more():
    sys.parent = lambda: sys.modules.update(parent=types.ModuleType("parent"))
    attempt("parent.child")
    sys.modules.pop("parent")
    try:
        raise KeyError
    except KeyError:
        attempt("parent.child")


@case
def methods_that_others_borrow():
    class Finder:
        find_spec = machinery.FileFinder.find_spec
        path = sys.path[0]
        _path_mtime, _path_cache = -1, set()
        _loaders = [(".py", machinery.SourceFileLoader)]
        _fill_cache, _get_spec = machinery.FileFinder._fill_cache, machinery.FileFinder._get_spec

    class Loader:
        get_code = machinery.SourceFileLoader.get_code
        get_filename = lambda self, name: sys.path[0] + "/plain.py"
        path_stats = lambda self, path: os.stat("")  # raises OSError
        get_data = machinery.SourceFileLoader.get_data
        source_to_code = machinery.SourceFileLoader.source_to_code

    log.append(Finder().find_spec("plain").name)
    log.append(Finder().find_spec("missing"))
    log.append(Loader().get_code("plain").co_names)
    log.append([each.__qualname__ for each in (Finder.find_spec, Loader.get_code)])
    for wrong in (machinery.FileFinder.find_spec, machinery.SourceFileLoader.get_code):
        try:
            wrong(5, "plain")
        except AttributeError as error:
            log.append(str(error))


main()
