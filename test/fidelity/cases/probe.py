"""Everything that can be asked about modules, each imported in a process of its own (a fork).

    python probe.py NAME ...    or the names on standard input, separated by white space
"""

import hashlib
import importlib
import importlib.resources
import importlib.util
import inspect
import os
import pkgutil
import select
import signal
import sys
import traceback

from observe import PACKAGES, describe, module_facts, plain, tell

sys.path.insert(0, PACKAGES)
SECONDS = 60
LONG = 400


def short(value):
    """Long texts by their digests."""
    value = plain(value)
    return hashlib.sha256(value.encode()).hexdigest() if isinstance(value, str) and len(value) > LONG else value


def attempt(function, *arguments):
    try:
        return short(function(*arguments))
    except Exception as error:
        return [type(error).__name__, short(str(error))]


def functions_of(module):
    """Functions that the module defines itself, with those of its classes, in the order of their definition."""
    for name, value in list(vars(module).items()):
        members = [value, *vars(value).values()] if isinstance(value, type) else [value]
        for member in members:
            member = getattr(member, "__func__", member)
            if inspect.isfunction(member) and getattr(member, "__module__", None) == module.__name__:
                yield member


def all_code(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            yield from all_code(constant)


def ask(name):
    before = set(sys.modules)
    result = {}
    try:
        module = importlib.import_module(name) if "." in name else __import__(name)
    except BaseException as error:
        result["error"] = describe(error)
        result["imported"] = [each for each in sys.modules if each not in before]
        return result
    module = sys.modules[name]
    result["imported"] = [each for each in sys.modules if each not in before]
    spec = getattr(module, "__spec__", None)
    if spec is None:
        result["names"] = list(vars(module))
        return result
    result["facts"] = module_facts(module)
    result["values"] = {key: type(value).__name__ for key, value in vars(module).items()}
    result["doc"] = short(module.__doc__) if isinstance(module.__doc__, str) else None
    loader = module.__loader__
    for method in ("get_source", "get_filename", "is_package"):
        result[method] = attempt(lambda: getattr(loader, method)(name))
    result["get_data"] = attempt(lambda: hashlib.sha256(loader.get_data(module.__file__)).hexdigest())
    result["reader"] = attempt(lambda: type(loader.get_resource_reader(name)).__name__)
    result["files"] = attempt(lambda: sorted(each.name for each in importlib.resources.files(module).iterdir()))
    result["code"] = attempt(
        lambda: [(each.co_name, each.co_firstlineno, each.co_filename) for each in all_code(loader.get_code(name))]
    )
    functions = list(functions_of(module))
    result["functions"] = [(f.__qualname__, f.__code__.co_filename, f.__code__.co_firstlineno) for f in functions]
    result["sources"] = [[attempt(inspect.getsource, f), attempt(inspect.getsourcefile, f)] for f in functions[:20]]
    result["file"] = attempt(inspect.getsourcefile, module)
    result["again"] = attempt(lambda: importlib.util.find_spec(name) == spec)
    if spec.submodule_search_locations is not None:
        result["submodules"] = attempt(
            lambda: [(each.name, each.ispkg, repr(each.module_finder)) for each in pkgutil.iter_modules(module.__path__)]
        )
    return result


def in_child(name):
    """What `ask` says, from a child process; None when that dies."""
    sys.stdout.flush()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        status = 1
        try:
            import json

            with os.fdopen(write, "w") as pipe:
                pipe.write(json.dumps(plain(ask(name))))
            status = 0
        finally:
            os._exit(status)
    os.close(write)
    data = b""
    while select.select([read], [], [], SECONDS)[0]:
        piece = os.read(read, 1 << 16)
        if not piece:
            break
        data += piece
    else:
        os.kill(child, signal.SIGKILL)
    os.close(read)
    status = os.waitpid(child, 0)[1]
    import json

    return json.loads(data) if status == 0 else ["ended", status]


for name in sys.argv[1:] or sys.stdin.read().split():
    tell(name, in_child(name))
