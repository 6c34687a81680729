"""Compiles pieces of source text that programs compile while they run.

    python -s -S compile_snippets.py ANSWER REQUEST     (PYTHONHASHSEED=0; REQUEST: a JSON array of {"text", "filename", "flags"})

ANSWER gets an array of the same with "mode" and "code", marshal bytes in base64.
"""

import sys

# This script's directory is on the path for its helpers only: what else it holds must not hide modules of the standard library.
if not getattr(sys.flags, "safe_path", sys.flags.isolated):
    del sys.path[0]
sys.path.insert(0, __file__.rpartition("/")[0])
from prepared_sources import compile_sources
from reproducible_marshal import dump

del sys.path[0]

import base64
import re

# sys.set_int_max_str_digits() allows no lower limit than 640 digits.
LONG_NUMBER = re.compile("[0-9_]{600}")


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


compile_sources(compiled)
