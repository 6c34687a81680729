"""Imports what a program imports before it does anything else, without running it.

    python import_entry.py script FILE
    python import_entry.py module NAME

These are the import statements at its top level, those in its `try` statements, and those behind
`if __name__ == "__main__"`. One that fails is left to the program. Only modules are imported here that every interpreter has loaded,
or that it needs to run the program.
"""

import sys

ONLY_AST = 0x400  # ast.PyCF_ONLY_AST, without the module


def is_main_test(test):
    return type(test).__name__ == "Compare" and getattr(test.left, "id", None) == "__name__"


def imports(body):
    for statement in body:
        kind = type(statement).__name__
        if kind in ("Import", "ImportFrom"):
            yield statement
        elif kind in ("Try", "TryStar") or kind == "If" and is_main_test(statement.test):
            yield from imports(statement.body)


def run(source, filename, names):
    try:
        tree = compile(source, filename, "exec", ONLY_AST)
    except (SyntaxError, ValueError):
        return  # the program says so itself
    statements = list(imports(tree.body))
    for statement in statements:
        tree.body = [statement]
        try:
            exec(compile(tree, filename, "exec"), names)
        except Exception:
            pass


def find_source(name):
    import runpy  # what `python -m` uses

    spec = runpy.importlib.util.find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = runpy.importlib.util.find_spec(name + ".__main__")
    if spec is None:
        sys.exit("no module named " + name)
    return spec


def main():
    kind, entry = sys.argv[1:]
    del sys.path[0]
    names = {"__name__": "__main__", "__builtins__": __builtins__}
    if kind == "script":
        posix = sys.modules["posix"]
        path = sys.modules["os"].path
        sys.path.insert(0, path.dirname(path.realpath(entry)))
        file = posix.open(entry, posix.O_RDONLY | posix.O_CLOEXEC)
        source = b""
        while True:
            part = posix.read(file, 1 << 20)
            source += part
            if not part:
                break
        posix.close(file)
        run(source, entry, names)
    else:
        spec = find_source(entry)
        names["__package__"] = spec.parent
        source = spec.loader.get_source(spec.name) if hasattr(spec.loader, "get_source") else None
        if source is not None:
            run(source, spec.origin or entry, names)


main()
