"""What the programs beside this share: each of their cases in a process of its own (a fork), and what it saw.

    python PROGRAM [NAME ...]
"""

import faulthandler
import importlib._bootstrap as bootstrap
import os
import sys

sys.dont_write_bytecode = True
log = []
CASES = {}
OURS = ("plain", "parent", "circle", "told", "crossing", "family")


def case(function):
    CASES[function.__name__.replace("_", "-")] = function


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
        seen = f"{type(error).__name__} {error}"
    else:
        seen = getattr(sys.modules.get(name), "value", None)
    sys.stdout.write(f"{name} {seen}\n")  # at once: there may be threads


def see(name):
    faulthandler.dump_traceback_later(60, exit=True)  # instead of a deadlock
    CASES[name]()
    print(log)
    ours = [each for each in sys.modules or () if each.partition(".")[0] in OURS]
    print(sorted(bootstrap._module_locks), sorted(ours), flush=True)
    os._exit(0)


def main():
    for name in sys.argv[1:] or CASES:
        print("==", name, flush=True)
        child = os.fork()
        if child == 0:
            see(name)
        status = os.waitpid(child, 0)[1]
        if status != 0:
            print("ended with", status)
