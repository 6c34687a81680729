"""Imports that other threads, signals, forks, the garbage collector and destructors come into (see observed.py)."""

import _thread
import gc
import importlib
import importlib._bootstrap as bootstrap
import importlib.machinery as machinery
import os
import signal
import sys
import threading
import time
import types
import warnings

from observed import case, load, log, main, noting, replace


warnings.simplefilter("ignore", DeprecationWarning)  # about forks of processes with threads


def in_thread(function, *arguments):
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread


def is_waited_for(name):
    """Whether a thread waits for the lock of a module."""
    reference = bootstrap._module_locks.get(name)
    lock = reference and reference()
    return lock is not None and bool(lock.waiters)


def wait_until(condition):
    for _ in range(5000):
        if condition():
            return
        time.sleep(0.002)
    raise RuntimeError("it never came to that")


def imported(name):
    try:
        __import__(name)
    except BaseException as error:
        log.append((name, type(error).__name__, str(error)))
    else:
        log.append((name, getattr(sys.modules.get(name), "value", None)))


def while_waited_for(does):
    """Imports a module that another thread waits for, and has it do something then."""
    waiting = []

    def told():
        sys.told = int
        waiting.append(in_thread(imported, "told"))
        wait_until(lambda: is_waited_for("told"))
        does()

    load("told", told=told)
    waiting[0].join(1)
    print("waits for ever" if waiting[0].is_alive() else "ended")


def fail(error):
    try:
        raise error
    finally:
        del error  # which holds this frame


@case
def waited_for():
    while_waited_for(int)


@case
def fails_while_waited_for():
    while_waited_for(lambda: fail(ValueError("no")))


@case
def replaced_while_waited_for():
    while_waited_for(lambda: sys.modules.update(told=types.SimpleNamespace(value="another")))


@case
def gone_while_waited_for():
    while_waited_for(lambda: sys.modules.pop("told"))


class Identity(int):
    """Of a thread; comparing it raises once it is armed."""

    armed = None

    def __eq__(self, other):
        error, Identity.armed = Identity.armed, None
        if error is not None:
            raise error
        return int(self) == int(other)

    def __ne__(self, other):
        return not self == other

    __hash__ = int.__hash__


for error in (KeyboardInterrupt("released"), ValueError("released"), MemoryError()):

    def release(error=error, also=None):
        usual = _thread.get_ident
        _thread.get_ident = lambda: Identity(usual())

        def arm():
            Identity.armed = error
            if also is not None:
                raise also

        while_waited_for(arm)

    release.__name__ = f"{type(error).__name__}-when-a-lock-is-released"
    case(release)


@case
def interrupt_when_a_lock_is_released_after_a_failure():
    usual = _thread.get_ident
    _thread.get_ident = lambda: Identity(usual())

    def arm():
        Identity.armed = KeyboardInterrupt("released")
        raise ValueError("no")

    def told():
        sys.told = int
        in_thread(imported, "told")
        wait_until(lambda: is_waited_for("told"))
        arm()

    sys.told = told
    try:
        import told
    except BaseException as error:
        print(type(error).__name__, error, repr(error.__context__), error.__cause__)


@case
def no_identity():
    usual = _thread.get_ident
    del _thread.get_ident
    load("plain")
    _thread.get_ident = lambda: fail(KeyboardInterrupt("who"))
    load("plain")
    _thread.get_ident = usual
    load("plain")


@case
def no_identity_meanwhile():
    usual = _thread.get_ident

    def remove():
        del _thread.get_ident

    load("parent.child", parent=remove)
    _thread.get_ident = usual
    load("parent.child")


@case
def another_thread_module():
    usual = bootstrap._thread

    class Threads:
        def __getattr__(self, name):
            log.append(name)
            return getattr(usual, name)

    def change():
        bootstrap._thread = Threads()

    load("parent.child", parent=change)
    bootstrap._thread = usual
    load("circle")


@case
def locks_that_others_left():
    for name in ("plain", "parent"):
        bootstrap._module_locks[name] = lambda: None
    load("plain")
    load("parent.child")
    lock = bootstrap._ModuleLock("told")
    bootstrap._module_locks["told"] = lambda: lock
    lock.acquire()
    load("told")
    lock.release()
    del bootstrap._module_locks["told"]


@case
def crossing():
    met = threading.Barrier(2)
    names = ["one", "two"]

    def meet():
        if len(names) > 0:
            names.pop()
            met.wait(10)

    sys.meet = meet
    import crossing as package

    threads = [in_thread(imported, f"crossing.{name}") for name in ("one", "two")]
    for each in threads:
        each.join()
    log.sort()
    print(sorted(vars(package).keys() & {"one", "two"}))


@case
def many_threads():
    sys.setswitchinterval(1e-6)
    sys.told = sys.parent = lambda: time.sleep(0.002)
    for _ in range(20):
        for name in ("plain", "parent", "parent.child", "told", "circle", "circle.first", "circle.second"):
            sys.modules.pop(name, None)
        threads = [in_thread(imported, name) for name in ("parent.child", "told", "circle", "plain") for _ in range(3)]
        for each in threads:
            each.join()
    log[:] = sorted(set(log))


@case
def forks():
    def fork(name):
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            load(name)
            load("circle")
            print(sorted(bootstrap._module_locks), flush=True)
            os._exit(0)
        print("child", os.waitpid(child, 0)[1])

    load("told", told=lambda: fork("told"))
    load("parent.child", parent=lambda: fork("parent.child"))


@case
def fork_in_a_thread():
    """While the main thread imports: its lock is nobody's in the child."""
    done = threading.Event()

    def child():
        process = os.fork()
        if process == 0:
            load("plain")
            load("circle")
            print("told" in sys.modules, flush=True)
            os._exit(0)
        log.append(os.waitpid(process, 0)[1])
        done.set()

    def told():
        sys.told = int
        sys.stdout.flush()
        in_thread(child)
        done.wait(30)

    load("told", told=told)


@case
def signals():
    def handler(number, frame):
        log.append("handler")
        load("circle")

    signal.signal(signal.SIGUSR1, handler)
    load("told", told=lambda: signal.raise_signal(signal.SIGUSR1))
    signal.signal(signal.SIGUSR1, lambda number, frame: fail(KeyboardInterrupt("signal")))
    load("parent.child", parent=lambda: signal.raise_signal(signal.SIGUSR1))
    load("parent.child")


@case
def signals_at_any_time():
    signal.signal(signal.SIGALRM, lambda number, frame: fail(KeyboardInterrupt("signal")))
    sys.unraisablehook = lambda unraisable: None  # callbacks of weak references are interrupted, too
    sys.told = sys.parent = int
    names = ("plain", "parent", "parent.child", "told", "circle", "circle.first", "circle.second")
    for attempt in range(300):
        for name in names:
            sys.modules.pop(name, None)
        try:
            signal.setitimer(signal.ITIMER_REAL, 1e-5 * (attempt % 60 + 1))
            for name in names:
                __import__(name)
            signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            pass
        signal.setitimer(signal.ITIMER_REAL, 0)
    for name in names:
        load(name)
    bootstrap._module_locks.clear()  # what an interrupted importlib leaves there depends on the moment


class Dying:
    def __init__(self, does):
        self.does = does

    def __del__(self):
        log.append("dies")
        self.does()


@case
def destructors():
    sys.modules["told"] = Dying(lambda: load("plain"))
    sys.told = int
    del sys.modules["told"]
    load("told", told=lambda: sys.modules.__setitem__("told", Dying(lambda: load("circle"))))
    sys.modules.pop("told")
    load("parent.child", parent=lambda: vars(sys.modules["parent"]).update(child=Dying(lambda: load("parent.child"))))


@case
def destructor_patches():
    def change():
        vars(sys.modules["parent"])["__path__"] = list(sys.modules["parent"].__path__)
        sys.path_importer_cache["nowhere"] = Dying(lambda: replace(machinery.SourceFileLoader, "exec_module"))
        del sys.path_importer_cache["nowhere"]

    load("parent.child", parent=change)


@case
def collector():
    """Imports whenever it runs, which is at any allocation."""
    busy = []

    def collected(phase, information):
        if not busy:
            busy.append(True)
            for name in ("plain", "circle"):
                __import__(name)
            busy.clear()

    gc.callbacks.append(collected)
    gc.set_threshold(1, 1, 1)
    load("parent.child")
    load("told")
    gc.set_threshold(0)
    gc.callbacks.remove(collected)
    load("plain")
    load("circle")


@case
def finder_ends_it():
    class Ending:
        def find_spec(self, name, path=None, target=None):
            sys.meta_path.remove(self)
            raise SystemExit(name)

    sys.meta_path.insert(0, Ending())
    load("plain")
    load("plain")
    sys.meta_path.append(Ending())
    load("parent.child")
    load("parent.child")


@case
def finder_imports():
    class Importing:
        def find_spec(self, name, path=None, target=None):
            log.append(("asked", name))
            if name == "plain":
                return None
            import plain

    sys.meta_path.insert(0, Importing())
    load("parent.child")
    load("told")


@case
def finder_imports_the_same():
    class Importing:
        def find_spec(self, name, path=None, target=None):
            log.append(("asked", name))
            if log.count(("asked", name)) == 1:
                __import__(name)
                sys.modules.pop("plain", None)

    sys.meta_path.insert(0, Importing())
    load("parent.child")
    load("told")


@case
def thread_loads_through_importlib():
    """One in C, one in Python, of the same module."""
    waiting = []

    def told():
        sys.told = int
        waiting.append(in_thread(lambda: log.append(importlib.import_module("told").value)))
        wait_until(lambda: is_waited_for("told"))

    load("told", told=told)
    waiting[0].join()
    sys.modules.pop("told")
    started, go_on = threading.Event(), threading.Event()

    def slowly():
        started.set()
        go_on.wait(10)

    sys.told = slowly
    thread = in_thread(importlib.import_module, "told")
    started.wait(10)
    other = in_thread(imported, "told")
    wait_until(lambda: is_waited_for("told"))
    go_on.set()
    thread.join()
    other.join()


@case
def subinterpreter():
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters

    def told():
        child = interpreters.create()
        sys.stdout.flush()
        interpreters.run_string(child, "import plain, sys; print(plain.value, flush=True)")
        interpreters.destroy(child)

    load("told", told=told)
    load("plain")


main()
