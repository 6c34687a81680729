"""Memory that runs out at each allocation of an import, a reload, namedtuple(), a dataclass, re.compile(): what comes of it.
Each attempt is a process of its own (a fork). Prints a line of JSON for each action: how often there was which outcome.

    python no_memory.py LIMIT [ACTION ...]      LIMIT: at most so many allocations of each action are made to fail
"""

import _testcapi
import collections
import dataclasses
import importlib
import importlib.util
import json
import os
import re
import signal
import sys
import textwrap

sys.dont_write_bytecode = True
STATEMENTS = {
    "import": "import json.decoder, sched\nassert json.decoder.JSONDecoder and sched.scheduler",
    "import of a package": "import xml.dom.minidom\nassert xml.dom.minidom.parse",
    "from": "from email import message\nassert message.Message",
    "import of nothing": "try:\n    import there_is_none\nexcept ModuleNotFoundError:\n    pass\nelse:\n    assert 0",
    "import of no submodule": "try:\n    import json.nothing\nexcept ModuleNotFoundError:\n    pass\nelse:\n    assert 0",
    "import_module": "assert importlib.import_module('graphlib').TopologicalSorter",
    "reload": "assert importlib.reload(textwrap).TextWrapper",
    "find_spec": "assert importlib.util.find_spec('csv').origin.endswith('csv.py')",
    "get_code": "assert textwrap.__loader__.get_code('textwrap').co_consts",
    "namedtuple": "assert collections.namedtuple('Point', 'x y')(1, 2) == (1, 2)",
    "dataclass": "assert dataclasses.make_dataclass('Point', ['x', 'y'], frozen=True)(1, 2).y == 2",
    "re.compile": "re.purge()\nassert re.compile(textwrap.TextWrapper.wordsep_re.pattern, re.VERBOSE).match('a')",
    "another re.compile": "re.purge()\nassert re.compile('[a-f](?P<name>.)*\\\\b').match('ab')",
    "threads": "import threading, queue\nassert queue.Queue",
}
FORGOTTEN = ("json.decoder", "json", "sched", "xml", "email", "graphlib")
for name in list(sys.modules):
    if name in FORGOTTEN or name.startswith(("xml.", "email.", "json.")):
        if name not in ("json",):
            del sys.modules[name]


def attempt(code, start, stop):
    """How it ends: `done` or an exception; and how it does when there is memory again."""
    scope = dict(globals())
    failure = None
    _testcapi.set_nomemory(start, stop)
    try:
        exec(code, scope)
        _testcapi.remove_mem_hooks()
    except BaseException as error:
        _testcapi.remove_mem_hooks()
        failure = error
    first = "done" if failure is None else type(failure).__name__
    if not isinstance(failure, (MemoryError, type(None))):
        first += f": {failure}"
    try:
        exec(code, dict(globals()))
    except BaseException as error:
        return f"{first}, then {type(error).__name__}: {error}"
    return first


def in_child(code, start, stop):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        # Without memory at all, CPython's own handlers of exceptions may go round and round.
        signal.setitimer(signal.ITIMER_PROF, 0.5)
        signal.alarm(60)  # instead of a deadlock
        os.write(write, attempt(code, start, stop).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as file:
        said = file.read()
    status = os.waitpid(child, 0)[1]
    return said if status == 0 else f"ended with {status}"


def allocations(code):
    """How many there are, about: from so many on it no longer fails."""
    high = 64
    while in_child(code, high, 0) != "done" and high < 1 << 20:
        high *= 2
    low = high // 2
    while high - low > 8:
        middle = (low + high) // 2
        low, high = (low, middle) if in_child(code, middle, 0) == "done" else (middle, high)
    return high


def starts(count, limit):
    """All, or the first and a spread of the others."""
    if count <= limit:
        return range(1, count + 1)
    half = limit // 2
    return [*range(1, half + 1), *(half + 1 + i * (count - half) // half for i in range(half))]


limit = int(sys.argv[1])
for what in sys.argv[2:] or STATEMENTS:
    code = compile(STATEMENTS[what], f"<{what}>", "exec")
    count = allocations(code)
    outcomes = collections.Counter()
    for start in starts(count, limit):
        for times in (1, 3):
            outcomes[in_child(code, start, start + times)] += 1
    for start in starts(count, limit // 20):
        outcomes[in_child(code, start, 0)] += 1
    print(json.dumps([what, count, outcomes]), flush=True)
