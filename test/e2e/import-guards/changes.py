"""Changes of the import system in the midst of an import, each in a process of its own (a fork); prints what was seen.

    python changes.py [NAME ...]
"""

import _thread
import faulthandler
import importlib._bootstrap as bootstrap
import importlib._bootstrap_external as external
import importlib.machinery as machinery
import os
import sys
import types

sys.dont_write_bytecode = True
log = []
CHANGES = {}


def change(function):
    CHANGES[function.__name__.replace("_", "-")] = function


def noting(function, what=None):
    def noted(*arguments, **keywords):
        log.append((what or function.__name__, [each for each in arguments if isinstance(each, str)]))
        return function(*arguments, **keywords)

    return noted


def replace(owner, name):
    setattr(owner, name, noting(getattr(owner, name)))


def load(name, told=None, parent=None):
    """Imports a module; `told` and `parent` are called by it and by its parent."""
    sys.told, sys.parent = told or int, parent or int
    try:
        __import__(name)
    except BaseException as error:
        print(name, type(error).__name__, error)
    else:
        print(name, getattr(sys.modules.get(name), "value", None))


# Hooks that a package installs, before its submodule is imported.
for owner, name in (
    (machinery.SourceFileLoader, "exec_module"),
    (machinery.SourceFileLoader, "get_data"),
    (machinery.SourceFileLoader, "path_stats"),
    (machinery.SourceFileLoader, "source_to_code"),
    (machinery.FileFinder, "find_spec"),
    (machinery.FileFinder, "_get_spec"),
    (machinery.PathFinder, "find_spec"),
    (bootstrap, "_init_module_attrs"),
    (bootstrap, "_find_spec"),
    (bootstrap, "ModuleSpec"),
    (bootstrap, "_ModuleLockManager"),
    (external, "spec_from_file_location"),
    (external, "_path_stat"),
):
    CHANGES[f"parent-replaces-{name}-of-{owner.__name__.rpartition('.')[2]}"] = lambda owner=owner, name=name: load(
        "parent.child", parent=lambda: replace(owner, name)
    )


@change
def parent_audits():
    load("parent.child", parent=lambda: sys.addaudithook(lambda event, arguments: event in ("import", "exec") and log.append(event)))


@change
def parent_traces():
    def tracer(frame, event, argument):
        if frame.f_code.co_filename.endswith(("parent/child.py", "plain.py")):
            log.append((event, frame.f_code.co_name, frame.f_lineno))
        return tracer

    load("parent.child", parent=lambda: sys.settrace(tracer))
    sys.settrace(None)


@change
def parent_profiles():
    def profiler(frame, event, argument):
        if frame.f_code.co_filename.endswith(("parent/child.py", "plain.py")):
            log.append((event, frame.f_code.co_name))

    load("parent.child", parent=lambda: sys.setprofile(profiler))
    sys.setprofile(None)


@change
def parent_fills_in():
    load("parent.child", parent=lambda: sys.modules.__setitem__("parent.child", None))
    del sys.modules["parent"]
    load("parent.child", parent=lambda: sys.modules.__setitem__("parent.child", types.SimpleNamespace(value="filled in")))


@change
def parent_goes_away():
    load("parent.child", parent=lambda: sys.modules.pop("parent"))


@change
def parent_loses_its_path():
    load("parent.child", parent=lambda: delattr(sys.modules["parent"], "__path__"))


@change
def parent_inserts_a_finder():
    load("parent.child", parent=lambda: sys.meta_path.insert(0, Counting()))


# sys.modules, and the spec.
@change
def modules_replaced():
    def replace_modules():
        sys.modules = dict(sys.modules)

    load("told", told=replace_modules)
    print("told" in sys.modules)


@change
def modules_replaced_and_failing():
    def replace_modules():
        sys.modules = dict(sys.modules)
        raise ValueError("no")

    load("told", told=replace_modules)
    print("told" in sys.modules)


@change
def spec_renamed():
    def rename():
        sys.modules["told"].__spec__.name = "other"
        sys.modules["other"] = "this"

    load("told", told=rename)
    print(sorted({"told", "other"} & set(sys.modules)), sys.modules.get("told"))


@change
def replaces_itself():
    load("told", told=lambda: sys.modules.__setitem__("told", types.SimpleNamespace(value="another")))


# Finders that count, and that find something at their second answer.
class Made:
    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.value = "made"


class Counting:
    def find_spec(self, name, path=None, target=None):
        log.append(("asked", name))
        return machinery.ModuleSpec(name, Made()) if log.count(("asked", name)) == 2 else None


def on_the_path(finder, *entries):
    def hook(path):
        log.append(("hook", str(path)))
        if path != "virtual:":
            raise ImportError
        return finder

    sys.path_hooks.insert(0, hook)
    sys.path_importer_cache.clear()
    sys.path[:0] = entries
    load("plain")
    load("parent.child")


@change
def meta_finder_counts():
    sys.meta_path.insert(0, Counting())
    load("plain")
    load("parent.child")


@change
def entry_finder_counts():
    on_the_path(Counting(), "virtual:")


@change
def entry_finder_counts_before_bytes():
    on_the_path(Counting(), "virtual:", b"bytes")


@change
def entry_finder_of_the_old_kind():
    class Old:
        def find_module(self, name, path=None):
            log.append(("asked", name))

    import warnings

    warnings.simplefilter("ignore")
    on_the_path(Old(), "virtual:", b"bytes")


@change
def finder_patches():
    class Patching:
        def find_spec(self, name, path=None, target=None):
            sys.meta_path.remove(self)
            replace(machinery.SourceFileLoader, "exec_module")

    sys.meta_path.insert(0, Patching())
    load("parent.child")


# Attributes of one loader and of one finder.
for attribute in ("get_data", "source_to_code", "exec_module", "path_stats", "get_code", "create_module", "mark"):

    def set_on_loader(attribute=attribute):
        class Instrumenting:
            def find_spec(self, name, path=None, target=None):
                spec = machinery.PathFinder.find_spec(name, path, target)
                if spec is not None:
                    setattr(spec.loader, attribute, noting(getattr(spec.loader, attribute, len), attribute))
                return spec

        sys.meta_path.insert(0, Instrumenting())
        load("plain")
        load("parent.child")

    CHANGES[f"loader-has-{attribute}"] = set_on_loader

for attribute in ("find_spec", "_get_spec", "mark"):

    def set_on_finder(attribute=attribute):
        finder = sys.path_importer_cache.get(sys.path[0]) or machinery.PathFinder.find_spec("plain") and sys.path_importer_cache[sys.path[0]]
        setattr(finder, attribute, noting(getattr(finder, attribute, len), attribute))
        load("plain")
        load("parent.child")

    CHANGES[f"finder-has-{attribute}"] = set_on_finder


# Whose thread it is.
@change
def other_identities():
    main = object()
    _thread.get_ident = lambda: id(main)
    load("circle")


@change
def other_identities_meanwhile():
    identity = _thread.get_ident

    def rename():
        before = identity()
        _thread.get_ident = lambda: -identity()
        for reference in list(bootstrap._module_locks.values()):  # as gevent does
            lock = reference()
            if lock is not None and lock.owner == before:
                lock.owner = _thread.get_ident()

    load("parent.child", parent=rename)
    load("circle")


@change
def circular():
    load("circle")
    load("circle.alone")


def see(name):
    faulthandler.dump_traceback_later(60, exit=True)  # instead of a deadlock
    CHANGES[name]()
    print(log)
    ours = [each for each in sys.modules if each.partition(".")[0] in ("plain", "parent", "circle", "told")]
    print(sorted(bootstrap._module_locks), sorted(ours), flush=True)
    os._exit(0)


for name in sys.argv[1:] or CHANGES:
    print("==", name, flush=True)
    child = os.fork()
    if child == 0:
        see(name)
    status = os.waitpid(child, 0)[1]
    if status != 0:
        print("ended with", status)
