"""Prints, one JSON object a line, values and compiled modules: as marshal writes them, and as Python sees them.

Usage: describe.py MODULE... -- any importable pure-Python modules of the standard library.
Each line: {"name", "version" (of the format), "data" (base64), "description" (JSON text)}.
"""

import base64
import importlib.machinery
import json
import marshal
import struct
import sys

CO_FAST = (("co_varnames", 0x20), ("co_cellvars", 0x40), ("co_freevars", 0x80))


def bits(number):
    return struct.pack(">d", number).hex()


def text(value):
    return ["str", value.encode("utf-8", "surrogatepass").hex()]


def describe(value):
    kind = type(value)
    if value is None or value is Ellipsis or value is StopIteration:
        return "StopIteration" if value is StopIteration else repr(value)
    if kind is bool:
        return repr(value)
    if kind is int:
        return ["int", hex(value)]
    if kind is float:
        return ["float", bits(value)]
    if kind is complex:
        return ["complex", bits(value.real), bits(value.imag)]
    if kind is str:
        return text(value)
    if kind is bytes:
        return ["bytes", value.hex()]
    if kind in (tuple, list):
        return [kind.__name__, [describe(item) for item in value]]
    if kind in (set, frozenset):
        return [kind.__name__, sorted(dump(item) for item in value)]
    if kind.__name__ in ("dict", "frozendict"):
        return [kind.__name__, [[describe(key), describe(item)] for key, item in value.items()]]
    if kind is slice:
        return ["slice", [describe(value.start), describe(value.stop), describe(value.step)]]
    return code(value)


def code(value):
    common = [
        value.co_argcount,
        value.co_posonlyargcount,
        value.co_kwonlyargcount,
        value.co_stacksize,
        value.co_flags,
        value.co_code.hex(),
        [describe(item) for item in value.co_consts],
        [text(item) for item in value.co_names],
        text(value.co_filename),
        text(value.co_name),
        value.co_firstlineno,
        value.co_linetable.hex(),
    ]
    if sys.version_info < (3, 11):
        scopes = (value.co_varnames, value.co_freevars, value.co_cellvars)
        return ["code", *common, value.co_nlocals, *([text(item) for item in scope] for scope in scopes)]
    names = locals_plus(value)
    kinds = [sum(bit for field, bit in CO_FAST if name in getattr(value, field)) for name in names]
    return [
        "code",
        *common,
        [text(item) for item in names],
        kinds,
        text(value.co_qualname),
        value.co_exceptiontable.hex(),
    ]


def locals_plus(value):
    names = []
    while True:
        try:
            names.append(value._varname_from_oparg(len(names)))
        except IndexError:
            return names


def dump(value):
    return json.dumps(describe(value), separators=(",", ":"))


def tricky():
    integers = [0, 1, -1, 2**15, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**63, -(2**200), 3**700, -(2**15), 2**45]
    floats = [0.0, -0.0, 1.5, 1e308, 5e-324, float("inf"), float("-inf")]
    nans = [struct.unpack(">d", bytes.fromhex(digits))[0] for digits in ("7ff8000000000000", "fff8000000000123")]
    texts = ["", "a", "x" * 255, "y" * 256, "\xe9", "\u20ac", "\U0001f40d", "\ud800", "\udfff!", "\ud83d\udc0d", "\ufeff", "\0"]
    shared = ("shared", 1, 1.0, b"shared", frozenset({"in", "it"}))
    yield from (("int %d" % index, value) for index, value in enumerate(integers))
    yield "floats", floats + nans
    yield "complex", [complex(one, other) for one in floats for other in nans + floats]
    yield "texts", texts + [sys.intern(value) for value in ("name", "n" * 300, "caf\xe9")]
    yield "bytes", [b"", b"\0", bytes(range(256)), b"z" * 70000]
    yield "singletons", [None, True, False, ..., StopIteration]
    yield "near", [(1, 1.0, True), (0.0, -0.0), ("a", b"a"), ((), [], frozenset(), set(), {})]
    yield "shared", [shared, shared, (shared, [shared]), {shared: shared}]
    yield "sets", [frozenset(texts), set(integers), frozenset({frozenset({1, 2}), (1, 2), "z", b"z", None})]
    yield "dict", {"b": 1, "a": [2], (1, "k"): {"nested": None}}
    yield "long tuple", tuple(range(300))
    yield "lambda", (lambda a, /, b=1, *c, d, **e: [lambda: (a, x, 1.0, True, 1, -0.0) for x in e]).__code__
    if sys.version_info >= (3, 14):
        yield "slices", [slice(None), slice(1, "a", slice(2, 3))]
    if sys.version_info >= (3, 15):
        yield "frozendict", [frozendict(a=1, b=frozendict()), frozendict()]  # noqa: F821


def modules(names):
    for name in names:
        spec = importlib.machinery.PathFinder.find_spec(name)
        with open(spec.origin, "rb") as file:
            # A fixed name: where the interpreter lies must not matter.
            yield name, compile(file.read(), "/usr/lib/%s.py" % name, "exec", dont_inherit=True)


def main():
    for values in (tricky(), modules(sys.argv[1:])):
        for name, value in values:
            for version in (2, marshal.version):
                try:
                    data = marshal.dumps(value, version)
                except ValueError:
                    continue  # slices and frozendicts have no form in version 2
                line = {
                    "name": name,
                    "version": version,
                    "data": base64.b64encode(data).decode(),
                    "description": dump(value),
                }
                print(json.dumps(line))


main()
