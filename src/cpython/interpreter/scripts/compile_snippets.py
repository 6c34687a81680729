"""Compiles pieces of source text that programs compile while they run.

    python -s -S snippets.py     (PYTHONHASHSEED=0; a JSON array of {"text", "filename", "flags"} on standard input)

The last line of standard output is an array of the same with "mode" and "code", marshal bytes in base64.
"""

import sys

# What the source's own folder holds (this script's, that is) is none of the modules' business.
if not getattr(sys.flags, "safe_path", sys.flags.isolated):
    del sys.path[0]

import base64
import json
import marshal
import re
import warnings

CODE = type(compile("", "", "exec"))
# sys.set_int_max_str_digits() allows no lower limit than 640 digits.
LONG_NUMBER = re.compile("[0-9_]{600}")


def referred_to(value):
    """A reference to every object that marshal writes of a constant."""
    yield value
    if isinstance(value, CODE):
        names = (each for each in dir(value) if each.startswith("co_") and each != "co_lnotab")
        parts = [part for part in (getattr(value, name) for name in names) if not callable(part)]
    elif isinstance(value, slice):
        parts = [value.start, value.stop, value.step]
    else:
        parts = value if isinstance(value, (tuple, frozenset)) else ()
    for part in parts:
        yield from referred_to(part)


def dump(code):
    """Marshal bytes in which equal constants are the one object that they are in the code. Objects that are referred to more
    than once are marked (Python/marshal.c, w_ref()), which would tell what else this process knows: all of them are, here."""
    kept = list(referred_to(code))
    dumped = marshal.dumps(code)
    del kept
    return dumped


def compiled(entry):
    text, filename, flags = entry["text"], entry["filename"], entry["flags"]
    text.encode("utf-8")
    if LONG_NUMBER.search(text) or "\0" in filename:
        return None
    for mode in ("eval", "exec"):
        try:
            code = compile(text, filename, mode, flags, dont_inherit=True, optimize=0)
        except SyntaxError:
            continue
        return {**entry, "mode": mode, "code": base64.b64encode(dump(code)).decode()}
    return None


def main():
    warnings.simplefilter("error")
    found = []
    for entry in json.load(sys.stdin):
        try:
            found.append(compiled(entry))
        except (MemoryError, OverflowError, RecursionError, ValueError, Warning):
            pass
    print(json.dumps([entry for entry in found if entry is not None]))


main()
