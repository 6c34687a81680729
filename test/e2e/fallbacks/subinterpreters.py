"""Subinterpreters, with the main one's lock and with their own, import everything the ordinary way, also at once."""

import json
import os
import sys
import threading

from scenario import MODULES, answer, module_code

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

WORK = """if 1:
    import sys
    sys.path[:] = %r
    sys.dont_write_bytecode = True
    import json, importlib, os
    modules = [importlib.import_module(name) for name in %r]
    import textwrap, dataclasses
    static = 'none'
    try:
        import _flashfreeze as f
        static = [f.info()['inactive_because'], f.is_static(json.loads.__code__), f.is_static(os.walk.__code__)]
    except ImportError:
        pass
    for _ in range(200):
        json.loads('{"a": [1, 2.5]}'); textwrap.fill('some words', 5)
    os.write(%d, json.dumps([len(modules), json.loads('[1]'), static]).encode() + b'\\n')
"""


def create(own):
    """A new interpreter; None when this version has none of that kind."""
    for arguments, named in (
        ([["legacy", "isolated"][own]], {}),  # 3.13
        ([], {"isolated": own}),  # 3.10 to 3.12, and with an own lock from 3.12 on
    ):
        try:
            return interpreters.create(*arguments, **named)
        except (TypeError, ValueError):
            continue
    return None


def run(own, text):
    each = create(own)
    try:
        failed = (getattr(interpreters, "exec", None) or interpreters.run_string)(each, text)
        return None if failed is None else str(getattr(failed, "formatted", failed))
    finally:
        interpreters.destroy(each)


modules = ["json", "argparse", "dataclasses", "email.message", "logging", "textwrap", "typing"]
found = []
for own in (False, True):
    for at_once in (1, 3):
        read, write = os.pipe()
        text = WORK % (sys.path, modules, write)
        problems = []
        threads = [threading.Thread(target=lambda: problems.append(run(own, text))) for _ in range(at_once)]
        for thread in threads:
            thread.start()
        import argparse, difflib, email.message, http.client, unittest  # in the main interpreter, at the same time

        for thread in threads:
            thread.join()
        os.close(write)
        with open(read) as file:
            lines = [json.loads(line) for line in file]
        found.append([own, at_once, [line[:2] for line in lines], problems])
        for line in lines:
            if line[2] not in ("none", ["not the main interpreter", False, False]):
                found.append(line)
# The main interpreter's own are as they were.
for _ in range(200):
    json.loads('{"a": [1, 2.5]}')
import asyncio, dataclasses, textwrap

answer(found, [json.loads.__code__, module_code("asyncio.events"), module_code("textwrap")])
