"""Compares static code objects with fresh ones, and says what differs."""

import marshal
import sys

import _flashfreeze
from exact_constants import CODE, are_equal, broken_members, compare_identities, exact, shown
from marshal_graph import is_marshalled_alike


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
            yield where, field, f"{shown(ours)} instead of {shown(theirs)}"
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
            yield where, f"co_consts[{index}]", f"{shown(ours)} instead of {shown(theirs)}"
        if missing := broken_members(ours):
            yield where, f"co_consts[{index}]", f"a frozenset that does not find its members {shown(tuple(missing))}"
    for name in not_interned(static):
        yield where, "interned", f"{shown(name)} is not the interned string"


def compare_images(static, fresh, again, ran):
    """Yields (where, field, detail) for each difference between the code of a module and a fresh compile (`again`: another one).
    `ran`: whether the code ran in this process."""
    yield from compare(static, fresh, ran)
    # Code with a nan among its constants is equal to nothing, not even to another compile of the same source.
    if are_equal(fresh, again) and (not are_equal(static, fresh) or hash(static) != hash(fresh)):
        yield "<module>", "==", "the code objects are not equal"
    # As it is loaded from bytecode: which objects are the same is written there.
    yield from compare_identities(static, marshal.loads(marshal.dumps(fresh)), ran)
    if not is_marshalled_alike(static, fresh):
        yield "<module>", "marshal", "marshal.dumps() differs"
