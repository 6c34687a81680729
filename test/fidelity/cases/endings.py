"""Imports at the ends of an interpreter's life, in forks and in subinterpreters."""

import os
import subprocess
import sys

from observe import PACKAGES, attempt, tell

sys.path.insert(0, PACKAGES)


def python(what, program, *options):
    done = subprocess.run([sys.executable, *options, "-c", f"import sys; sys.path.insert(0, {PACKAGES!r})\n{program}"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    tell(what, [done.returncode, done.stdout, done.stderr])


python("atexit", "import atexit\n@atexit.register\ndef _():\n    import plain, package.first; print(plain.__file__, package.first.value)")
python("module teardown", """
class Late:
    def __del__(self):
        try:
            import plain
            print(plain)
        except BaseException as error:
            print(type(error).__name__, error)
late = Late()
""")
python("sys teardown", """
class Late:
    def __del__(self):
        try:
            import json.decoder, graphlib
            print(graphlib)
        except BaseException as error:
            print(type(error).__name__, error)
sys.late = Late()
""")
python("after modules are gone", """
class Late:
    def __del__(self, __import__=__import__, print=print):
        try:
            print(__import__("plain"))
        except BaseException as error:
            print(type(error), error)
import builtins
builtins.late = Late()
sys.modules["late"] = Late()
""")
python("uncaught", "import raising")
python("uncaught below", "import raising_child.child")
python("uncaught missing", "import there_is_no_such_module")
python("uncaught in function", "import plain; plain.fail()")
python("uncaught through import_module", "import importlib; importlib.import_module('raising_child.child')")
python("uncaught chained", "import raising_chain")
python("exit", "import exiting")
python("warnings", "import warning", "-W", "always")
python("warnings are errors", "import warning", "-W", "error")
python("import warnings are errors", "sys.meta_path.clear()\nimport graphlib", "-W", "error")
python("import warnings are errors, not frozen", "sys.meta_path.clear()\nimport there_is_none", "-W", "error")
python("no path hook", "sys.path_hooks.clear(); sys.path_importer_cache.clear()\nimport there_is_none", "-W", "error")
python("closed parent", "import replacing_parent.child", "-W", "error")
python("closed parent, always", "import replacing_parent.child", "-W", "always")
python("unraisable", "import plain\nclass A:\n    def __del__(self): plain.fail()\nA()")
python("threads", "import threading, plain\nthreading.Thread(target=plain.fail).start()")
python("interrupted", "import signal, os\nsignal.raise_signal(signal.SIGINT)\nimport plain")
python("alarm in an import", "import signal\nsignal.signal(signal.SIGALRM, lambda *_: 1/0)\nsignal.setitimer(signal.ITIMER_REAL, 0.1)\nimport slow_module")
python("isolated", "import plain, json; print(plain.__file__, json.__file__)", "-I")
python("without site", "import plain, json; print(plain.__file__, json.__file__, sys.path)", "-S")
python("dev mode", "import plain, json; print(plain.__file__, json.__file__)", "-X", "dev")
python("recursion", "sys.setrecursionlimit(sys.getrecursionlimit())\ndef f(n):\n    if n: return f(n - 1)\n    import package.inner.deep\nf(50); print(sorted(n for n in sys.modules if n.startswith('package')))")

import warnings

warnings.simplefilter("ignore", DeprecationWarning)
import plain

child = os.fork()
if child == 0:
    try:
        import package.first, json.tool, there_is_none
    except ImportError as error:
        os._exit(20 + len(error.name))
    os._exit(1)
tell("after fork", os.waitpid(child, 0)[1])
tell("still here", plain.value())

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
program = f"""
import sys
sys.path.insert(0, {PACKAGES!r})
import json.decoder, package.inner.deep, graphlib, plain
names = sorted(n for n in sys.modules if n.partition('.')[0] in ('json', 'package', 'graphlib', 'plain'))
import os
os.write({{}}, repr((plain.__file__, plain.__spec__, plain.value.__code__.co_filename, names)).encode())
try:
    import raising
except ValueError as error:
    os.write({{}}, repr((str(error), [t.tb_lineno for t in [error.__traceback__]])).encode())
"""
for _ in range(2):
    read, write = os.pipe()
    one = interpreters.create()
    attempt("run", lambda: interpreters.run_string(one, program.format(write, write)) and None)
    interpreters.destroy(one)
    os.close(write)
    tell("subinterpreter", os.read(read, 100000).decode())
    import package.inner.deep, colorsys

    for name in [name for name in sys.modules if name.startswith("package")]:
        del sys.modules[name]
