"""Compiles regular expressions, up to where `_sre.compile()` would take over.

    python -I -S compile_expressions.py ANSWER REQUEST     (REQUEST: a JSON array of {"bytes", "text", "flags"})

ANSWER gets an array of the same with "allFlags", "code", "groups" and "names".
"""

import json
import sys
import warnings

try:
    from re import _compiler as compiler, _parser as parser
except ImportError:  # 3.10
    import sre_compile as compiler
    import sre_parse as parser

# What these ask for is not told by the code alone.
OTHERWISE = compiler.SRE_FLAG_DEBUG | compiler.SRE_FLAG_LOCALE


def compiled(entry):
    """The arguments of _sre.compile(), as Lib/re/_compiler.py computes them; None for what does more than compile."""
    pattern, flags = entry["text"], entry["flags"]
    if entry["bytes"]:
        pattern = pattern.encode("latin-1")
    else:
        pattern.encode("utf-8")
    parsed = parser.parse(pattern, flags)
    all_flags = flags | parsed.state.flags
    if all_flags & OTHERWISE:
        return None
    return {
        **entry,
        "allFlags": all_flags,
        "code": compiler._code(parsed, flags),
        "groups": parsed.state.groups - 1,
        "names": list(parsed.state.groupdict.items()),
    }


def read_request():
    with open(sys.argv[2], encoding="utf-8") as file:
        return json.load(file)


def answer_with(value):
    """In a file: standard output belongs to what others print."""
    with open(sys.argv[1], "w", encoding="ascii") as file:
        json.dump(value, file)


def main():
    warnings.simplefilter("error")
    found = []
    for entry in read_request():
        try:
            found.append(compiled(entry))
        except (compiler.error, OverflowError, RecursionError, ValueError, Warning):
            pass
    answer_with([entry for entry in found if entry is not None])


main()
