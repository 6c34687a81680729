"""Describes what `site` makes of the environment before a program begins, and where the codec of a source encoding comes from that only
`site` makes known: a .pth file, sitecustomize, an editable install (describe_site.py ANSWER REQUEST).

The request is {"encoding": name}, or {}. The answer is {"start": [text, ...], "files": [path, ...], "sites": [path, ...], "folders": [path, ...]}:
the entries of sys.path, the finders and the names of the modules that are loaded; every file outside the standard library that was
loaded before the codec was used for the first time or by that use; the directories whose .pth files `site` reads, also those that are not
there; and these with those on sys.path. Whether the codec is known does not matter: another file may make it known.
"""

import sys

if not getattr(sys.flags, "safe_path", sys.flags.isolated):
    del sys.path[0]
sys.path.insert(0, __file__.rpartition("/")[0])
modules_at_start = sorted(map(str, sys.modules))
from request_files import answer_with, read_request

del sys.path[0]

import codecs
import os
import site


def is_below(path, folder):
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def site_folders():
    return absolute([*site.getsitepackages(), site.getusersitepackages()])


def absolute(folders):
    return sorted({os.path.abspath(folder) for folder in folders if isinstance(folder, str) and not os.path.isfile(folder)})


def loaded_files(library, folders):
    """The files of all modules, except those of the standard library: the interpreter's identity has them."""
    inner = [folder for folder in folders if is_below(folder, library) and os.path.basename(folder) != "lib-dynload"]
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        # These are ours, and decide nothing here.
        if not isinstance(path, str) or name in ("__main__", "request_files", "_flashfreeze"):
            continue
        path = os.path.abspath(path)
        if is_below(path, library) and not any(is_below(path, folder) for folder in inner):
            continue
        if os.path.isfile(path):
            yield path


def path_files(folders):
    for folder in folders:
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith(".pth") and os.path.isfile(path):
                yield path


def kinds(finders):
    return [getattr(each, "__qualname__", type(each).__qualname__) for each in finders]


def use(encoding):
    try:
        # As the compiler reads a source.
        codecs.getreader(encoding)
        b"pass\n".decode(encoding)
    except BaseException:  # a codec may raise anything
        pass


def main():
    start = [*map(repr, sys.path), *kinds(sys.meta_path), *kinds(sys.path_hooks), *modules_at_start]
    encoding = read_request().get("encoding")
    if encoding is not None:
        use(encoding)
    sites = site_folders()
    folders = absolute([*sites, *sys.path])
    library = os.path.dirname(os.path.abspath(os.__file__))
    files = {*loaded_files(library, folders), *path_files(folders)}
    answer_with({"start": start, "files": sorted(files), "sites": sites, "folders": folders})


main()
