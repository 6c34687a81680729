"""Who imports is asked of another function than `_thread.get_ident`: as often, and with the same outcome (see observed.py)."""

import _thread
import importlib
import importlib._bootstrap as bootstrap
import importlib.machinery as machinery
import sys
import threading

from observed import case, load, log, main, noting, replace

usual = _thread.get_ident
ALL = ("plain", "parent.child", "circle", "circle.alone", "parent.missing", "missing")


def ask():
    log.append("who")
    return usual()


def replaced():
    _thread.get_ident = ask


def restored():
    _thread.get_ident = usual


def load_all():
    for name in ALL:
        load(name)
        log.append(name)


@case
def before_the_imports():
    replaced()
    load_all()


@case
def by_a_parent():
    load("parent.child", parent=replaced)
    load_all()


@case
def by_a_module():
    load("told", told=replaced)
    load_all()


@case
def twice():
    def again():
        _thread.get_ident = lambda: (log.append("again"), ask())[1]

    replaced()
    load("parent.child", parent=again)
    load_all()


@case
def and_back():
    replaced()
    load("parent.child", parent=restored)
    load("told", told=replaced)
    load("plain")
    restored()
    load("circle")


@case
def by_a_function_in_C():
    _thread.get_ident = threading.get_native_id
    load_all()


@case
def by_a_module_that_fails():
    def fails():
        replaced()
        raise ValueError("told")

    load("told", told=fails)
    load("parent.child", parent=fails)
    load_all()


@case
def and_a_method_of_loaders():
    replaced()
    replace(machinery.SourceFileLoader, "exec_module")
    load_all()


@case
def and_a_function_of_importlib():
    replaced()
    for name in ("_find_and_load_unlocked", "_lock_unlock_module", "_load_unlocked"):
        replace(bootstrap, name)
    load_all()


@case
def and_the_lock_of_a_module():
    replaced()
    replace(bootstrap, "_get_module_lock")
    load_all()


@case
def by_a_finder():
    class Finder:
        def find_spec(self, name, path=None, target=None):
            log.append(("asked", name))
            replaced()

    sys.meta_path.insert(0, Finder())
    load_all()


@case
def and_somebody_watches():
    def watch(frame, event, argument):
        if frame.f_code is ask.__code__:
            log.append((event, frame.f_code.co_name))
        return watch

    replaced()
    sys.settrace(watch)
    load_all()
    sys.settrace(None)


@case
def and_somebody_watches_meanwhile():
    def watch(frame, event, argument):
        if frame.f_code is ask.__code__:
            log.append((event, frame.f_code.co_name))
        return watch

    def change():
        replaced()
        sys.settrace(watch)

    load("parent.child", parent=change)
    load_all()
    sys.settrace(None)


@case
def and_somebody_listens():
    replaced()
    sys.addaudithook(lambda event, arguments: None)
    load_all()


@case
def imported_by_a_function():
    sys.told = sys.parent = int
    replaced()
    for name in ALL[:3]:
        log.append(importlib.import_module(name).__name__)


@case
def in_threads():
    replaced()
    for name in ALL[:4]:
        thread = threading.Thread(target=load, args=(name,))
        thread.start()
        thread.join()


@case
def waited_for():
    met = threading.Event()
    threads = []

    def told():
        sys.told = int
        threads.append(threading.Thread(target=lambda: (met.set(), __import__("told"))))
        threads[0].start()
        met.wait(30)

    replaced()
    load("told", told=told)
    threads[0].join()
    log.clear()  # whether the thread comes to wait depends on the moment
    load_all()


# From 3.15 on, who is somebody else each time waits for oneself: a submodule's parent is locked twice.
def until_3_14(function):
    return function if sys.version_info >= (3, 15) else case(function)


@until_3_14
def another_each_time():
    numbers = iter(range(1, 1000))
    _thread.get_ident = lambda: next(numbers)
    load("plain")
    load("parent.child")


@until_3_14
def another_from_the_parent_on():
    numbers = iter([1, 1, *range(2, 1000)])
    _thread.get_ident = lambda: next(numbers)
    load("parent.child")
    load("plain")


@case
def none_at_the_end():
    def fails():
        raise KeyError("who")

    def change():
        _thread.get_ident = fails

    for name in ("told", "parent.child"):
        load(name, told=change, parent=change)
        restored()
    load_all()


@case
def none_at_the_end_of_a_failure():
    def fails():
        raise KeyError("who")

    def change():
        _thread.get_ident = fails
        raise ValueError("told")

    sys.told = change
    try:
        import told
    except BaseException as error:
        print(type(error).__name__, error, repr(error.__context__))
    restored()
    load_all()


@case
def while_it_is_asked():
    """It imports, also the very module that is wanted."""

    def imports(name):
        def who():
            restored()
            __import__(name)
            log.append(name)
            _thread.get_ident = who
            return usual()

        return who

    _thread.get_ident = imports("circle")
    load("plain")
    load("circle")
    _thread.get_ident = imports("told")
    sys.told = int
    load("told")
    log.clear()  # a module that it puts there itself is not waited for


@case
def which_replaces_modules():
    def who():
        sys.modules = dict(sys.modules)
        return usual()

    _thread.get_ident = who
    load("plain")
    load("parent.child")


@case
def which_patches_importlib():
    def who():
        log.append("who")
        restored()
        replace(machinery.SourceFileLoader, "exec_module")
        return usual()

    _thread.get_ident = who
    load("plain")
    load("parent.child")


@case
def which_watches():
    def who():
        log.append("who")
        sys.setprofile(lambda frame, event, argument: None)
        return usual()

    _thread.get_ident = who
    load_all()
    sys.setprofile(None)


@case
def asked_of_another_module():
    threads = bootstrap._thread

    class Threads:
        def __getattr__(self, name):
            log.append(name)
            return getattr(threads, name)

    def change():
        bootstrap._thread = Threads()

    load("parent.child", parent=change)
    load_all()
    bootstrap._thread = threads
    load("documented")


main()
