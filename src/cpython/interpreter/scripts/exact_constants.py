"""Compares the constants of code objects: by type and bits, and by which of them are one object, as `is` shows it to a program."""

import struct
import sys

CODE = type(compile("", "", "exec"))


def bits(value):
    """A scalar as its type and exact bits."""
    kind = type(value)
    if kind is float:
        return kind, struct.pack("<d", value)
    if kind is complex:
        return kind, struct.pack("<dd", value.real, value.imag)
    if kind is CODE:
        return kind, value.co_qualname if hasattr(value, "co_qualname") else value.co_name
    return kind, value


def exact(value):
    """A key that is equal only for constants of the same type and the same bits, at any depth. It is flat, so that comparing two
    keys recurses no deeper than this function does, which is not at all."""
    key, sets = [], []
    pending = [(value, key)]
    while pending:
        item, into = pending.pop()
        kind = type(item)
        if kind is tuple or kind is slice:
            parts = item if kind is tuple else (item.start, item.stop, item.step)
            into.append((kind, len(parts)))
            pending.extend([(part, into) for part in reversed(parts)])
        elif kind is frozenset:
            keys = [[] for _ in item]
            sets.append((into, len(into), keys))
            into.append(None)
            pending.extend(zip(item, keys))
        else:
            into.append(bits(item))
    for into, index, keys in reversed(sets):  # the innermost first
        into[index] = frozenset, frozenset(map(tuple, keys))
    return tuple(key)


LONGEST_SHOWN = 400  # characters
LARGEST_SHOWN = 1 << 1000  # with more digits, `repr()` takes quadratic time, or raises ValueError


def shown(value):
    """`repr()` of a constant for messages: cut short, and with neither the digits of a huge int nor nesting without end."""
    parts, pending, size = [], [value], 0
    while pending and size < LONGEST_SHOWN:
        item = pending.pop()
        kind = type(item)
        if kind is Verbatim:
            text = str(item)
        elif kind is tuple or kind is frozenset:
            opening, closing = "()" if kind is tuple else ("frozenset({", "})")
            inner = [part for each in item for part in (each, Verbatim(", "))][:-1]
            pending.extend((Verbatim(",)" if kind is tuple and len(item) == 1 else closing), *reversed(inner)))
            text = opening
        elif kind is int and not -LARGEST_SHOWN < item < LARGEST_SHOWN:
            text = f"an int of {item.bit_length()} bits"
        elif kind is str or kind is bytes:
            text = repr(item[:LONGEST_SHOWN])
        else:
            text = repr(item)
        parts.append(text)
        size += len(text)
    return "".join(parts)[:LONGEST_SHOWN]


class Verbatim(str):
    """Text of `shown` itself."""


def members(ours, theirs):
    """Members of two frozensets that correspond; none where that is ambiguous (several NaNs)."""
    fresh = {exact(item): item for item in theirs}
    if len(fresh) == len(theirs):
        for item in ours:
            if (key := exact(item)) in fresh:
                yield item, fresh[key]


def pairs_of_constants(static, fresh):
    """Constants of two code objects that correspond, with those inside of them, in any depth."""
    pending = [(static, fresh)]
    while pending:
        ours, theirs = pending.pop()
        kind = type(ours)
        if kind is not type(theirs):
            continue  # that is reported as another value
        yield ours, theirs
        if kind is CODE:
            pending.extend(zip(ours.co_consts, theirs.co_consts))
        elif kind is tuple:
            pending.extend(zip(ours, theirs))
        elif kind is frozenset:
            pending.extend(members(ours, theirs))
        elif kind is slice:
            pending.extend(((ours.start, theirs.start), (ours.stop, theirs.stop), (ours.step, theirs.step)))


def common(value):
    """The object that everybody has who computes an equal value, for values of which there is such an object (else any)."""
    kind = type(value)
    if kind is str:
        return sys.intern((value + " ")[:-1])  # a copy: interning must not make the value itself the interned one
    if kind is bytes and len(value) < 2:
        return (value + b" ")[: len(value)]
    if kind is int:
        return value * 1
    return () if value == () else None


def compare_identities(static, loaded, ran):
    """Yields (where, field, detail) for constants that are one object here and several in the module as it is loaded from
    bytecode (`loaded`), or the reverse; also for those that only one of them shares with the whole process: interned strings, small ints.
    `ran`: whether the static code ran, and may have interned its strings."""
    to_loaded, to_static = {}, {}
    shared, names = [], set()
    # Both graphs stay alive meanwhile, so no id is used twice.
    for ours, theirs in pairs_of_constants(static, loaded):
        if type(ours) is CODE:
            names.update((theirs.co_name, getattr(theirs, "co_qualname", theirs.co_name)))
        if type(ours) is frozenset:
            continue  # No program gets hold of one, only of what is in it. CPython has some of them twice.
        if to_loaded.setdefault(id(ours), id(theirs)) != id(theirs):
            yield "<module>", "identity", f"{shown(ours)} is one object where a fresh compile has several"
        elif to_static.setdefault(id(theirs), id(ours)) != id(ours):
            yield "<module>", "identity", f"{shown(ours)} is several objects where a fresh compile has one"
        elif ours is theirs:
            continue
        elif not (ran and type(ours) is str) and ((other := common(ours)) is ours or other is theirs):
            shared.append(ours)
    for ours in shared:
        # Some versions intern all names of code, which we do not (docs/architecture.md).
        if ours not in names:
            yield "<module>", "identity", f"{shown(ours)} is the object that all modules share either only here or only in a fresh compile"


def broken_members(value):
    """Members that a frozenset among the constants does not find, because its table is for another hash seed."""
    broken, pending = [], [value]
    while pending:
        item = pending.pop()
        if type(item) is tuple:
            pending.extend(reversed(item))
        elif type(item) is frozenset:
            broken.extend(member for member in item if member not in item)
    return broken


# `==` of code objects compares what is in them twice at each level: eight seconds for 22 levels.
EQUAL_LEVELS = 8


def is_nested_deep(code):
    level = [code]
    for _ in range(EQUAL_LEVELS):
        level = [constant for each in level for constant in each.co_consts if type(constant) is CODE]
        if not level:
            return False
    return True


def are_equal(one, other):
    """Whether two code objects are equal; None if they are nested too deep for `==`."""
    return None if is_nested_deep(one) else one == other
