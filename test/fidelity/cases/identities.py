"""Threads that importlib knows by other names than the system's: what puts greenlets into their place (gevent, eventlet)
replaces `_thread.get_ident()`, early or in the midst of an import."""

import _thread
import faulthandler
import sys
import threading

import _frozen_importlib

from observe import PACKAGES, run, tell

sys.path.insert(0, PACKAGES)
faulthandler.dump_traceback_later(30, exit=True)  # instead of a deadlock
identity = _thread.get_ident


def forget():
    for name in ("circle_a", "circle_b", "slow_module", "slow_circle_a", "slow_circle_b", "renaming", "renamed", "json.decoder"):
        sys.modules.pop(name, None)


def see(module):
    return [module.__name__, sorted(name for name in vars(module) if not name.startswith("__"))]


def imports(what):
    forget()
    for name in ("circle_a", "slow_circle_b", "package.inner.deep", "json.decoder", "there_is_none"):
        run(f"{what}: {name}", f"import {name}, sys\nresult = see(sys.modules[{name!r}])", see=see)
    tell(f"{what}: locks left", sorted(_frozen_importlib._module_locks))


def owner_of_slow(what):
    """Who holds the lock of a module that another thread loads."""
    forget()
    started = threading.Event()
    sys.slow_module_started = [started]
    thread = threading.Thread(target=__import__, args=("slow_module",))
    thread.start()
    started.wait()
    lock = _frozen_importlib._get_module_lock("slow_module")
    owner = lock.owner
    waiting = threading.Thread(target=__import__, args=("slow_module",))
    waiting.start()
    waiting.join()
    thread.join()
    tell(f"{what}: owner", [owner == name_of(thread.ident), sys.modules["slow_module"].value, lock.owner])


def name_of(ident):
    return ident


imports("by their own names")
owner_of_slow("by their own names")


def name_of(ident):
    return -ident


_thread.get_ident = lambda: name_of(identity())
imports("by other names")
owner_of_slow("by other names")


class Name:
    """Equal to others without being the same."""

    def __init__(self, ident):
        self.ident = ident

    def __eq__(self, other):
        return isinstance(other, Name) and self.ident == other.ident

    def __hash__(self):
        return hash(self.ident)


name_of = Name
imports("by names that are objects")
owner_of_slow("by names that are objects")


def fails():
    raise RuntimeError("nobody")


_thread.get_ident = fails
imports("without names")
_thread.get_ident = identity


def rename_threads():
    """Locks that are held get their owner's new name, as gevent gives it to them."""
    del sys.rename_threads
    before = _thread.get_ident()
    _thread.get_ident = lambda: -identity()
    for reference in list(_frozen_importlib._module_locks.values()):
        lock = reference()
        if lock is not None and lock.owner == before:
            lock.owner = _thread.get_ident()


for what in ("renamed", "renamed again"):
    forget()
    sys.rename_threads = rename_threads
    run(f"{what} in the midst", "import renaming\nresult = see(renaming)", see=see)
    tell(f"{what}: locks left", sorted(_frozen_importlib._module_locks))
    _thread.get_ident = identity
imports("by their own names again")
faulthandler.cancel_dump_traceback_later()
