"""Writes the C of a table of frozen modules as CPython has them: marshal bytes.

    python marshal_frozen.py OUT     (a JSON array of {"name", "path"} on standard input)

A program that the file is linked into finds these modules as it finds those that CPython freezes itself
(PyImport_FrozenModules, Python/import.c), for they are in the table before main() begins.
"""

import json
import marshal
import os
import sys

rows = []
with open(sys.argv[1], "w") as out:
    out.write("#include <Python.h>\n")
    for index, module in enumerate(json.load(sys.stdin)):
        with open(module["path"], "rb") as file:
            source = file.read()
        code = compile(source, f"<frozen {module['name']}>", "exec", dont_inherit=True, optimize=0)
        data = marshal.dumps(code)
        is_package = int(os.path.basename(module["path"]) == "__init__.py")
        out.write(f"static const unsigned char code_{index}[] = {{{','.join(map(str, data))}}};\n")
        rows.append(
            f'{{.name = "{module["name"]}", .code = code_{index}, .size = {len(data)}, .is_package = {is_package}}},\n'
        )
    out.write(f"static const struct _frozen table[] = {{\n{''.join(rows)}{{0}}}};\n")
    out.write("__attribute__((constructor)) static void install(void) { PyImport_FrozenModules = table; }\n")
