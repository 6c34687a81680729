"""Many threads import many modules at once, again and again."""

import random
import typing  # 3.14 itself cannot have it imported by several threads at once
import sys
import threading

from scenario import MODULES, answer, functions

THREADS = 12
ROUNDS = 6
KEPT = set(sys.modules)
failures = []


def work(seed, barrier, seen):
    names = MODULES.copy()
    random.Random(seed).shuffle(names)
    barrier.wait()
    for name in names:
        try:
            __import__(name)
            seen.add((name, id(sys.modules[name])))
        except BaseException as error:
            failures.append(f"{name}: {type(error).__name__}: {error}")


sys.setswitchinterval(1e-6)
for round in range(ROUNDS):
    for name in set(sys.modules) - KEPT:
        del sys.modules[name]
    barrier = threading.Barrier(THREADS)
    seen = [set() for _ in range(THREADS)]
    threads = [threading.Thread(target=work, args=(f"{round} {i}", barrier, seen[i])) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if any(each != seen[0] for each in seen):
        failures.append("threads saw different modules")

modules = {name: sys.modules[name] for name in MODULES}
decoded = modules["json"].loads('{"a": [1, 2.5, null, "\\u20ac"]}')
static = [f.__code__ for m in modules.values() for f in functions(m).values() if f.__code__.co_filename == m.__file__]
answer([failures, decoded, {name: sorted(functions(module)) for name, module in modules.items()}], static)
