"""Threads that import the same and different modules while one of them is being imported, forks in the middle of an
import, and threads that die with the process."""

import os
import subprocess
import sys
import threading
import time

from observe import PACKAGES, describe, plain, tell

sys.path.insert(0, PACKAGES)


def in_thread(function, *arguments, daemon=False):
    result = []

    def work():
        try:
            result.append(function(*arguments))
        except BaseException as error:
            result.append(describe(error))

    thread = threading.Thread(target=work, daemon=daemon)
    thread.start()
    return thread, result


def slow():
    started = threading.Event()
    sys.slow_module_started = [started]
    sys.modules.pop("slow_module", None)
    thread, result = in_thread(lambda: __import__("slow_module").value)
    started.wait()
    return thread, result


# The same module: others wait for it.
thread, result = slow()
begin = time.monotonic()
import slow_module

tell("waited", [slow_module.value, time.monotonic() - begin > 0.1])
thread.join()
tell("the thread", result)

# From-import, import of another module, of a missing one, and of a package's child meanwhile.
thread, result = slow()
from slow_module import value
import plain, package.inner.deep

tell("others meanwhile", [value, plain.__name__, package.inner.deep.__name__])
try:
    import there_is_no_such_module
except ImportError as error:
    tell("missing meanwhile", describe(error))
thread.join()

# Many at once.
for name in ("slow_module", "json.decoder", "json"):
    sys.modules.pop(name, None)
sys.slow_module_started = []
threads = [in_thread(lambda: __import__("slow_module").value) for _ in range(8)]
for thread, _ in threads:
    thread.join()
tell("many", [result for _, result in threads])

# Two threads that begin at different ends of a circle: the deadlock is noticed, one of them sees half a module.
a, result_a = in_thread(lambda: __import__("slow_circle_a").value)
time.sleep(0.02)
b, result_b = in_thread(lambda: __import__("slow_circle_b").value)
a.join(10)
b.join(10)
tell("circle", [a.is_alive(), b.is_alive(), result_a, result_b])

# Locks of importlib.
import _frozen_importlib

tell("locks left", sorted(_frozen_importlib._module_locks))

# A lock that somebody asks for while the module is loaded.
thread, result = slow()
lock = _frozen_importlib._get_module_lock("slow_module")
tell("lock", [lock.name, lock.owner == thread.ident])
del lock
_frozen_importlib._lock_unlock_module("slow_module")
tell("unlocked", [sys.modules["slow_module"].value])
thread.join()

# Fork while another thread imports; the child starts threads, which reuse the stacks of those that are gone.
thread, result = slow()
if hasattr(os, "fork"):
    import warnings

    warnings.simplefilter("ignore", DeprecationWarning)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            def busy(depth):
                block = [bytearray(1000) for _ in range(100)]
                return busy(depth - 1) if depth else len(block)

            def work():
                busy(50)
                import colorsys, graphlib, there_is_none

            seen = []
            for _ in range(5):
                workers = [in_thread(work) for _ in range(4)]
                for each, _ in workers:
                    each.join(10)
                seen += [each.is_alive() for each, _ in workers]
                for name in ("colorsys", "graphlib", "json.decoder"):
                    sys.modules.pop(name, None)
            import json.decoder, sched

            code = 10 + any(seen)
        finally:
            os._exit(code)
    tell("forked", os.waitpid(child, 0)[1])
thread.join()

# The process ends while a daemon thread imports; what is imported while it ends works.
program = """
import sys, threading
sys.path.insert(0, %r)
started = threading.Event()
sys.slow_module_started = [started]
def work():
    try:
        import slow_module
    finally:
        print("not reached")
for _ in range(6):
    threading.Thread(target=work, daemon=True).start()
started.wait()
class Late:
    def __del__(self, load=__import__):
        import time
        time.sleep(0.5)
        try:
            import plain
            import graphlib
            print("late", plain.value())
        except BaseException as error:
            print(type(error).__name__, error)
keep = sys.keep = Late()
import atexit
@atexit.register
def last():
    import shadowed
    print("atexit", shadowed.where)
"""
for _ in range(3):
    done = subprocess.run([sys.executable, "-c", program % PACKAGES], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    tell("ended", [done.returncode, done.stdout])
