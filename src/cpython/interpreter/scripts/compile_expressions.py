"""Compiles regular expressions, up to where `_sre.compile()` would take over.

    python -I -S compile_expressions.py ANSWER REQUEST     (REQUEST: a JSON array of {"bytes", "text", "flags"})

ANSWER gets an array of the same with "allFlags", "code", "groups" and "names".
"""

import sys

# This script's directory is on the path for its helper only.
sys.path.insert(0, __file__.rpartition("/")[0])
from prepared_sources import compile_sources

del sys.path[0]

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


compile_sources(compiled, compiler.error)
