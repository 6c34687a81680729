"""Compares static code objects with fresh ones, and says what differs."""

import marshal
import sys

import _flashfreeze
from exact_constants import CODE, broken_members, compare_identities, exact


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


def compare_images(static, fresh, again, ran):
    """Yields (where, field, detail) for each difference between the code of a module and a fresh compile (`again`: another one).
    `ran`: whether the code ran in this process."""
    yield from compare(static, fresh, ran)
    # Code with a nan among its constants is equal to nothing, not even to another compile of the same source.
    if fresh == again and (static != fresh or hash(static) != hash(fresh)):
        yield "<module>", "==", "the code objects are not equal"
    # As it is loaded from bytecode: which objects are the same is written there.
    yield from compare_identities(static, marshal.loads(marshal.dumps(fresh)), ran)
    if not is_marshalled_alike(static, fresh):
        yield "<module>", "marshal", "marshal.dumps() differs"
