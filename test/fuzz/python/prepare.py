"""Writes the bytecode files that programs find beside their sources:  prepare.py LIST

LIST holds pairs of a path and a kind (`Bytecode` in program.ts), as JSON. Run by the interpreter that reads them.
"""

import importlib.util, json, os, py_compile, sys

OTHER = b"print('bytecode of another source')\nfrom_bytecode = __name__\n"


def compiled(path, source, mode):
    """The bytes of a bytecode file for the source text, which need not be what the file holds."""
    loader = importlib.machinery.SourceFileLoader("prepared", path)
    code = loader.source_to_code(source, path)
    if mode == py_compile.PycInvalidationMode.TIMESTAMP:
        stat = os.stat(path)
        return importlib._bootstrap_external._code_to_timestamp_pyc(code, int(stat.st_mtime), stat.st_size)
    checked = mode == py_compile.PycInvalidationMode.CHECKED_HASH
    return importlib._bootstrap_external._code_to_hash_pyc(code, importlib.util.source_hash(source), checked)


def prepare(path, kind):
    with open(path, "rb") as file:
        source = file.read()
    mode = py_compile.PycInvalidationMode.TIMESTAMP
    if "unchecked" in kind:
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    elif "checked" in kind:
        mode = py_compile.PycInvalidationMode.CHECKED_HASH
    if kind in ("stale", "old-unchecked", "old-checked"):
        source = OTHER
    try:
        data = compiled(path, source, mode)
    except Exception:  # not a source of this Python: there is no bytecode of it
        return
    target = path + "c" if kind == "only" else importlib.util.cache_from_source(path)
    if kind == "damaged":
        data = data[: len(data) // 2]
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as file:
        file.write(data)
    if kind == "only":
        os.unlink(path)


sys.dont_write_bytecode = True
with open(sys.argv[1], encoding="utf-8") as listing:
    for path, kind in json.load(listing):
        try:
            prepare(path, kind)
        except OSError as error:
            print(ascii(path), error)
