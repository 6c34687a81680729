"""What the cases share. Each runs in the unmodified and in the frozen interpreter, and tells what it saw, as lines of
JSON: [what, value]. Values that have to differ (addresses, temporary folders, the interpreter's file) get names.
"""

import json
import os
import re
import sys
import tempfile
import traceback

# Where the frozen modules of the tests lie.
PACKAGES = os.environ["FIDELITY_PACKAGES"]
names = {}


def name_path(path, name):
    names[path] = name
    return path


def temporary_folder():
    import atexit
    import shutil

    folder = os.path.realpath(tempfile.mkdtemp(prefix="flashfreeze-fidelity-"))
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(folder, ignore_errors=True))
    return name_path(folder, "<tmp%d>" % len(names))


def plain(value):
    if isinstance(value, str):
        for path, name in names.items():
            value = value.replace(path, name)
        return re.sub(r"0x[0-9a-f]+", "0x", value)
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(each) for each in value), key=repr)
    if isinstance(value, dict):
        return {plain(str(key)): plain(each) for key, each in value.items()}
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return plain(repr(value))


def tell(what, value=None):
    print(json.dumps([what, plain(value)]), flush=True)


def describe(error, seen=()):
    """An exception: what it says, where it came from, and what caused it."""
    if error is None or id(error) in seen:
        return None
    known = {*seen, id(error)}
    return {
        "type": type(error).__name__,
        "text": str(error),
        "fields": {key: getattr(error, key) for key in ("name", "path", "name_from") if hasattr(error, key)},
        "frames": frames_of(error),
        "cause": describe(error.__cause__, known),
        "context": describe(error.__context__, known),
        "printed": printed(error),
    }


def printed(error):
    """As Python prints it. That of 3.15 looks for similar names along sys.path, and fails where that has what is no path."""
    try:
        return traceback.format_exception(type(error), error, error.__traceback__)
    except Exception as failure:
        return [type(failure).__name__, str(failure)]


def frames_of(error):
    return [
        (os.path.basename(frame.filename), frame.lineno, frame.name, frame.line)
        for frame in traceback.extract_tb(error.__traceback__)
    ]


def attempt(what, function, *arguments):
    """Tells what a call gives, or how it fails."""
    try:
        value = function(*arguments)
    except BaseException as error:
        tell(what, describe(error))
        return None
    tell(what, value)
    return value


def run(what, text, **variables):
    """Executes source text as it would be written in a module, so that `import` statements are what is tried."""
    name = f"<{what}>"
    import linecache

    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    scope = {"__name__": "tried", "__builtins__": __builtins__, **variables}
    try:
        exec(compile(text, name, "exec"), scope)
    except BaseException as error:
        tell(what, describe(error))
    else:
        tell(what, scope.get("result"))
    return scope


def module_facts(module):
    spec = module.__spec__
    return {
        "names": list(vars(module)),
        "file": getattr(module, "__file__", None),
        "cached": getattr(module, "__cached__", None),
        "path": getattr(module, "__path__", None),
        "package": module.__package__,
        "spec": spec,
        "loader": module.__loader__,
        "same loader": module.__loader__ is spec.loader,
        "parent": spec.parent,
        "where": spec.submodule_search_locations,
        "origin": spec.origin,
        "has_location": spec.has_location,
        "spec cached": spec.cached,
        "state": spec.loader_state,
        "fields": {key: value for key, value in sorted(vars(spec).items()) if key != "loader"},
    }
