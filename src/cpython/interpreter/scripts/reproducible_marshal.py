"""Marshals code so that the bytes depend only on the code."""

import marshal

CODE = type(compile("", "", "exec"))


def referred_to(value):
    """References to the objects that marshal writes for a constant, as far as Python code can reach them. Does not recurse: code may
    be nested deeper than Python functions can call each other."""
    pending = [value]
    while pending:
        value = pending.pop()
        yield value
        if isinstance(value, CODE):
            names = (each for each in dir(value) if each.startswith("co_") and each != "co_lnotab")
            pending.extend(part for part in (getattr(value, name) for name in names) if not callable(part))
        elif isinstance(value, slice):
            pending.extend((value.start, value.stop, value.step))
        elif isinstance(value, (tuple, frozenset)):
            pending.extend(value)


def dump(value):
    """Marshal bytes in which equal constants are one object if they are one object in the code. Marshal marks objects with more
    than one reference (Python/marshal.c, w_ref()), so the marks would depend on what this process compiled before: here,
    all objects have more than one."""
    kept = list(referred_to(value))
    dumped = marshal.dumps(value)
    del kept
    return dumped
