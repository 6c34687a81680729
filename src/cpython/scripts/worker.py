"""Compiles Python modules for flashfreeze: JSON lines in, JSON lines out.

    python -s -S -B worker.py     (PYTHONHASHSEED=0, and no other PYTHON variable, in the environment)

A request is {"id", "source": path, "filename": str, "optimize": int, "output": path, "importsOutput": path}. The source
is compiled with `filename` as its co_filename, and a *code unit* is written to `output`, in the marshal format:

    (code, prepared)

code      the module's code object, as marshal bytes
prepared  the bytecode of every code object as the interpreter prepares it for its first run (`_co_code_adaptive` of a
          copy that never ran; from 3.12 on it holds the first counters of the inline caches): a code object, then
          those among its constants, in order. None where the version has no such attribute (3.10)

The names that its import statements import are written to `importsOutput`, sorted, one a line: when they change, so may
the set of modules needed.

The answer is {"id", "ok": true, "sourceSha256"} or {"id", "ok": false, "error": {"type", "text"}}, text being what
Python prints for the error. Nothing is kept from one request to the next.
"""

import sys

# What the source's own folder holds (this script's, that is) is none of the modules' business.
if not getattr(sys.flags, "safe_path", sys.flags.isolated):
    del sys.path[0]

import json
import marshal
import os
from _signal import SIG_IGN, SIGINT, signal
from hashlib import sha256
from opcode import EXTENDED_ARG, opmap

CODE = type(compile("", "", "exec"))
IMPORT_NAME = opmap["IMPORT_NAME"]
IMPORT_FROM = opmap["IMPORT_FROM"]
# 3.15 keeps two flags in the low bits of IMPORT_NAME's argument (lazy imports).
IMPORT_NAME_SHIFT = 2 if sys.version_info >= (3, 15) else 0


def code_objects(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CODE):
            yield from code_objects(constant)


def imported_names(code):
    bytecode = code.co_code
    if IMPORT_NAME not in bytecode and IMPORT_FROM not in bytecode:
        return
    argument = 0
    for index in range(0, len(bytecode), 2):
        operation = bytecode[index]
        argument = argument << 8 | bytecode[index + 1]
        if operation == EXTENDED_ARG:
            continue
        if operation == IMPORT_NAME:
            yield code.co_names[argument >> IMPORT_NAME_SHIFT]
        elif operation == IMPORT_FROM:
            yield code.co_names[argument]
        argument = 0


def dump(value):
    try:
        # Without references: equal objects give equal bytes.
        return marshal.dumps(value, 2)
    except ValueError:
        # Slice constants (3.14) exist from format 5 on.
        return marshal.dumps(value, marshal.version)


def unit_of(source, filename, optimize):
    code = compile(source, filename, "exec", dont_inherit=True, optimize=optimize)
    dumped = dump(code)
    fresh = marshal.loads(dumped)
    prepared = None
    if hasattr(code, "_co_code_adaptive"):
        prepared = tuple(each._co_code_adaptive for each in code_objects(fresh))
    imports = {name for each in code_objects(code) for name in imported_names(each)}
    return dump((dumped, prepared)), sorted(imports)


def describe(error, path):
    from traceback import format_exception_only

    text = "".join(format_exception_only(type(error), error)).rstrip("\n")
    if isinstance(error, (SyntaxError, OSError)):
        return text  # names the file itself
    return '  File "%s"\n%s' % (path, text)


def answer(request):
    path = request["source"]
    try:
        with open(path, "rb") as file:
            source = file.read()
        try:
            unit, imports = unit_of(source, request["filename"], request["optimize"])
        except SyntaxError:
            # Once more under its real name, so that the message points to the file and quotes its line.
            compile(source, path, "exec", dont_inherit=True, optimize=request["optimize"])
            raise
        with open(request["output"], "wb") as file:
            file.write(unit)
        with open(request["importsOutput"], "w", encoding="utf-8") as file:
            file.writelines(f"{name}\n" for name in imports)
    except Exception as error:
        return {"ok": False, "error": {"type": type(error).__name__, "text": describe(error, path)}}
    return {"ok": True, "sourceSha256": sha256(source).hexdigest()}


def main():
    signal(SIGINT, SIG_IGN)  # the one who started us ends us, by closing our input
    answers = os.fdopen(os.dup(1), "wb", 0)
    os.dup2(2, 1)  # whatever prints, prints elsewhere
    for line in sys.stdin.buffer:
        request = json.loads(line)
        answers.write(json.dumps({"id": request["id"], **answer(request)}).encode() + b"\n")


main()
