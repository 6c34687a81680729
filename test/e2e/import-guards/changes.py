"""Changes of the import system in the midst of an import (see observed.py)."""

import _thread
import importlib._bootstrap as bootstrap
import importlib._bootstrap_external as external
import importlib.machinery as machinery
import sys
import types

from observed import CASES, case, load, log, main, noting, replace

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
    CASES[f"parent-replaces-{name}-of-{owner.__name__.rpartition('.')[2]}"] = lambda owner=owner, name=name: load(
        "parent.child", parent=lambda: replace(owner, name)
    )


@case
def parent_audits():
    load("parent.child", parent=lambda: sys.addaudithook(lambda event, arguments: event in ("import", "exec") and log.append(event)))


@case
def parent_traces():
    def tracer(frame, event, argument):
        if frame.f_code.co_filename.endswith(("parent/child.py", "plain.py")):
            log.append((event, frame.f_code.co_name, frame.f_lineno))
        return tracer

    load("parent.child", parent=lambda: sys.settrace(tracer))
    sys.settrace(None)


@case
def parent_profiles():
    def profiler(frame, event, argument):
        if frame.f_code.co_filename.endswith(("parent/child.py", "plain.py")):
            log.append((event, frame.f_code.co_name))

    load("parent.child", parent=lambda: sys.setprofile(profiler))
    sys.setprofile(None)


@case
def parent_fills_in():
    load("parent.child", parent=lambda: sys.modules.__setitem__("parent.child", None))
    del sys.modules["parent"]
    load("parent.child", parent=lambda: sys.modules.__setitem__("parent.child", types.SimpleNamespace(value="filled in")))


@case
def parent_goes_away():
    load("parent.child", parent=lambda: sys.modules.pop("parent"))


@case
def parent_loses_its_path():
    load("parent.child", parent=lambda: delattr(sys.modules["parent"], "__path__"))


@case
def parent_inserts_a_finder():
    load("parent.child", parent=lambda: sys.meta_path.insert(0, Counting()))


# sys.modules, and the spec.
@case
def modules_replaced():
    def replace_modules():
        sys.modules = dict(sys.modules)

    load("told", told=replace_modules)
    print("told" in sys.modules)


@case
def modules_replaced_and_failing():
    def replace_modules():
        sys.modules = dict(sys.modules)
        raise ValueError("no")

    load("told", told=replace_modules)
    print("told" in sys.modules)


@case
def spec_renamed():
    def rename():
        sys.modules["told"].__spec__.name = "other"
        sys.modules["other"] = "this"

    load("told", told=rename)
    print(sorted({"told", "other"} & set(sys.modules)), sys.modules.get("told"))


@case
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


@case
def meta_finder_counts():
    sys.meta_path.insert(0, Counting())
    load("plain")
    load("parent.child")


@case
def entry_finder_counts():
    on_the_path(Counting(), "virtual:")


@case
def entry_finder_counts_before_bytes():
    on_the_path(Counting(), "virtual:", b"bytes")


@case
def entry_finder_of_the_old_kind():
    class Old:
        def find_module(self, name, path=None):
            log.append(("asked", name))

    import warnings

    warnings.simplefilter("ignore")
    on_the_path(Old(), "virtual:", b"bytes")


@case
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

    CASES[f"loader-has-{attribute}"] = set_on_loader

for attribute in ("find_spec", "_get_spec", "mark"):

    def set_on_finder(attribute=attribute):
        finder = sys.path_importer_cache.get(sys.path[0]) or machinery.PathFinder.find_spec("plain") and sys.path_importer_cache[sys.path[0]]
        setattr(finder, attribute, noting(getattr(finder, attribute, len), attribute))
        load("plain")
        load("parent.child")

    CASES[f"finder-has-{attribute}"] = set_on_finder


# Whose thread it is.
@case
def other_identities():
    main = object()
    _thread.get_ident = lambda: id(main)
    load("circle")


@case
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


@case
def circular():
    load("circle")
    load("circle.alone")


# A parent that refuses its child as an attribute: importlib warns, once a line or each time.
for warned in ("always", "default", "module", "once", "error"):

    def refused(warned=warned):
        import warnings

        class Parent(types.ModuleType):
            def __setattr__(self, name, value):
                if name == "child":
                    raise AttributeError(name)
                super().__setattr__(name, value)

        def show(message, category, filename, lineno, file=None, line=None):
            log.append((str(message), category.__name__, filename, lineno))

        sys.parent = lambda: setattr(sys.modules["parent"], "__class__", Parent)
        with warnings.catch_warnings():
            warnings.simplefilter(warned)
            warnings.showwarning = show
            for statement in ("import parent.child", "import parent.child as child", "__import__('parent.child')") * 2:
                sys.modules.pop("parent.child", None)
                try:
                    exec(statement, {})
                except (ImportError, ImportWarning, AttributeError) as error:
                    log.append(f"{type(error).__name__} {error} {error.__context__!r}")
        registry = vars(bootstrap).get("__warningregistry__", {})
        log.append(sorted(map(str, registry)))

    CASES[f"refused-child-{warned}"] = refused


main()
