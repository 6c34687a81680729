"""Writes bytecode files for all sources below a directory. The request is `[root, the future path of the directory]`, in
JSON (precompile.py ANSWER REQUEST).

One process compiles them in the order of names, because the references that marshal shares depend on what a process compiled and imported
before. Run it with an empty `pycache_prefix`, so that existing bytecode in the library has
no influence. The bytecode is not checked against its source (PEP 552), so that it contains no time.
"""

import sys

# This script's directory is on the path for its helper only.
sys.path.insert(0, __file__.rpartition("/")[0])
from request_files import answer_with, read_request

del sys.path[0]

import os
import py_compile


def sources(root):
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            if name.endswith(".py"):
                byte_code = f"{name[:-3]}.{sys.implementation.cache_tag}.pyc"
                yield os.path.join(folder, name), os.path.join(folder, "__pycache__", byte_code)


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
