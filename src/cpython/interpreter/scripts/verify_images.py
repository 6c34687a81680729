"""Compares every frozen module of this interpreter with a fresh compile of its source, and so every regular expression and
every source text that was compiled at build time.

    python -s -B verify_images.py ANSWER REQUEST

The request is {"sources": {module: path}}: the sources of modules whose images do not contain the path (those that
CPython freezes itself). With PYTHONMALLOC=debug, fields without an attribute are compared as well. The answer is
{"modules": N, "expressions": N, "snippets": N, "differences": [{"module", "where", "field", "detail"}]}; `where` is the qualified name of the code object.
"""

import sys

# This script's directory is on the path for its helper only: what else it holds must not hide modules of the standard library.
if not getattr(sys.flags, "safe_path", sys.flags.isolated):
    del sys.path[0]
sys.path.insert(0, __file__.rpartition("/")[0])
from exact_constants import CODE
from image_comparison import compare, compare_images, corresponding
from marshal_graph import is_marshalled_alike
from request_files import answer_with, read_request

del sys.path[0]

import os
import warnings

import _flashfreeze


try:
    import ctypes
except ImportError:  # a CPython that was built without libffi
    ctypes = None


def mapped():
    """The mapped address ranges of this process."""
    with open("/proc/self/maps") as file:
        return [[int(end, 16) for end in line.split(None, 1)[0].split("-")] for line in file]


def words(code):
    """The struct before the bytecode, in words of eight bytes."""
    return (ctypes.c_uint64 * (CODE.__basicsize__ // 8)).from_address(id(code))


def struct_differences(static, fresh, other, ranges):
    """Offsets at which the struct of a static code object differs from that of two fresh ones: derived fields without an
    attribute. Pointers only have to be set. Fields that differ between the fresh ones are ignored (versions), and so
    is unwritten memory, which CPython's debug allocator fills with 0xCD (PYTHONMALLOC=debug)."""
    for index, (ours, one, two) in enumerate(zip(words(static), words(fresh), words(other))):
        if index < object.__basicsize__ // 8:
            continue  # reference count and type
        if any(start <= one < end for start, end in ranges):
            if ours == 0:
                yield 8 * index
            continue
        for start in (0, 4):
            parts = [value.to_bytes(8, sys.byteorder)[start : start + 4] for value in (ours, one, two)]
            if parts[1] == parts[2] and any(a != b != 0xCD for a, b in zip(*parts[:2])):
                yield 8 * index + start


def compare_structs(static, fresh, other, ranges):
    for ours, one, two in corresponding(static, fresh, other):
        for offset in struct_differences(ours, one, two, ranges):
            yield getattr(one, "co_qualname", one.co_name), "struct", f"different value at offset {offset:#x}"


def was_run(module):
    """Whether code of the module ran in this process: then the interpreter has changed its bytecode."""
    return module.origin == "frozen" or module.name in sys.modules


def compare_module(module, path):
    with open(path, "rb") as file:
        source = file.read()
    static = _flashfreeze.code(module.name)
    filename = path if module.origin != "frozen" else f"<frozen {module.name}>"
    fresh = compile(source, filename, "exec", dont_inherit=True, optimize=0)
    again = compile(source, filename, "exec", dont_inherit=True, optimize=0)
    if ctypes and not was_run(module) and os.environ.get("PYTHONMALLOC") == "debug":
        # First of all: to ask for some attributes changes the struct.
        yield from compare_structs(static, fresh, again, mapped())
    yield from compare_images(static, fresh, again, was_run(module))


def compare_expressions():
    """Yields (expression, detail) for each prepared expression that differs from what `re` compiles now."""
    import re

    expressions = _flashfreeze.expressions()
    compiler = getattr(re, "_compiler", None) or re.sre_compile  # 3.10
    # A function with the same code, that nobody gave a short cut.
    fresh = type(compare)(compiler.compile.__code__, vars(compiler), "compile", compiler.compile.__defaults__)
    before = _flashfreeze.info()["used_expressions"]
    for pattern, flags in expressions:
        ours, theirs = compiler.compile(pattern, flags), fresh(pattern, flags)
        if ours != theirs or (ours.groups, dict(ours.groupindex)) != (theirs.groups, dict(theirs.groupindex)):
            yield f"{pattern!r}, {flags}", f"{ours!r} has a different program or different groups"
    used = _flashfreeze.info()["used_expressions"] - before
    # `re` may be somebody else's here, or a file that was edited: then nothing was prepared for it.
    if used not in (0, len(expressions)):
        yield "", f"only {used} of {len(expressions)} were used"


def compare_snippets():
    """Yields (text, field, detail) for each source text whose code differs from a fresh compile."""
    for text, filename, mode, flags, code in _flashfreeze.snippets():
        # With more than three arguments there is no short cut.
        fresh = compile(text, filename, mode, flags, True, 0)
        for _, field, detail in compare(code, fresh, False):
            # 3.11 and 3.12 do not intern the names of what has none, such as `<module>`.
            if field != "static" and not (field == "interned" and detail.startswith("'<")):
                yield text, field, detail
        if code.co_consts != fresh.co_consts or not is_marshalled_alike(code, fresh):
            yield text, "marshal", "constants or marshal.dumps() differ"
        if not flags:
            before = _flashfreeze.info()["used_snippets"]
            if compile(text, filename, mode) is code or _flashfreeze.info()["used_snippets"] - before != 1:
                yield text, "use", "was not used"


def main():
    request = read_request()
    warnings.simplefilter("ignore")
    differences = []
    modules = _flashfreeze.modules()
    for module in modules:
        path = request["sources"].get(module.name, module.origin)
        try:
            found = list(compare_module(module, path))
        except (OSError, LookupError, SyntaxError, ValueError) as error:
            found = [("<module>", "source", f"{type(error).__name__}: {error}")]
        for where, field, detail in found:
            differences.append({"module": module.name, "where": where, "field": field, "detail": detail[:400]})
    for where, detail in compare_expressions():
        differences.append({"module": "re", "where": where, "field": "expression", "detail": detail[:400]})
    for where, field, detail in compare_snippets():
        differences.append({"module": "compile()", "where": where, "field": field, "detail": detail[:400]})
    counts = {name: _flashfreeze.info()[name] for name in ("expressions", "snippets")}
    answer_with({"modules": len(modules), **counts, "differences": differences})


main()
