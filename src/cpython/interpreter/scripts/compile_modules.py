"""Compiles Python modules for flashfreeze: one line per request, one line per answer.

    python -s -S -B compile_modules.py 3>ANSWERS     (PYTHONHASHSEED=0, and no other PYTHON variable, in the environment)
    python -B compile_modules.py 3>ANSWERS           (for sources whose codecs `site` registers)

Besides its helper, it imports nothing but what every start of Python has loaded: the module that it is to compile may be any module of the
standard library, also one with a syntax error that is being fixed.

A request is a line of words, `id source filename optimize output imports`: numbers in decimal, texts in UTF-8 and
hexadecimal. The file `source` is compiled with `filename` as its co_filename, and a *code unit* is written to the file
`output`, in the marshal format:

    (code, prepared) or (code, prepared, interned)

code      the module's code object, as marshal bytes: without references, unless it has constants that need them
prepared  the bytecode of every code object as the interpreter prepares it for its first run (`_co_code_adaptive` of a
          copy that never ran; from 3.12 on it holds the first counters of the inline caches): a code object, then
          those among its constants, in order. None where the version has no such attribute (3.10)
interned  names among the constants, where there are such that are not ASCII: those of imports, of keyword arguments.
          They are the parser's interned strings, and marshal writes into bytecode files that they are. Format 2 does not

The names that its import statements import are written to the file `imports`, sorted, one a line: when they change, so
may the set of modules needed.

The answer is `id ok`, or `id error type text`, with type and text in hexadecimal. The text is what Python prints for the
error. `id unread text` says that the source cannot be read, `id unwritten text` that the answer cannot be written: neither
says anything of the source. Nothing is kept from one request to the next.
"""

import sys

# This script's directory is on the path for its helper only: what else it holds must not hide modules of the standard library.
if not getattr(sys.flags, "safe_path", sys.flags.isolated):
    del sys.path[0]
sys.path.insert(0, __file__.rpartition("/")[0])
from reproducible_marshal import CODE, dump as dump_with_references

del sys.path[0]

import marshal
import posix
from _ast import Import, ImportFrom, PyCF_ONLY_AST
from _signal import SIG_IGN, SIGINT, signal

LONGEST_LINE = 300  # that an error quotes
MOST_BYTES = 64 << 20  # of a unit: what src/marshal/reader.ts reads


class TooLarge(Exception):
    pass


# None of these functions recurses: code is nested deeper than this interpreter lets Python functions call each other.


def code_objects(code):
    """A code object and those among its constants, in any depth, each before those that it holds, in order."""
    pending = [code]
    while pending:
        code = pending.pop()
        yield code
        pending.extend(constant for constant in reversed(code.co_consts) if isinstance(constant, CODE))


def imported_names(tree):
    """The names in the import statements of a module (expressions contain no statements)."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ImportFrom):
            module = "." * (node.level or 0) + (node.module or "")
            for alias in node.names:
                yield module + ":" + alias.name
        else:
            for field in ("body", "orelse", "handlers", "finalbody", "cases"):
                below = getattr(node, field, None)
                if isinstance(below, list):
                    pending.extend(below)


def simple_constants(code):
    """The constants that hold no others, in any depth."""
    pending = [constant for each in code_objects(code) for constant in each.co_consts]
    while pending:
        value = pending.pop()
        if isinstance(value, (tuple, frozenset)):
            pending.extend(value)
        else:
            yield value


def is_interned_name(value):
    """Whether a constant is interned although it does not look like it: CPython interns every constant of ASCII letters."""
    if not isinstance(value, str) or value.isascii() or not value.isidentifier():
        return False
    if len(value) == 1 and value < "\u0100":
        return False  # the interpreter has one object for each of these
    copy = (value + " ")[:-1]  # interning must not make the value itself the interned one
    return sys.intern(copy) is value


def dump(value, keeps_identities=False):
    try:
        # Without references: equal objects give equal bytes.
        if not keeps_identities:
            return marshal.dumps(value, 2)
    except ValueError:
        pass  # Slice constants (3.14) exist from format 5 on.
    return dump_with_references(value)


def unit_of(source, filename, optimize):
    code = compile(source, filename, "exec", dont_inherit=True, optimize=optimize)
    constants = list(simple_constants(code))
    # Which NaNs are one object is seen in the code only.
    dumped = dump(code, any(value != value for value in constants))
    prepared = None
    if hasattr(code, "_co_code_adaptive"):
        prepared = tuple(each._co_code_adaptive for each in code_objects(marshal.loads(dumped)))
    interned = tuple(sorted(set(filter(is_interned_name, constants))))
    return code, dump((dumped, prepared, interned) if interned else (dumped, prepared))


def imports_of(source, filename, code):
    try:
        tree = compile(source, filename, "exec", PyCF_ONLY_AST, dont_inherit=True)
    except (RecursionError, MemoryError):
        # The compiler's own tree may be deeper than one of Python objects can be (Python/Python-ast.c). Every name that the code
        # uses is more than it imports: that finds modules anew more often than needed.
        return sorted({name for each in code_objects(code) for name in each.co_names})
    return sorted(set(imported_names(tree)))


def describe(error, path):
    if not isinstance(error, SyntaxError) or not error.lineno:
        message = error.msg if isinstance(error, SyntaxError) else error
        return '  File "%s"\n%s: %s' % (path, type(error).__name__, message)
    lines = ['  File "%s", line %d' % (error.filename, error.lineno)]
    if error.text is not None and len(error.text) <= LONGEST_LINE:
        text = error.text.rstrip("\n")
        stripped = text.lstrip(" \n\f")
        lines.append("    " + stripped)
        if error.offset:
            column = error.offset - 1 - (len(text) - len(stripped))
            last = error.end_offset if error.end_lineno == error.lineno and error.end_offset else error.offset + 1
            if column >= 0:
                blanks = "".join(char if char.isspace() else " " for char in stripped[:column])
                lines.append("    " + blanks + "^" * max(1, last - error.offset))
    return "\n".join(lines) + "\n%s: %s" % (type(error).__name__, error.msg)


def answer(source, filename, optimize, output, imports):
    try:
        with open(source, "rb") as file:
            text = file.read()
    except OSError as error:
        return ("unread", in_hex(str(error)))
    try:
        try:
            code, unit = unit_of(text, filename, optimize)
        except SyntaxError:
            # Once more under its real name, so that the message points to the file and quotes its line.
            compile(text, source, "exec", dont_inherit=True, optimize=optimize)
            raise
        if len(unit) > MOST_BYTES:
            raise TooLarge("its code has %d bytes, and an image can be made of at most %d" % (len(unit), MOST_BYTES))
        names = imports_of(text, filename, code)
    except BaseException as error:  # a codec of others may raise anything
        return ("error", in_hex(type(error).__name__), in_hex(describe(error, source)))
    try:
        with open(output, "wb") as file:
            file.write(unit)
        with open(imports, "w", encoding="utf-8") as file:
            file.writelines("%s\n" % name for name in names)
    except OSError as error:
        return ("unwritten", in_hex(str(error)))
    return ("ok",)


def in_hex(text):
    return text.encode("utf-8", "backslashreplace").hex()


def main():
    signal(SIGINT, SIG_IGN)  # the one who started us ends us, by closing our input
    answers = open(3, "wb", 0)
    posix.dup2(2, 1)  # what a codec prints, too, is for people
    for line in sys.stdin.buffer:
        id, source, filename, optimize, output, imports = line.decode().rstrip("\n").split(" ")
        source, filename, output, imports = (
            bytes.fromhex(word).decode("utf-8", "surrogateescape") for word in (source, filename, output, imports)
        )
        words = (id, *answer(source, filename, int(optimize), output, imports))
        answers.write(" ".join(words).encode() + b"\n")


main()
