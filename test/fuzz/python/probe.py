"""What a program leaves behind, told in lines `what = value` on standard output, after the program itself has ended.

Executed in a namespace with ROOT, the directory of the program, and TAG, which the names of its modules contain. Nothing is
imported before the state of the import system was written down.
"""

import sys

sys.settrace(None)
sys.setprofile(None)
_lines = []


def say(what, value):
    _lines.append("%s = %s" % (ascii(what)[1:-1], value if type(value) is str else ascii(value)))


def attempt(what, function, *arguments):
    try:
        value = function(*arguments)
    except BaseException as error:
        value = "%s: %s" % (type(error).__name__, ascii(error))
    say(what, value)


def show(value, depth=0):
    """A text for any value: without what differs from run to run."""
    kind = type(value)
    if kind in (int, float, complex, bool, bytes, str, type(None), type(...)):
        return ascii(value)[:400]
    if kind in (list, tuple, set, frozenset) and depth < 4:
        items = [show(each, depth + 1) for each in value][:60]
        if kind in (set, frozenset):
            items.sort()
        return "%s(%s)" % (kind.__name__, ", ".join(items))
    if kind is dict and depth < 3:
        return "{%s}" % ", ".join(show(key, 3) + ": " + show(value[key], depth + 1) for key in list(value)[:60])
    if kind is type(sys):
        return "<module %s>" % ascii(value.__dict__.get("__name__"))
    try:
        return ascii(value)[:400]
    except BaseException as error:
        return "%s without repr: %s" % (kind.__name__, type(error).__name__)


def ours(name, module):
    if name in ("__main__", "__mp_main__"):
        return False
    names = module.__dict__ if isinstance(module, type(sys)) else {}
    return TAG in str(name) or any(ROOT in str(names.get(each)) for each in ("__file__", "__path__", "__origin__"))


def state():
    own = {"_flashfreeze", "sitecustomize", "usercustomize"}
    say("type of sys.modules", type(sys.modules).__name__)
    say("sys.modules", ascii([name for name in sys.modules if name not in own]))
    say("sys.meta_path", show(sys.meta_path))
    say("sys.path_hooks", show(sys.path_hooks))
    say("sys.path", show(sys.path))
    say("sys.path_importer_cache", show([key for key in sys.path_importer_cache if ROOT in str(key)]))
    for key in list(sys.path_importer_cache):
        if ROOT in str(key):
            finder = sys.path_importer_cache[key]
            say("finder of %s" % key, type(finder).__name__ + " " + show(sorted(vars(finder)) if hasattr(finder, "__dict__") else ""))
    for each in ("argv", "dont_write_bytecode", "pycache_prefix", "flags"):
        say("sys." + each, show(getattr(sys, each, None)))
    main = sys.modules.get("__main__")
    for each in ("__spec__", "__file__", "__cached__", "__package__", "__loader__"):
        say("__main__." + each, show(getattr(main, each, "absent")))


def codes_of(code):
    yield code
    for each in code.co_consts:
        if type(each) is type(code):
            yield from codes_of(each)


def constants(value, numbers, out):
    """Which constants are one object."""
    number = numbers.setdefault(id(value), len(numbers))
    out.append("%d:%s" % (number, type(value).__name__))
    if type(value) is tuple:
        for each in value:
            constants(each, numbers, out)
    elif type(value) is frozenset:
        for each in sorted(value, key=show):
            constants(each, numbers, out)


def tell_code(what, root):
    import binascii

    numbers, out = {}, []
    for code in codes_of(root):
        name = what + " code " + getattr(code, "co_qualname", code.co_name)
        for each in ("co_filename", "co_name", "co_firstlineno", "co_flags", "co_argcount", "co_posonlyargcount"):
            say(name + " " + each, show(getattr(code, each)))
        for each in ("co_kwonlyargcount", "co_nlocals", "co_stacksize", "co_names", "co_varnames", "co_freevars", "co_cellvars"):
            say(name + " " + each, show(getattr(code, each)))
        say(name + " consts", show([each for each in code.co_consts if type(each) is not type(code)]))
        lines = list(code.co_lines())
        positions = list(code.co_positions()) if hasattr(code, "co_positions") else []
        say(name + " lines", ascii(binascii.crc32(ascii([lines, positions]).encode())))
        say(name + " bytecode", ascii(binascii.crc32(code.co_code + getattr(code, "co_exceptiontable", b""))))
        for each in code.co_consts:
            if type(each) is not type(code):
                constants(each, numbers, out)
    say(what + " identities", ",".join(out)[:3000])


def tell_function(what, function):
    import inspect, pickle

    tell_code(what, function.__code__)
    for each in ("__module__", "__qualname__", "__doc__", "__defaults__", "__kwdefaults__", "__annotations__"):
        attempt(what + " " + each, lambda: show(getattr(function, each)))
    attempt(what + " source", lambda: ascii(inspect.getsource(function)))
    attempt(what + " signature", lambda: ascii(str(inspect.signature(function))))
    attempt(what + " pickle", lambda: ascii(pickle.dumps(function, 2)))
    attempt(what + " pickled", lambda: pickle.loads(pickle.dumps(function)) is function)
    attempt(what + " is of the module's file", lambda: function.__code__.co_filename == function.__globals__.get("__file__"))
    if function.__name__.startswith("call"):
        import traceback

        try:
            say(what + " result", show(function()))
        except BaseException as error:
            frames = traceback.extract_tb(error.__traceback__)
            say(what + " raises", show([(each.filename, each.lineno, each.name, each.line) for each in frames]))
            attempt(what + " traceback", lambda: ascii("".join(traceback.format_exception(type(error), error, error.__traceback__))))


def tell_spec(what, spec):
    import importlib.machinery

    if type(spec) is not importlib.machinery.ModuleSpec:
        say(what, show(spec))
        return
    for each, value in list(vars(spec).items()):
        say("%s.%s" % (what, each), show(value))
    for each in ("cached", "parent", "has_location"):
        attempt("%s.%s" % (what, each), lambda: show(getattr(spec, each)))
    loader = spec.loader
    if hasattr(loader, "__dict__") and not isinstance(loader, type):
        say(what + ".loader", type(loader).__name__ + " " + show({key: vars(loader)[key] for key in vars(loader)}))


def tell_module(name, module):
    import importlib.resources, inspect, linecache, pkgutil, types

    what = "module " + str(name)
    if not isinstance(module, types.ModuleType):
        say(what, show(module))
        return
    names = module.__dict__
    say(what, type(module).__name__)
    say(what + " names", ascii(list(names)))
    for each in ("__name__", "__doc__", "__package__", "__loader__", "__file__", "__cached__", "__path__"):
        say(what + " " + each, show(names.get(each, "absent")))
    spec = names.get("__spec__")
    tell_spec(what + " __spec__", spec)
    if spec is not None:
        say(what + " one loader", names.get("__loader__") is getattr(spec, "loader", None))
    for key, value in list(names.items()):
        if key[:2] == "__":
            continue
        if isinstance(value, types.FunctionType) and value.__module__ == names.get("__name__"):
            tell_function("%s.%s" % (what, key), value)
        elif isinstance(value, type) and value.__module__ == names.get("__name__"):
            say("%s.%s" % (what, key), ascii([each for each in vars(value)]))
            for inner in list(vars(value).values()):
                if isinstance(inner, types.FunctionType) and inner.__module__ == names.get("__name__"):
                    tell_function("%s.%s.%s" % (what, key, inner.__name__), inner)
        else:
            say("%s.%s" % (what, key), show(value))
    attempt(what + " source", lambda: ascii(inspect.getsource(module)))
    attempt(what + " sourcefile", lambda: ascii(inspect.getsourcefile(module)))
    attempt(what + " third line", lambda: ascii(linecache.getline(names.get("__file__"), 3, names)))
    loader = names.get("__loader__")
    for each in ("get_filename", "get_source", "is_package", "get_code"):
        attempt("%s %s" % (what, each), lambda: show(getattr(loader, each)(names.get("__name__"))).split(" at 0x")[0])
    if "__path__" in names:
        attempt(what + " submodules", lambda: show([each[1:] for each in pkgutil.iter_modules(names["__path__"])]))
        attempt(what + " data", lambda: pkgutil.get_data(names["__name__"], "data.txt"))
        attempt(what + " resources", lambda: show(sorted(each.name for each in importlib.resources.files(module).iterdir() if each.name != "__pycache__")))
        attempt(what + " resource", lambda: importlib.resources.files(module).joinpath("data.txt").read_bytes())


def count_static():
    """How many modules of the program were made of static code, also those that failed: for the fuzzer, not compared.

    It looks at no module, imports nothing and asks no finder: any of these can run code of the program, which prints.
    """
    if "_flashfreeze" not in sys.builtin_module_names and "_flashfreeze" not in sys.modules:
        return None
    flashfreeze = sys.modules.get("_flashfreeze")
    if flashfreeze is None:
        flashfreeze = sys.modules["_imp"].create_builtin(type(sys.implementation)(name="_flashfreeze"))
        sys.modules["_imp"].exec_builtin(flashfreeze)
    loaded, used = EARLY
    others = [each for each in flashfreeze.modules() if TAG not in each.name and each.name in sys.modules and each.name not in loaded]
    return max(0, flashfreeze.info()["used"] - used - len(others))


def tell():
    state()
    for name, module in list(sys.modules.items()):
        if ours(name, module):
            try:
                tell_module(name, module)
            except BaseException as error:
                say("module %s broke the probe" % name, show(error))
    say("sys.modules after the probe", ascii([name for name in sys.modules if TAG in str(name)]))
    sys.stdout.write("\n".join(_lines) + "\n")
    sys.stdout.flush()


try:
    # Before the probe imports anything, or asks loaders.
    _used = count_static()
except BaseException:
    _used = None
tell()
try:
    if _used is not None:
        with open(ROOT + ".static", "w") as _file:
            _file.write(str(_used))
except BaseException:
    pass
