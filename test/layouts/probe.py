"""Compares the objects of probe.c with those that the interpreter makes itself; prints `ok`.

With `bytecode` as its argument it prints what probe.c needs to be compiled with instead, as a C string.
"""

import sys


def identity(argument): return argument


if sys.argv[1:] == ["bytecode"]:
    bytecode = getattr(identity.__code__, "_co_code_adaptive", identity.__code__.co_code)
    print(len(bytecode), '"%s"' % "".join(f"\\{byte:03o}" for byte in bytecode))
    sys.exit()

import ctypes
import gc

sys.path.insert(0, sys.argv[1])
import probe


def made(value):
    """The same value as a new object, where there can be one."""
    if isinstance(value, str):
        return (value + "-")[:-1]
    if isinstance(value, tuple):
        return tuple(list(value))
    if isinstance(value, bytes):
        return (value + b"-")[:-1]
    return type(value)(repr(value)) if isinstance(value, (int, float)) else complex(value.real, value.imag)


def as_wide(text):
    """The text as an array of wchar_t that is kept with it, which it has up to 3.11."""
    function = ctypes.pythonapi.PyUnicode_AsUnicodeAndSize
    function.argtypes, function.restype = [ctypes.py_object, ctypes.POINTER(ctypes.c_ssize_t)], ctypes.c_wchar_p
    size = ctypes.c_ssize_t()
    wide = function(text, ctypes.byref(size))
    return wide, size.value


BASE = 1 << 30
expected = {
    "ascii": "ascii text",
    "name": "identity",
    "argument": "argument",
    "latin": "caf\xe9",
    "ucs2": "\u20ac!",
    "ucs4": "\U0001f40d!",
    "no_bytes": b"",
    "bytes": b"\0ab",
    "one_digit": 1025,
    "minus": -6,
    "digits": -(1 + 2 * BASE + 3 * BASE**2),
    "real": -2.5,
    "imaginary": complex(-0.0, 1.5),
    "none": (),
    "consts": (None,),
    "locals": ("argument",),
    "tuple": (None, True, False, ..., "ascii text", (None,)),
    "own": (-5, 0, 1024 if sys.version_info >= (3, 15) else 256, "a", "\xe9", "", b"", b"\xff", ()),
}
found = probe.objects()
assert set(found) == set(expected) - (set() if sys.version_info >= (3, 11) else {"own"}), sorted(found)
for name, value in found.items():
    new = made(expected[name])
    assert type(value) is type(new), name
    assert value == new and repr(value) == repr(new), (name, value)
    assert hash(value) == hash(new) == hash(value), name
    assert sys.getsizeof(value) == sys.getsizeof(new), (name, sys.getsizeof(value), sys.getsizeof(new))
    assert {value: 1}[new] == {new: 1}[value] == 1, name
    if isinstance(value, str):
        assert value.encode() == new.encode() and value + "x" == new + "x" and value[1:] == new[1:], name
        assert value.isascii() == new.isascii() and value.upper() == new.upper(), name
        assert sys.version_info >= (3, 12) or as_wide(value) == (new, len(new)), name
    if isinstance(value, (int, float, complex)):
        assert value * 3 - value == new * 3 - new and -value == -new, name
    if isinstance(value, tuple):
        assert not gc.is_tracked(value) and list(value) == list(new) and value + (1,) == new + (1,), name
for theirs, own in zip(found.get("own", ()), expected["own"]):
    assert theirs is made(own), own

code = probe.code()
assert type(code) is type(identity.__code__)
for field in ("argcount", "nlocals", "stacksize", "consts", "names", "varnames", "freevars", "cellvars", "name", "code"):
    assert getattr(code, "co_" + field) == getattr(identity.__code__, "co_" + field), field
assert code.co_filename == "ascii text" and code.co_firstlineno == 7

# Of two equal interned strings there is only one, whoever comes first: the interpreter's with the first, ours with the second.
argument, ascii_text = probe.intern()
assert argument is identity.__code__.co_varnames[0] is sys.intern("".join(["argu", "ment"]))
assert ascii_text is found["ascii"] is sys.intern("".join(["ascii", " text"]))
assert probe.intern() == (argument, ascii_text)

version, more = probe.versions()
if sys.version_info >= (3, 12):
    assert 0 < version < more
    assert probe.versions()[0] >= more + 100
else:
    assert version == more == 0

again = type(identity)(code, {})
assert all(again(number) == number for number in range(5000))
assert again(argument="x") == "x"
gc.collect()
print("ok")
