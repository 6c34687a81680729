"""Submodules whose parents are not loaded, or are being loaded: from 3.15 on, these are locked, too. And what 3.15 does besides: it tells
the interpreter of each module, for lazy imports, and raises the audit event in Python."""

import importlib
import importlib._bootstrap as bootstrap
import sys
import threading
import types
import warnings

from observed import case, load, log, main, noting

NAMES = ("family", "family.sibling", "family.branch", "family.branch.twin", "family.branch.leaf")
gates = {}


def since_3_15(function):
    """Before, nothing is lazy, and threads that import a package and its submodules may each wait for the other: one of them gives up."""
    return case(function) if sys.version_info >= (3, 15) else function


sys.seen = lambda name: None


def in_thread(name, text):
    def run():
        try:
            exec(text, {})
        except BaseException as error:
            log.append((name, type(error).__name__, str(error)))
        else:
            log.append((name, "imported"))

    thread = threading.Thread(target=run, name=name)
    thread.start()
    return thread


def who_holds():
    """Asks importlib for each lock, as one who waits does."""
    threads = {each.ident: each.name for each in threading.enumerate()}
    found = []
    for name in NAMES:
        lock = bootstrap._get_module_lock(name)
        count = lock.count if isinstance(lock.count, int) else len(lock.count)
        if count > 0:
            found.append((name, threads.get(lock.owner), count))
    return found


def note_locks(name):
    log.append((name, who_holds()))


def note_thread(name):
    log.append((name, threading.current_thread().name))


def gate(name):
    """Has the module of that name wait; gives what it sets when it is there, and what it waits for."""
    gates[name] = threading.Event(), threading.Event()
    return gates[name]


def wait_at_gates(name):
    note_thread(name)
    if name in gates and not gates[name][1].is_set():
        gates[name][0].set()
        gates[name][1].wait(30)


@case
def all_at_once():
    sys.seen = note_locks
    load("family.branch.leaf")


@case
def one_after_the_other():
    sys.seen = note_locks
    for name in ("family", "family.branch", "family.branch.leaf"):
        load(name)


@case
def only_the_innermost_looks():
    sys.seen = lambda name: note_locks(name) if name.endswith(("twin", "leaf")) else None
    load("family.branch.leaf")


@case
def by_importlib():
    sys.seen = note_locks
    importlib.import_module("family.branch.leaf")


@case
def again_from_within():
    def seen(name):
        note_locks(name)
        if name == "family.branch":
            load("family.branch.leaf")
            load("family.branch")

    sys.seen = seen
    load("family.branch.leaf")


@case
def again_after_it_was_taken_out():
    def seen(name):
        note_locks(name)
        if name == "family.branch" and log.count(name) == 0:
            log.append(name)
            del sys.modules[name]
            load("family.branch.leaf")

    sys.seen = seen
    load("family.branch.leaf")


def others_wait(name, *texts):
    there, go_on = gate(name)
    sys.seen = wait_at_gates
    threads = [in_thread("first", "import family.branch.leaf")]
    there.wait(30)
    for number, text in enumerate(texts):
        threads.append(in_thread(f"other {number}", text))
    threads[-1].join(0.3)
    log.append([each.is_alive() for each in threads])
    go_on.set()
    for each in threads:
        each.join()
    log[:] = sorted(log, key=str)


@since_3_15
def others_wait_for_the_top():
    others_wait("family", "import family.branch.twin", "import family", "import family.sibling")


@since_3_15
def others_wait_for_the_package():
    others_wait("family.branch", "import family.branch.twin", "import family.sibling", "from family import branch")


@case
def others_wait_in_importlib():
    others_wait("family.branch", "import importlib; importlib.import_module('family.branch.leaf')")


@since_3_15
def each_waits_for_the_other():
    there, go_on = gate("family")
    sys.seen = wait_at_gates
    sys.told = sys.parent = int
    first = in_thread("first", "import family")
    there.wait(30)

    def parent():
        go_on.set()
        first.join(0.3)
        import family.branch.leaf

    sys.parent = parent
    load("parent.child", parent=parent)
    first.join()
    log[:] = sorted(log, key=str)


@case
def fails_in_the_midst():
    def seen(name):
        if name == "family.branch":
            raise ValueError(name)

    sys.seen = seen
    load("family.branch.leaf")
    log.append(who_holds())
    sys.seen = note_locks
    load("family.branch.leaf")


# What says that a parent is loaded.


@case
def parent_of_another_class():
    class Module(types.ModuleType):
        pass

    load("family")
    sys.modules["family"].__class__ = Module
    sys.seen = note_locks
    load("family.branch.leaf")


@case
def parent_without_a_spec():
    load("family")
    sys.modules["family"].__spec__ = None
    sys.seen = note_locks
    load("family.branch.leaf")
    del sys.modules["family"].__spec__
    load("family.branch.none")


@case
def parent_with_a_spec_of_others():
    class Spec:
        _initializing = True
        _uninitialized_submodules = []

    load("family")
    sys.modules["family"].__spec__ = Spec()
    sys.seen = note_locks
    load("family.branch.leaf")


@case
def parent_that_says_it_is_loading():
    load("family")
    sys.modules["family"].__spec__._initializing = True
    sys.seen = note_locks
    load("family.branch.leaf")
    sys.modules["family"].__spec__._initializing = "so to speak"
    load("family.branch.twin")


@case
def parent_is_none():
    sys.modules["family"] = None
    sys.seen = note_locks
    load("family.branch.leaf")


@case
def locks_made_by_hand():
    lock = bootstrap._get_module_lock("family")
    lock.acquire()
    sys.seen = note_locks
    load("family.branch.leaf")
    log.append(who_holds())
    lock.release()


# What 3.15 does besides.


@since_3_15
def lazy_submodules():
    names = {}
    exec("lazy import family.branch.leaf\nlazy from family.branch import twin", names)
    sys.seen = note_locks
    load("family.branch")
    log.append([each for each in sorted(sys.lazy_modules) if each.startswith("family")])
    exec("print(family.branch.leaf.value, twin.value)", names)
    log.append([each for each in sorted(sys.lazy_modules) if each.startswith("family")])


@since_3_15
def lazy_submodule_fails():
    def seen(name):
        note_locks(name)
        if name.endswith("leaf"):
            raise ValueError(name)

    names = {}
    exec("lazy import family.branch.leaf\nlazy import family.branch.none as none", names)
    sys.seen = seen
    for text in ("family.branch.leaf", "none", "family.branch.twin"):
        try:
            exec(text, names)
        except Exception as error:
            log.append((type(error).__name__, str(error), type(error.__cause__).__name__, str(error.__cause__)))
    log.append([each for each in sorted(sys.lazy_modules) if each.startswith("family")])


def show_warning(message, category, filename, lineno, file=None, line=None):
    log.append((str(message), category.__name__, filename.rpartition("/")[2], lineno))


@since_3_15
def lazy_attributes_fail():
    import _imp

    def fail(*arguments):
        raise ValueError(arguments[1])

    warnings.simplefilter("always")
    warnings.showwarning = show_warning

    def seen(name):
        if name == "family.branch":
            _imp._set_lazy_attributes = fail

    sys.seen = seen
    load("family.branch.leaf")
    warnings.simplefilter("error")
    load("told")


@since_3_15
def lazy_attributes_are_interrupted():
    import _imp

    def fail(*arguments):
        raise KeyboardInterrupt(arguments[1])

    def seen(name):
        if name == "family.branch":
            _imp._set_lazy_attributes = fail

    sys.seen = seen
    load("family.branch.leaf")
    log.append(who_holds())


@case
def parent_refuses_its_child():
    class Module(types.ModuleType):
        def __setattr__(self, name, value):
            raise AttributeError(name)

    warnings.simplefilter("always")
    warnings.showwarning = show_warning

    def seen(name):
        if name == "family.branch":
            sys.modules[name].__class__ = Module

    sys.seen = seen
    load("family.branch.leaf")
    load("family.sibling")


@case
def audit_is_replaced():
    sys.audit = noting(sys.audit)
    load("family.branch.leaf")


@case
def audit_hooks():
    sys.addaudithook(lambda event, arguments: log.append((event, arguments[0])) if event == "import" else None)
    load("family.branch.leaf")


@case
def namespace_path_is_replaced():
    import importlib._bootstrap_external as external

    def seen(name):
        if name == "family.branch":
            for each in ("NamespacePath", "_NamespacePath"):
                if hasattr(external, each):
                    setattr(external, each, noting(getattr(external, each)))

    sys.seen = seen
    load("family.branch.leaf")
    load("family.bare")


@case
def watchers_are_cleared():
    """Dictionaries are watched for changes of importlib where they have no version; anyone can end that."""
    try:
        from _testcapi import clear_dict_watcher
    except ImportError:
        clear_dict_watcher = None
    load("plain")
    for number in range(3, 8) if clear_dict_watcher else ():
        try:
            clear_dict_watcher(number)
        except ValueError:
            pass
    bootstrap._find_spec = noting(bootstrap._find_spec)
    load("family.branch.leaf")


if __name__ == "__main__":
    main()
