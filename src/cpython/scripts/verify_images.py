"""Compares every frozen module of this interpreter with a fresh compile of its source.

    python -s -S -B verify_images.py     (a JSON object on standard input)

The request is {"sources": {module: path}}: where the source of modules lies whose images do not know it (those that
CPython freezes itself). The answer, on the last line of standard output, is {"modules": N, "differences": [{"module",
"where", "field", "detail"}]}; `where` is the qualified name of the code object.
"""

import sys

# What the source's own folder holds (this script's, that is) is none of the modules' business.
if not getattr(sys.flags, "safe_path", sys.flags.isolated):
    del sys.path[0]

import json
import marshal
import struct
import warnings

import _flashfreeze

CODE = type(compile("", "", "exec"))


def exact(value):
    """A key that is equal only for constants of the same type and the same bits, in any depth."""
    kind = type(value)
    if kind is float:
        return kind, struct.pack("<d", value)
    if kind is complex:
        return kind, struct.pack("<dd", value.real, value.imag)
    if kind is tuple:
        return kind, tuple(map(exact, value))
    if kind is frozenset:
        return kind, frozenset(map(exact, value))
    if kind is slice:
        return kind, (exact(value.start), exact(value.stop), exact(value.step))
    if kind is CODE:
        return kind, value.co_qualname if hasattr(value, "co_qualname") else value.co_name
    return kind, value


def dumps(code):
    try:
        # Versions from 3 on write references, which depend on reference counts.
        return marshal.dumps(code, 2)
    except ValueError:
        # Slices exist from version 5 on; they are compared as constants.
        return None


def broken_members(value):
    """Members that a frozenset among the constants does not find: its table is for another hash seed."""
    if type(value) is tuple:
        return [item for each in value for item in broken_members(each)]
    if type(value) is frozenset:
        return [item for item in value if item not in value]
    return []


def not_interned(code):
    for name in (*code.co_names, *code.co_varnames, *code.co_freevars, *code.co_cellvars, code.co_name):
        # A copy, for interning must not make the name itself the interned one.
        if sys.intern(str(bytes(name, "utf-8", "surrogatepass"), "utf-8", "surrogatepass")) is not name:
            yield name


FIELDS = [
    name
    for name in dir(CODE)
    if name.startswith("co_") and name not in ("co_consts", "co_lnotab", "co_lines", "co_positions", "co_branches")
]


def compare(static, fresh):
    """Yields (where, field, detail) for each difference between two code objects, in any depth."""
    where = getattr(fresh, "co_qualname", fresh.co_name)
    if not _flashfreeze.is_static(static):
        yield where, "static", "the code object is not static"
    for field in FIELDS:
        ours, theirs = getattr(static, field), getattr(fresh, field)
        if type(ours) is not type(theirs) or ours != theirs:
            yield where, field, f"{ours!r} instead of {theirs!r}"
    for field in ("co_lines", "co_positions"):
        if hasattr(fresh, field) and list(getattr(static, field)()) != list(getattr(fresh, field)()):
            yield where, field, "another table"
    if len(static.co_consts) != len(fresh.co_consts):
        yield where, "co_consts", f"{len(static.co_consts)} constants instead of {len(fresh.co_consts)}"
    for index, (ours, theirs) in enumerate(zip(static.co_consts, fresh.co_consts)):
        if exact(ours) != exact(theirs):
            yield where, f"co_consts[{index}]", f"{ours!r} instead of {theirs!r}"
        if missing := broken_members(ours):
            yield where, f"co_consts[{index}]", f"a frozenset that does not find its members {missing!r}"
        if type(ours) is CODE and type(theirs) is CODE:
            yield from compare(ours, theirs)
    for name in not_interned(static):
        yield where, "interned", f"{name!r} is not the interned string"


def compare_module(module, path):
    with open(path, "rb") as file:
        source = file.read()
    static = _flashfreeze.code(module.name)
    filename = path if module.origin != "frozen" else f"<frozen {module.name}>"
    fresh = compile(source, filename, "exec", dont_inherit=True, optimize=0)
    yield from compare(static, fresh)
    # Code with a nan among its constants is equal to nothing, not even to another compile of the same source.
    again = compile(source, filename, "exec", dont_inherit=True, optimize=0)
    if fresh == again and (static != fresh or hash(static) != hash(fresh)):
        yield "<module>", "==", "the code objects are not equal"
    if dumps(static) != dumps(fresh):
        yield "<module>", "marshal", "marshal.dumps(code, 2) gives other bytes"


def main():
    request = json.load(sys.stdin)
    warnings.simplefilter("ignore")
    differences = []
    modules = _flashfreeze.modules()
    for module in modules:
        path = request["sources"].get(module.name, module.origin)
        try:
            found = list(compare_module(module, path))
        except (OSError, LookupError, SyntaxError, ValueError) as error:
            found = [("<module>", "source", f"{type(error).__name__}: {error}")]
        for where, field, detail in found:
            differences.append({"module": module.name, "where": where, "field": field, "detail": detail[:400]})
    print(json.dumps({"modules": len(modules), "differences": differences}))


main()
