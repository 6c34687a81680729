"""How many calls may still be nested where an import runs code of others, and imports where few may be (see observed.py)."""

import _thread
import importlib
import importlib.machinery as machinery
import importlib.util
import sys
import warnings

from observed import CASES, OURS, case, log, main

NAMES = ("plain", "parent.child", "missing", "parent.missing", "plain.missing")
# CPython specialises the calls of a function that runs so often.
TIMES = 12


def room():
    def down(depth):
        try:
            return down(depth + 1)
        except RecursionError:
            return depth

    return down(0)


def note(what):
    log.append((what, room()))


def forget():
    for name in list(sys.modules):
        if name.partition(".")[0] in OURS:
            del sys.modules[name]


def load_all(times=TIMES):
    sys.parent = sys.told = lambda: note("runs")
    for _ in range(times):
        for name in NAMES:
            for statement in (f"import {name}", f"importlib.import_module({name!r})"):
                forget()
                try:
                    exec(statement)
                except ImportError as error:
                    log.append(str(error))


class Finder:
    def find_spec(self, name, path=None, target=None):
        note("find_spec")


class Legacy:
    def find_module(self, name, path=None):
        note("find_module")


class Old:
    def find_loader(self, name):
        note("find_loader")
        return None, []


class Loader(machinery.SourceFileLoader):
    def __init__(self, *arguments):
        note("__init__")
        super().__init__(*arguments)

    def path_stats(self, path):
        note("path_stats")
        return super().path_stats(path)

    def get_data(self, path):
        note("get_data")
        return super().get_data(path)

    def create_module(self, spec):
        note("create_module")
        return super().create_module(spec)

    def exec_module(self, module):
        note("exec_module")
        super().exec_module(module)


class Modules(dict):
    def __contains__(self, name):
        note("contains")
        return dict.__contains__(self, name)

    def __getitem__(self, name):
        note("getitem")
        return dict.__getitem__(self, name)


def with_entry(finder):
    def hook(path):
        if path != "/its own":
            raise ImportError
        note("hook")
        return finder

    sys.path_hooks.insert(0, hook)
    sys.path.insert(0, "/its own")
    load_all()


@case
def modules():
    load_all()


@case
def meta_finder_first():
    sys.meta_path.insert(0, Finder())
    load_all()


@case
def meta_finder_last():
    sys.meta_path.append(Finder())
    load_all()


@case
def legacy_meta_finder():
    warnings.simplefilter("ignore")
    sys.meta_path.insert(0, Legacy())
    load_all()


@case
def entry_finder():
    with_entry(Finder())


if sys.version_info < (3, 12):

    @case
    def legacy_entry_finder():
        warnings.simplefilter("ignore")
        with_entry(Legacy())

    @case
    def old_entry_finder():
        warnings.simplefilter("ignore")
        with_entry(Old())


@case
def loaders():
    sys.path_hooks.insert(0, machinery.FileFinder.path_hook((Loader, [".py"])))
    sys.path_importer_cache.clear()
    load_all()


@case
def loaders_of_a_finder():
    finder = machinery.FileFinder(sys.path[0], (Loader, [".py"]))
    for _ in range(TIMES):
        finder.find_spec("plain").loader.get_code("plain")
        machinery.SourceFileLoader.get_code(Loader("plain", finder.path + "/plain.py"), "plain")


@case
def replaced_modules():
    sys.modules = Modules(sys.modules)
    load_all(2)


@case
def threads():
    usual = _thread.get_ident
    _thread.get_ident = lambda: (note("get_ident"), usual())[1]
    load_all(2)
    _thread.get_ident = usual


@case
def reload():
    sys.parent = lambda: note("runs")
    import parent

    for _ in range(TIMES):
        importlib.reload(parent)


def statement(text):
    return lambda: exec(text, {})


# With so little room that something in the import fails, or just enough.
for what, action in {
    "import-of-a-module": statement("import plain"),
    "import-of-a-submodule": statement("import parent.child"),
    "import-from-a-package": statement("from parent import child"),
    "import-of-a-missing-module": statement("import missing"),
    "import-of-a-missing-submodule": statement("import parent.missing"),
    "import_module": lambda: importlib.import_module("parent.child"),
    "import_module-of-a-missing-module": lambda: importlib.import_module("missing"),
    "find_spec": lambda: importlib.util.find_spec("plain"),
    "get_code": lambda: machinery.SourceFileLoader("plain", sys.path[0] + "/plain.py").get_code("plain"),
}.items():

    def edges(action=action):
        def with_room(left):
            def down(depth):
                return action() if depth <= 0 else down(depth - 1)

            try:
                down(room() - left)
            except (ImportError, RecursionError) as error:
                return f"{type(error).__name__} {error}"
            return "done"

        sys.parent = int
        for _ in range(3):
            for left in range(5, 45):
                forget()
                log.append((left, with_room(left), sorted(each for each in sys.modules if each.partition(".")[0] in OURS)))

    CASES[f"edges-{what}"] = edges


main()
