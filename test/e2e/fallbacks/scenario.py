"""What the scenarios share. Each runs in a frozen interpreter and in the unmodified one, and ends with one line of JSON:
`same` has to be equal in both, `static` says of pieces of code whether they are static (null in the unmodified one).
"""

import sys

try:
    from _flashfreeze import is_static
except ImportError:  # the unmodified interpreter

    def is_static(code):
        return None


# What scenarios import: frozen in every interpreter that the tests make. Whole packages, without circles between them:
# threads that begin at different ends of a circle fail in any Python.
MODULES = [
    *("json", "argparse", "dataclasses", "pathlib", "subprocess", "logging", "typing", "unittest", "http.client"),
    *("asyncio", "textwrap", "gettext", "inspect", "ast", "dis", "tempfile", "random", "shutil", "urllib.parse"),
    *("datetime", "calendar", "string", "difflib", "pprint", "socket", "selectors", "ssl"),
]


def functions(module):
    """The functions that a module defines, and those of its classes, by qualified name."""
    found = {}
    for value in list(vars(module).values()):
        members = list(vars(value).values()) if isinstance(value, type) else [value]
        for member in members:
            member = getattr(member, "__func__", member)
            if hasattr(member, "__code__") and getattr(member, "__module__", None) == module.__name__:
                found[member.__qualname__] = member
    return found


def all_code(code):
    """A code object and those among its constants, at any depth."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            yield from all_code(constant)


def described(code):
    """A digest of all that can be seen of a code object, at any depth."""
    from hashlib import sha256

    fields = sorted(name for name in dir(code) if name.startswith("co_") and name not in ("co_consts", "co_lnotab"))
    found = [getattr(code, name) for name in fields]
    found = [list(value()) if callable(value) else value for value in found]
    text = repr([*zip(fields, found), [constant(each) for each in code.co_consts]])
    return sha256(text.encode()).hexdigest()


def constant(value):
    if isinstance(value, frozenset):
        return "frozenset", sorted(map(repr, value))
    if isinstance(value, tuple):
        return tuple(map(constant, value))
    return described(value) if hasattr(value, "co_code") else value


def module_code(name):
    """The code that a module is executed from, as its loader has it."""
    import importlib.util

    return importlib.util.find_spec(name).loader.get_code(name)


def answer(same, static):
    import json

    print()  # after whatever else was printed
    print(json.dumps({"same": same, "static": sorted({is_static(each) for each in static}, key=str)}))
    sys.stdout.flush()
