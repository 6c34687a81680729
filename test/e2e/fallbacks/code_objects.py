"""What can be done with a code object: replace(), equality, copies, functions made of it, exec."""

import copy
import dis
import importlib
import inspect
import marshal
import types

from scenario import MODULES, all_code, answer, described, functions, module_code

for _ in range(3):
    modules = [importlib.import_module(name) for name in MODULES]
tops = [module_code(module.__name__) for module in modules]
pieces = [code for top in tops for code in all_code(top)]


def wrong(code):
    """What is not as it has to be with one code object."""
    fresh = code.replace()
    renamed = code.replace(co_name="renamed", co_firstlineno=7)
    more = code.replace(co_consts=(*code.co_consts, "one more"))
    if fresh is code or fresh != code or hash(fresh) != hash(code) or {fresh, code} != {code}:
        yield "a copy is not equal"
    if renamed == code or renamed.co_name != "renamed" or renamed.co_firstlineno != 7 or code.co_name == "renamed":
        yield "another name"
    if more == code or more.co_consts[:-1] != code.co_consts or more.co_consts[-1] != "one more":
        yield "another constant"
    if copy.copy(code) is not code or copy.deepcopy(code) is not code:
        yield "copies"


problems = [[code.co_name, problem] for code in pieces for problem in wrong(code)]
# In any depth, so of modules only.
for top in tops:
    if not described(top) == described(marshal.loads(marshal.dumps(top))) == described(top.replace()):
        problems.append([top.co_filename, "another description"])
listing = [[i.opname, i.arg, repr(i.argval)[:60] if type(i.argval) in (int, str) else None] for c in pieces[::7] for i in dis.get_instructions(c)]
sources = [inspect.getsource(f)[:40] for m in modules[:8] for _, f in sorted(functions(m).items())[:5] if f.__code__.co_filename == m.__file__]

import json
import textwrap

loads = types.FunctionType(json.loads.__code__.replace(co_name="loads_too"), vars(json), "loads_too", None)
loads.__kwdefaults__ = json.loads.__kwdefaults__


def borrowed(text):
    raise NotImplementedError


borrowed.__code__ = textwrap.dedent.__code__
namespace = {"__name__": "again"}
exec(module_code("textwrap"), namespace)
results = [loads("[1, 2]"), borrowed.__code__ is textwrap.dedent.__code__, namespace["fill"]("some words", 5)]
borrowed = types.FunctionType(textwrap.dedent.__code__, vars(textwrap))
results.append(borrowed("  a\n  b"))
for _ in range(50):
    results.append(eval(compile("[x * 2 for x in range(3)]", "<text>", "eval")))
static = [code for code in pieces]
answer([problems, listing, sources, results, len(pieces)], static)
