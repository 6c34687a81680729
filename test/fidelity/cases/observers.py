"""Debuggers, tracers, profilers, audit hooks and the interpreter's own reports of imports."""

import os
import re
import subprocess
import sys

from observe import PACKAGES, name_path, plain, tell, temporary_folder

folder = temporary_folder()
name_path(sys.executable, "<python>")


def python(what, *arguments, input=None, keep=lambda line: line, environment={}):
    done = subprocess.run([sys.executable, *arguments], input=input, cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": PACKAGES, **environment})
    outputs = [[kept for kept in map(keep, text.splitlines()) if kept is not None] for text in (done.stdout, done.stderr)]
    tell(what, [done.returncode, *outputs])


program = os.path.join(folder, "program.py")
with open(program, "w") as file:
    file.write("""import plain
import package.first
import json.decoder, there

def main():
    try:
        plain.fail()
    except KeyError as error:
        print(json.loads('[1, 2]'), package.first.value, there.value, error)

main()
""")
with open(os.path.join(folder, "there.py"), "w") as file:
    file.write("value = 'not frozen'\n")

# -m and friends.
python("-m package", "-m", "package", "a", "b")
python("-m package.first", "-m", "package.first")
python("-m plain", "-m", "plain")
python("-m json.tool", "-m", "json.tool", input='{"a": 1}')
python("-m nothing", "-m", "nothing")
python("-m package.nothing", "-m", "package.nothing")
python("-m spaces", "-m", "spaces")
python("-m raising", "-m", "raising")
python("-m raising_child.child", "-m", "raising_child.child")
python("-m raising_package.child", "-m", "raising_package.child")
python("-i", "-i", "-c", "import plain", input="plain.fail()\nimport raising\nplain.value()\n")
python("a folder", os.path.join(PACKAGES, "package"), "x")
python("the file of a frozen module", os.path.join(PACKAGES, "plain.py"))
python("-x and a file", "-x", program)
python("script", program)
python("-m site", "-m", "sysconfig", keep=lambda line: None)
python("-m inspect", "-m", "inspect", "plain:value")
python("-m inspect --details", "-m", "inspect", "--details", "json.decoder")
python("-m dis", "-m", "dis", os.path.join(PACKAGES, "plain.py"))
python("-m pydoc", "-m", "pydoc", "plain")
python("-m unittest", "-m", "unittest", "plain", keep=lambda line: None if line.startswith("Ran ") else line)
python("-m doctest", "-m", "doctest", os.path.join(PACKAGES, "documented.py"))

# Debuggers.
session = "b plain.py:9\nb json/decoder.py:340\nb package/first.py:4\nc\nw\nl\np value\nc\nw\nc\nlongl\nu\nargs\nc\nq\n"
python("pdb", "-m", "pdb", program, input=session)
python("pdb by function", "-m", "pdb", "-c", "import plain", "-c", "b plain.fail", "-c", "c", "-c", "w", "-c", "s", "-c", "n", "-c", "q", program, input="q\nq\n")
python("pdb, steps into imports", "-m", "pdb", program, input="n\ns\nw\nr\nn\nw\nq\n")
python("breakpoint", "-c", "import plain\nbreakpoint()\nplain.value()", input="s\ns\nl\nw\nr\nq\n")
python("post mortem", "-c", "import pdb, plain, sys\ntry: plain.fail()\nexcept KeyError: pdb.post_mortem(sys.exc_info()[2])", input="w\nl\nll\nu\nq\n")

# Tracers and coverage. Which of importlib's own functions are called is the machinery's affair.
foreign = lambda line: None if re.search(r"_bootstrap|_imp\.|_get_module_lock|zipimport", line) else line
python("trace --count", "-m", "trace", "--count", "--summary", "--missing", "-C", folder, program)
counted = sorted(name for name in os.listdir(folder) if name.endswith(".cover"))
tell("covered", counted)
for name in counted:
    with open(os.path.join(folder, name)) as file:
        tell(f"coverage of {name}", file.read())
python("trace --listfuncs", "-m", "trace", "--listfuncs", program, keep=foreign)
python("trace --trackcalls", "-m", "trace", "--trackcalls", program, keep=lambda line: line if re.search(r"\b(plain|first|there|program)\.", line) else None)
python("trace --trace", "-m", "trace", "--trace", "--ignore-dir", sys.prefix, program)
LINES = """
import sys
seen = {}
def tracer(frame, event, argument):
    code = frame.f_code
    seen.setdefault((code.co_filename, code.co_name), []).append((event, frame.f_lineno))
    return tracer
%s
%s
def rest():
    import plain, package.first, documented, json.scanner, circle_a, there_is_none
try: rest()
except ImportError: pass
%s
import os
for (file, name), events in seen.items():
    print(os.path.basename(file), name, events)
"""
python("settrace", "-c", LINES % ("", "sys.settrace(tracer)", "sys.settrace(None)"), keep=foreign)
python("setprofile", "-c", LINES % ("", "sys.setprofile(tracer)", "sys.setprofile(None)"), keep=foreign)
python("settrace, warm", "-c", LINES % ("import plain, package.first, json", "sys.settrace(tracer)", "sys.settrace(None)"), keep=foreign)
if sys.version_info >= (3, 12):
    MONITORING = """
import sys
monitoring = sys.monitoring
monitoring.use_tool_id(3, "probe")
seen = []
def see(code, *rest):
    seen.append((code.co_filename.rpartition("/")[2], code.co_name, rest[0] if isinstance(rest[0], int) else None))
monitoring.register_callback(3, monitoring.events.%s, see)
%s
import plain, package.first, json.scanner
try: import there_is_none
except ImportError: pass
plain.value()
monitoring.set_events(3, 0)
for each in seen: print(each)
"""
    for event in ("PY_START", "LINE", "PY_RETURN", "RAISE", "CALL"):
        python(f"monitoring {event}", "-c", MONITORING % (event, f"monitoring.set_events(3, monitoring.events.{event})"), keep=foreign)
    python("monitoring of one code", "-c", MONITORING % ("LINE", "import plain; monitoring.set_local_events(3, plain.value.__code__, monitoring.events.LINE)"), keep=foreign)
# Of a profile: how often functions were called that have nothing to do with imports.
calls = lambda line: re.sub(r" +[0-9]+\.[0-9]+\b", " 0", line) if re.search(r"packages/|json/|there\.py|program\.py", line) else None
python("cProfile", "-m", "cProfile", "-s", "nfl", program, keep=calls)
python("profile", "-m", "profile", "-s", "nfl", program, keep=calls)

# The interpreter's own reports.
python("-X importtime", "-X", "importtime", program, keep=lambda line: re.sub(r"^import time:.*\|", "", line))
python("-v", "-v", program, keep=lambda line: line if re.match(r"import |# trying|# (possible|destroy|cleanup\[\d\] removing) (plain|package|json|there)", line) else None)
python("-vv", "-vv", program, keep=lambda line: line if re.match(r"import |# trying", line) else None)
AUDIT = """
import sys
def hook(event, arguments):
    if event in ("import", "exec", "open", "compile", "marshal.loads", "marshal.load", "sys._getframe", "code.__new__", "os.listdir"):
        if not done:
            seen.append((event, [str(each).replace(sys.prefix, "<prefix>") for each in arguments] if event in ("import", "open", "os.listdir") else [len(arguments)]))
seen, done = [], []
sys.addaudithook(hook)
import plain, package.first, json.decoder, there, math
try: import there_is_none
except ImportError: pass
done.append(1)
for each in seen: print(each)
"""
python("audit", "-c", AUDIT)
python("warnings", "-W", "error", "-c", "import plain, package.first, json.decoder, there")
python("bytes warnings", "-bb", "-c", "import plain, json")
python("-P", *(["-P"] if sys.version_info >= (3, 11) else ["-I"]), program)
for what, variables in {
    "pycache prefix": {"PYTHONPYCACHEPREFIX": os.path.join(folder, "cache"), "PYTHONDONTWRITEBYTECODE": ""},
    "no bytecode": {"PYTHONDONTWRITEBYTECODE": "1"},
    "case": {"PYTHONCASEOK": "1"},
    "profile import time": {"PYTHONPROFILEIMPORTTIME": ""},
    "hash seed": {"PYTHONHASHSEED": "7"},
    "no safe path": {"PYTHONSAFEPATH": ""},
    "malloc": {"PYTHONMALLOC": "debug"},
    "home of another": {"PYTHONHOME": "/nowhere"},
}.items():
    python(what, "-c", "import plain, package.first, json.decoder; print([(m.__file__, m.__cached__, m.__spec__.cached, m.__spec__._cached) for m in (plain, package, package.first, json.decoder)])", environment=variables)
python("no cache tag", "-c", "import sys; sys.implementation.cache_tag = None\nimport plain, package.first, importlib.util\nprint(plain.__cached__ if hasattr(plain, '__cached__') else 'none', plain.__spec__)")
python("another cache tag", "-c", "import sys; sys.implementation.cache_tag = 'other'; sys.dont_write_bytecode = True\nimport plain, package.first\nprint(plain.__cached__, package.__cached__, plain.__spec__)")
python("pycache prefix between finding and loading", "-c", "import importlib.util, sys; sys.dont_write_bytecode = True\nspecs = [importlib.util.find_spec(name) for name in ('plain', 'package.first')]\nsys.pycache_prefix = '/there'\nmodules = [importlib.util.module_from_spec(spec) for spec in specs]\nprint([(spec.cached, getattr(module, '__cached__', None)) for spec, module in zip(specs, modules)])")
python("pycache prefix at run time", "-c", "import sys; sys.dont_write_bytecode = True\nsys.pycache_prefix = '/there'\nimport plain, package.first\nprint(plain.__cached__, package.__cached__, plain.__spec__.cached)")
