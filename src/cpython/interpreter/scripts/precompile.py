"""Writes byte code of all sources below a folder: `[root, the folder that it is going to be]` are the request, in
JSON (precompile.py ANSWER REQUEST).

One process, in the order of names: which references marshal shares depends on what a process compiled and imported
before. So it is to be run with a `pycache_prefix` where nothing lies: what byte code there is in the library decides
nothing. The byte code is not checked against its source (PEP 552), so that it holds no time.
"""

import json
import os
import py_compile
import sys


def sources(root):
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            if name.endswith(".py"):
                byte_code = f"{name[:-3]}.{sys.implementation.cache_tag}.pyc"
                yield os.path.join(folder, name), os.path.join(folder, "__pycache__", byte_code)


def read_request():
    with open(sys.argv[2], encoding="utf-8") as file:
        return json.load(file)


def answer_with(value):
    """In a file: standard output belongs to what others print."""
    with open(sys.argv[1], "w", encoding="ascii") as file:
        json.dump(value, file)


def main():
    root, shown = read_request()
    count = 0
    for path, byte_code in sources(root):
        try:
            py_compile.compile(
                path,
                cfile=byte_code,
                dfile=shown + path[len(root):],
                doraise=True,
                optimize=0,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
            count += 1
        except py_compile.PyCompileError:
            pass  # CPython's tests and lib2to3 have sources that are no Python 3
    answer_with({"count": count})


main()
