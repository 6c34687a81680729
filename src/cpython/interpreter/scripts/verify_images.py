"""Compares every frozen module of this interpreter with a fresh compile of its source, and so every regular expression and
every source text that was compiled at build time.

    python -s -B verify_images.py ANSWER REQUEST

The request is {"sources": {module: path}}: the sources of modules whose images do not contain the path (those that
CPython freezes itself). With PYTHONMALLOC=debug, fields without an attribute are compared as well. The answer is {"modules": N, "expressions": N, "snippets": N, "differences":
[{"module", "where", "field", "detail"}]}; `where` is the qualified name of the code object.
"""

import sys

# This script's directory is on the path for its helper only: what else it holds must not hide modules of the standard library.
if not getattr(sys.flags, "safe_path", sys.flags.isolated):
    del sys.path[0]
sys.path.insert(0, __file__.rpartition("/")[0])
from request_files import answer_with, read_request

del sys.path[0]

import marshal
import os
import struct
import warnings

import _flashfreeze

CODE = type(compile("", "", "exec"))


def exact(value):
    """A key that is equal only for constants of the same type and the same bits, at any depth."""
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


class Graph:
    """Marshal data as plain values: without references, which depend on reference counts, and with frozensets in
    an order that does not depend on their tables."""

    def __init__(self, data):
        self.data, self.at, self.references = data, 0, []

    def take(self, size):
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size=4, signed=True):
        return int.from_bytes(self.take(size), "little", signed=signed)

    def objects(self, count):
        return tuple(self.read() for _ in range(count))

    def read(self):
        byte = self.number(1, False)
        index = len(self.references)
        if byte & 0x80:
            self.references.append(None)
        value = self.value(chr(byte & 0x7F))
        if byte & 0x80:
            self.references[index] = value
        return value

    def value(self, kind):
        if kind in "NTFS.0":
            return kind
        if kind == "r":
            return self.references[self.number(4, False)]
        if kind == "i":
            return "int", self.number()
        if kind == "l":
            count = self.number()
            return "int", (-1) ** (count < 0) * sum(self.number(2, False) << 15 * i for i in range(abs(count)))
        if kind in "gy":
            return kind, self.take({"g": 8, "y": 16}[kind])
        if kind in "sutaA":
            return "bytes" if kind == "s" else "str", self.take(self.number())
        if kind in "zZ":
            return "str", self.take(self.number(1, False))
        if kind in "()":
            return "(", self.objects(self.number(*(1, False) if kind == ")" else (4,)))
        if kind == ">":
            return kind, tuple(sorted(map(repr, self.objects(self.number()))))
        if kind == ":":
            return kind, self.objects(3)
        if kind == "c":
            # argcount to flags; code to name; firstlineno; the tables (Python/marshal.c, w_complex_object())
            numbers, objects, tables = (6, 8, 1) if sys.version_info < (3, 11) else (5, 8, 2)
            counts = tuple(self.number() for _ in range(numbers))
            return kind, counts, self.objects(objects), self.number(), self.objects(tables)
        raise ValueError(f"unknown kind of constants: {kind!r}")


def is_marshalled_alike(static, fresh):
    try:
        # Versions from 3 on write references.
        if marshal.dumps(static, 2) == marshal.dumps(fresh, 2):
            return True
    except ValueError:
        pass  # slices exist from version 5 on
    # The only recursion here by the depth of the code: four calls a level.
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 4 * 2000)  # MAX_MARSHAL_STACK_DEPTH
    try:
        return Graph(marshal.dumps(static)).read() == Graph(marshal.dumps(fresh)).read()
    finally:
        sys.setrecursionlimit(limit)


# No program gets hold of a frozenset constant: it is only searched. CPython has some of them twice.
IDENTIFIED = (int, float, complex, str, bytes, tuple, slice)


def pairs_of_constants(static, fresh):
    """Constants of two code objects that correspond, those inside of tuples included, in any depth."""
    pending = [(static, fresh)]
    while pending:
        ours, theirs = pending.pop()
        if type(ours) is not type(theirs):
            continue  # that is reported as another value
        if type(ours) is CODE:
            pending.extend(zip(ours.co_consts, theirs.co_consts))
        elif type(ours) in IDENTIFIED:
            yield ours, theirs
            if type(ours) is tuple:
                pending.extend(zip(ours, theirs))


def compare_identities(static, fresh):
    """Yields (where, field, detail) for constants that are one object here and several in a fresh module, or the reverse."""
    to_fresh, to_static = {}, {}
    # Both graphs stay alive meanwhile, so no id is used twice.
    for ours, theirs in pairs_of_constants(static, fresh):
        if to_fresh.setdefault(id(ours), id(theirs)) != id(theirs):
            yield "<module>", "identity", f"{ours!r} is one object where a fresh compile has several"
        elif to_static.setdefault(id(theirs), id(ours)) != id(ours):
            yield "<module>", "identity", f"{ours!r} is several objects where a fresh compile has one"


def broken_members(value):
    """Members that a frozenset among the constants does not find, because its table is for another hash seed."""
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


# co_lnotab is made of another table, and deprecated. Methods give tables: co_lines, co_positions, co_branches.
NAMES = [name for name in dir(CODE) if name.startswith("co_") and name != "co_lnotab"]
METHODS = [name for name in NAMES if callable(getattr(CODE, name))]
FIELDS = [name for name in NAMES if name not in METHODS and name != "co_consts"]


try:
    # The room that a call takes on the stack, which no attribute tells: from 3.12 on, where CPython's test modules are.
    from _testinternalcapi import get_co_framesize as frame_size
except ImportError:

    def frame_size(code):
        return None


try:
    import ctypes
except ImportError:  # a CPython that was built without libffi
    ctypes = None


def mapped():
    """The mapped address ranges of this process."""
    with open("/proc/self/maps") as file:
        return [[int(end, 16) for end in line.split(None, 1)[0].split("-")] for line in file]


def words(code):
    """The struct before the bytecode, in words of eight bytes."""
    return (ctypes.c_uint64 * (CODE.__basicsize__ // 8)).from_address(id(code))


def struct_differences(static, fresh, other, ranges):
    """Offsets at which the struct of a static code object differs from that of two fresh ones: derived fields without an
    attribute. Pointers only have to be set. Fields that differ between the fresh ones are ignored (versions), and so
    is unwritten memory, which CPython's debug allocator fills with 0xCD (PYTHONMALLOC=debug)."""
    for index, (ours, one, two) in enumerate(zip(words(static), words(fresh), words(other))):
        if index < object.__basicsize__ // 8:
            continue  # reference count and type
        if any(start <= one < end for start, end in ranges):
            if ours == 0:
                yield 8 * index
            continue
        for start in (0, 4):
            parts = [value.to_bytes(8, sys.byteorder)[start : start + 4] for value in (ours, one, two)]
            if parts[1] == parts[2] and any(a != b != 0xCD for a, b in zip(*parts[:2])):
                yield 8 * index + start


def adaptive(code):
    """The bytecode as the interpreter prepared it; None in 3.10."""
    return getattr(code, "_co_code_adaptive", None)


def corresponding(*codes):
    """Code objects that correspond: these, and those among their constants, in any depth."""
    pending = [codes]
    while pending:
        codes = pending.pop()
        yield codes
        pending.extend(each for each in zip(*(code.co_consts for code in codes)) if all(type(one) is CODE for one in each))


def compare_structs(static, fresh, other, ranges):
    for ours, one, two in corresponding(static, fresh, other):
        for offset in struct_differences(ours, one, two, ranges):
            yield getattr(one, "co_qualname", one.co_name), "struct", f"different value at offset {offset:#x}"


def compare(static, fresh, ran):
    """Yields (where, field, detail) for each difference between two code objects, at any depth."""
    for ours, theirs in corresponding(static, fresh):
        yield from compare_one(ours, theirs, ran)


def compare_one(static, fresh, ran):
    """The same for two code objects without those among their constants."""
    where = getattr(fresh, "co_qualname", fresh.co_name)
    if not _flashfreeze.is_static(static):
        yield where, "static", "the code object is not static"
    for field in FIELDS:
        ours, theirs = getattr(static, field), getattr(fresh, field)
        if type(ours) is not type(theirs) or ours != theirs:
            yield where, field, f"{ours!r} instead of {theirs!r}"
    for field in METHODS:
        if list(getattr(static, field)()) != list(getattr(fresh, field)()):
            yield where, field, "different table"
    if frame_size(static) != frame_size(fresh):
        yield where, "frame size", f"{frame_size(static)} instead of {frame_size(fresh)}"
    if not ran and adaptive(static) != adaptive(fresh):
        yield where, "prepared bytecode", "instructions or counters differ from code that never ran"
    if len(static.co_consts) != len(fresh.co_consts):
        yield where, "co_consts", f"{len(static.co_consts)} constants instead of {len(fresh.co_consts)}"
    for index, (ours, theirs) in enumerate(zip(static.co_consts, fresh.co_consts)):
        if exact(ours) != exact(theirs):
            yield where, f"co_consts[{index}]", f"{ours!r} instead of {theirs!r}"
        if missing := broken_members(ours):
            yield where, f"co_consts[{index}]", f"a frozenset that does not find its members {missing!r}"
    for name in not_interned(static):
        yield where, "interned", f"{name!r} is not the interned string"


def was_run(module):
    """Whether code of the module ran in this process: then the interpreter has changed its bytecode."""
    return module.origin == "frozen" or module.name in sys.modules


def compare_module(module, path):
    with open(path, "rb") as file:
        source = file.read()
    static = _flashfreeze.code(module.name)
    filename = path if module.origin != "frozen" else f"<frozen {module.name}>"
    fresh = compile(source, filename, "exec", dont_inherit=True, optimize=0)
    again = compile(source, filename, "exec", dont_inherit=True, optimize=0)
    if ctypes and not was_run(module) and os.environ.get("PYTHONMALLOC") == "debug":
        # First of all: to ask for some attributes changes the struct.
        yield from compare_structs(static, fresh, again, mapped())
    yield from compare(static, fresh, was_run(module))
    # Code with a nan among its constants is equal to nothing, not even to another compile of the same source.
    if fresh == again and (static != fresh or hash(static) != hash(fresh)):
        yield "<module>", "==", "the code objects are not equal"
    # As it is loaded from byte code: which objects are the same is written there.
    yield from compare_identities(static, marshal.loads(marshal.dumps(fresh)))
    if not is_marshalled_alike(static, fresh):
        yield "<module>", "marshal", "marshal.dumps() differs"


def compare_expressions():
    """Yields (expression, detail) for each prepared expression that differs from what `re` compiles now."""
    import re

    expressions = _flashfreeze.expressions()
    compiler = getattr(re, "_compiler", None) or re.sre_compile  # 3.10
    # A function with the same code, that nobody gave a short cut.
    fresh = type(compare)(compiler.compile.__code__, vars(compiler), "compile", compiler.compile.__defaults__)
    before = _flashfreeze.info()["used_expressions"]
    for pattern, flags in expressions:
        ours, theirs = compiler.compile(pattern, flags), fresh(pattern, flags)
        if ours != theirs or (ours.groups, dict(ours.groupindex)) != (theirs.groups, dict(theirs.groupindex)):
            yield f"{pattern!r}, {flags}", f"{ours!r} has a different program or different groups"
    used = _flashfreeze.info()["used_expressions"] - before
    # `re` may be somebody else's here, or a file that was edited: then nothing was prepared for it.
    if used not in (0, len(expressions)):
        yield "", f"only {used} of {len(expressions)} were used"


def compare_snippets():
    """Yields (text, field, detail) for each source text whose code differs from a fresh compile."""
    for text, filename, mode, flags, code in _flashfreeze.snippets():
        # With more than three arguments there is no short cut.
        fresh = compile(text, filename, mode, flags, True, 0)
        for _, field, detail in compare(code, fresh, False):
            # 3.11 and 3.12 do not intern the names of what has none, such as `<module>`.
            if field != "static" and not (field == "interned" and detail.startswith("'<")):
                yield text, field, detail
        if code.co_consts != fresh.co_consts or not is_marshalled_alike(code, fresh):
            yield text, "marshal", "constants or marshal.dumps() differ"
        if not flags:
            before = _flashfreeze.info()["used_snippets"]
            if compile(text, filename, mode) is code or _flashfreeze.info()["used_snippets"] - before != 1:
                yield text, "use", "was not used"


def main():
    request = read_request()
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
    for where, detail in compare_expressions():
        differences.append({"module": "re", "where": where, "field": "expression", "detail": detail[:400]})
    for where, field, detail in compare_snippets():
        differences.append({"module": "compile()", "where": where, "field": field, "detail": detail[:400]})
    counts = {name: _flashfreeze.info()[name] for name in ("expressions", "snippets")}
    answer_with({"modules": len(modules), **counts, "differences": differences})


main()
