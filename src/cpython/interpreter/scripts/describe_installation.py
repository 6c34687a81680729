"""Writes down, as one JSON object, what flashfreeze needs to know of an installed Python to link with it.

    python -B -s -X frozen_modules=on describe_installation.py ANSWER REQUEST

The request is {"frozen": {name: path}, "variables": [name, ...]}: frozen modules with their sources, and the
variables of sysconfig to print. The answer:

{"variables": {name: text},
 "headers": [directory, ...], with Python.h and pyconfig.h
 "baseExecutable": path, for a virtual environment its base Python
 "libpython": path or null, the shared library that holds the interpreter
 "reproducible": [name, ...], those of the frozen modules whose code is what their source compiles to
 "files": [path, ...]}, the files that this was computed from
"""

import sys

# This script's directory is on the path for its helper only: what else it holds must not hide modules of the standard library.
if not getattr(sys.flags, "safe_path", sys.flags.isolated):
    del sys.path[0]
sys.path.insert(0, __file__.rpartition("/")[0])
from request_files import answer_with, read_request

del sys.path[0]

import _imp
import marshal
import os
import sysconfig

CODE = type(compile("", "", "exec"))


def is_same(frozen, fresh):
    """Whether two constants or code objects are the same. CPython's own static code (3.11, 3.12) has tuples where its
    source has frozensets (Tools/build/deepfreeze.py, generate_frozenset); this does not count as a difference."""
    if type(frozen) is CODE and type(fresh) is CODE:
        return (
            len(frozen.co_consts) == len(fresh.co_consts)
            and all(map(is_same, frozen.co_consts, fresh.co_consts))
            # Format 2 has no references, which depend on reference counts.
            and marshal.dumps(frozen.replace(co_consts=()), 2) == marshal.dumps(fresh.replace(co_consts=()), 2)
        )
    if type(fresh) is frozenset and type(frozen) in (frozenset, tuple):
        return sorted(map(repr, frozen)) == sorted(map(repr, fresh))
    # Unlike ==, this tells 1 from True and 0.0 from -0.0, in any depth.
    return repr(frozen) == repr(fresh)


def compile_as(frozen, source):
    with open(source, "rb") as file:
        return compile(file.read(), frozen.co_filename, "exec", dont_inherit=True, optimize=0)


def header_folders(variables):
    # sysconfig's variables name the prefix of the build; of a Python that was unpacked elsewhere, nothing is there, or
    # another Python's. Its paths are worked out from where the running Python lies (Lib/sysconfig.py, get_path()).
    own_prefix = sysconfig.get_path("include")
    common = own_prefix if os.path.isfile(os.path.join(own_prefix, "Python.h")) else variables["INCLUDEPY"]
    # Debian keeps what differs between machines apart.
    own = os.path.join(os.path.dirname(common), variables.get("MULTIARCH", ""), os.path.basename(common))
    folders = (common, os.path.dirname(sysconfig.get_config_h_filename()), own)
    return [folder for folder in dict.fromkeys(folders) if os.path.isdir(folder)]


def library_folder(variables):
    """The directory of python.o and the static archive: that of the installed Makefile."""
    own_prefix = os.path.dirname(sysconfig.get_makefile_filename())
    return own_prefix if os.path.isdir(own_prefix) else str(variables.get("LIBPL", ""))


def base_executable():
    base = getattr(sys, "_base_executable", sys.executable)
    if sys.prefix == sys.base_prefix or base != sys.executable:
        return base
    # Up to 3.10 it is not known in a virtual environment.
    return os.path.join(sys.base_exec_prefix, "bin", "python%d.%d" % sys.version_info[:2])


def mapped_libpython():
    """The shared library of the running code, if the system reports it."""
    try:
        with open("/proc/self/maps") as maps:
            paths = [line.split(None, 5)[-1].strip() for line in maps]
    except OSError:
        return None
    for path in paths:
        if os.path.basename(path).startswith("libpython3.") and os.path.isabs(path):
            return path
    return None


def main():
    request = read_request()
    variables = sysconfig.get_config_vars()
    files = {sys.executable, __file__, read_request.__code__.co_filename}
    files.update(m.__file__ for name, m in sys.modules.items() if name.startswith("_sysconfigdata"))
    environment = os.path.join(sys.prefix, "pyvenv.cfg")
    if os.path.isfile(environment):
        files.add(environment)
    reproducible = []
    for name, source in request["frozen"].items():
        # Not all are installed: some are for CPython's own tests only.
        if os.path.isfile(source):
            files.add(source)
            frozen = _imp.get_frozen_object(name)
            if is_same(frozen, compile_as(frozen, source)):
                reproducible.append(name)
    libpython = mapped_libpython()
    if libpython is not None:
        files.add(libpython)
    answer = {
        "variables": dict(
            {name: str(variables.get(name, "")) for name in request["variables"]}, LIBPL=library_folder(variables)
        ),
        "headers": header_folders(variables),
        "baseExecutable": base_executable(),
        "libpython": libpython,
        "reproducible": reproducible,
        "files": sorted(files),
    }
    answer_with(answer)


main()
