"""Imports by greenlets and by threads, of the same modules at the same time. What is printed does not depend on who comes
first.

    python imports.py gevent|eventlet early|late|during
"""

import faulthandler
import sys
import threading

sys.dont_write_bytecode = True
faulthandler.dump_traceback_later(60, exit=True)  # instead of a deadlock

import greens

MANY = 5
NAMES = ("slow", "circle", "circle.first", "circle.second", "slow_parent", "slow_parent.child", "raising", "graphlib", "json.decoder")


def load(name):
    try:
        __import__(name)
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    module = sys.modules.get(name)  # gone where another greenlet has raised meanwhile
    if module is None:
        return f"{name} is gone"
    return name, module.__spec__.name, getattr(module, "value", None), sorted(each for each in vars(module) if each[0] != "_")


def forget():
    for name in NAMES:
        sys.modules.pop(name, None)
    sys.loaded = []


def locks():
    import _frozen_importlib

    return sorted(_frozen_importlib._module_locks)


def tell(what, values):
    values = list(values)
    print(what, len(values), sorted({str(each) for each in values}), "loaded", sorted(sys.loaded), "locks", locks(), flush=True)


def everything(when):
    for name in NAMES:
        forget()
        tell(f"{when}: greenlets, {name}", greens.results([greens.spawn(load, name) for _ in range(MANY)]))
    forget()
    tell(f"{when}: greenlets, all", greens.results([greens.spawn(load, name) for _ in range(MANY) for name in ("slow", "slow_parent.child", "graphlib")]))
    forget()
    waiting = [greens.in_native_thread(load, "slow") for _ in range(MANY)]
    tell(f"{when}: native threads", [get() for get in waiting])
    forget()
    waiting = [greens.in_native_thread(load, name) for name in ("slow_parent.child", "graphlib", "json.decoder")]
    tell(f"{when}: natives beside greenlets", greens.results([greens.spawn(load, "slow") for _ in range(MANY)]) + [get() for get in waiting])
    forget()
    found = []
    threads = [threading.Thread(target=lambda: found.append(load("slow"))) for _ in range(MANY)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    tell(f"{when}: threading", found)
    forget()
    killed = greens.spawn(load, "slow")
    greens.sleep(0)
    killed.kill()
    tell(f"{when}: killed in the midst", [load("slow"), "slow" in sys.modules])


when = sys.argv[2]
if when == "early":
    greens.patch()
elif when == "late":
    sys.loaded = []
    # Threads that were there before: one of them is in the midst of an import.
    started = threading.Event()
    sys.slow_started = started.set
    before = threading.Thread(target=load, args=("slow",))
    before.start()
    started.wait()
    del sys.slow_started
    before.join()
    for name in ("circle", "raising", "slow_parent.child"):
        print(load(name))
    greens.patch()
else:
    # A package that patches while it is imported, between its submodules: a worker class, a settings module.
    sys.loaded = []
    sys.patch = greens.patch
    import patching.last

    print(sorted(name for name in sys.modules if name.startswith("patching")), locks())
everything(when)
faulthandler.cancel_dump_traceback_later()
