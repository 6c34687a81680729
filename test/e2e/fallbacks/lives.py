"""One of three lives of an embedded Python (see lives.c): only the first has static code, and all behave the same."""

import os
import sys

life = int(sys.argv[1])
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scenario import MODULES, answer, functions, module_code

import atexit
import importlib
import json
import threading
import weakref

# These bring extension modules (_datetime, _ssl) that 3.12.1 itself does not survive to initialise a second time.
MODULES = [name for name in MODULES if name not in ("asyncio", "calendar", "datetime", "http.client", "ssl")]
modules = [importlib.import_module(name) for name in MODULES]
for _ in range(200):
    json.loads('{"a": [1, 2.5, "x"]}')
    sys.modules["textwrap"].fill("some words that are wrapped", 9)
kept = [weakref.ref(module_code(name)) for name in MODULES]
threading.Thread(target=json.dumps, args=([1],)).start()
atexit.register(lambda: __import__("csv").list_dialects())
reason = "first"
try:
    import _flashfreeze

    reason = _flashfreeze.info()["inactive_because"]
except ImportError:
    pass
codes = [f.__code__ for m in modules for f in functions(m).values() if f.__code__.co_filename == m.__file__]
same = [life, json.dumps(json.loads('{"a": [1, 2.5, "x"]}')), sum(map(len, map(functions, modules)))]
same.append(reason if reason not in (None, "first", "the interpreter was finalised once") else "")
answer(same, codes)
