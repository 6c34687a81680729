"""Runs a Python program as the interpreter itself would, and writes down which modules it imports, and which regular
expressions and source text it compiles.

    python [options] trace_imports.py OUT script PROGRAM ABSOLUTE REALDIR [ARGUMENT ...]
    python [options] trace_imports.py OUT module NAME [ARGUMENT ...]
    python [options] -c BOOTSTRAP trace_imports.py OUT code TEXT [ARGUMENT ...]

BOOTSTRAP executes this file in a namespace of its own: a `-c` program is traced from a real `-c` run, because CPython
3.13 loads linecache for `-c` only. OUT gets a JSON object: `modules`, an array of module records, and `compiled`, an object with two arrays: `expressions`, of
{"bytes", "text", "flags"}, and `snippets`, of {"text", "filename", "flags"}. The program's own output and exit status are left alone.

Nothing may be imported here beyond what every interpreter has loaded when a program begins, so JSON is written by hand.
"""


def _trace():
    import sys

    posix = sys.modules["posix"]
    bootstrap = sys.modules["_frozen_importlib"]
    external = sys.modules["_frozen_importlib_external"]

    arguments = sys.argv[1:]
    if sys.argv[0] == "-c":
        del arguments[0]
    out, kind = arguments[0], arguments[1]
    main = sys.modules["__main__"].__dict__

    # ---- what is written down -----------------------------------------------------------------------------------

    seen = {}

    def text(value):
        if value is None:
            return "null"
        parts = ['"']
        for char in value:
            code = ord(char)
            if 32 <= code < 127 and char not in '"\\':
                parts.append(char)
            elif code < 0x10000:
                parts.append("\\u%04x" % code)
            else:
                parts.append("\\u%04x\\u%04x" % (0xD7C0 + (code >> 10), 0xDC00 + (code & 0x3FF)))
        parts.append('"')
        return "".join(parts)

    kinds = {
        bootstrap.BuiltinImporter: "builtin",
        bootstrap.FrozenImporter: "frozen",
        external.SourceFileLoader: "source",
        external.ExtensionFileLoader: "extension",
    }

    def is_file(path):
        try:
            return posix.stat(path).st_mode & 0o170000 == 0o100000
        except (OSError, ValueError):
            return False

    def real_loader(loader):
        """A lazy loader has the one that loads in the end."""
        util = sys.modules.get("importlib.util")
        lazy = getattr(util, "LazyLoader", None)  # while importlib.util itself is loaded, there is none yet
        while lazy is not None and isinstance(loader, lazy) and hasattr(loader, "loader"):
            loader = loader.loader
        return loader

    def note(name, spec):
        if name in seen or name == "__main__":
            return
        loader = real_loader(getattr(spec, "loader", None))
        # A subclass of a loader may change the code that it loads, so only the classes themselves have a kind.
        # Built-in and frozen modules have the class as their loader, files an instance.
        loader_class = loader if isinstance(loader, type) else type(loader)
        kind = kinds.get(loader_class, "other")
        origin = getattr(spec, "origin", None)
        if kind == "frozen":
            # Since 3.11, where the standard library's source is.
            origin = getattr(getattr(spec, "loader_state", None), "filename", None)
        elif not getattr(spec, "has_location", False):
            origin = None
        elif kind == "source" and not is_file(origin):
            kind = "other"  # a spec that somebody made for a file that is not there
        seen[name] = '{"name":%s,"isPackage":%s,"kind":"%s","origin":%s,"loader":%s}' % (
            text(name),
            "true" if getattr(spec, "submodule_search_locations", None) is not None else "false",
            kind,
            text(origin if isinstance(origin, str) else None),
            text(None if loader is None else loader_class.__name__),
        )

    def note_loaded():
        for name, module in list(sys.modules.items()):
            spec = getattr(module, "__spec__", None)
            # An alias (os.path) is no module of its own.
            if isinstance(name, str) and getattr(spec, "name", None) == name:
                note(name, spec)

    compilers = ("re._compiler", "sre_compile")  # FF_RE_MODULES of the layouts
    expressions = {}

    def note_expression(pattern, flags):
        # Other types may be equal to these without being the same, and a subclass may be anything.
        if type(pattern) in (str, bytes) and type(flags) is int:
            value = pattern if type(pattern) is str else pattern.decode("latin-1")
            expressions[type(pattern), pattern, flags] = '{"bytes":%s,"text":%s,"flags":%d}' % (
                "true" if type(pattern) is bytes else "false",
                text(value),
                flags,
            )

    def watch_expressions(compiler):
        """Takes the place of the function that compiles regular expressions (Lib/re/_compiler.py; sre_compile in 3.10)."""
        compile_expression = compiler.compile

        def compile(p, flags=0):
            compiled = compile_expression(p, flags)
            note_expression(p, flags)
            return compiled

        compiler.compile = compile

    snippets = {}
    # CO_FUTURE_… of Include/cpython/code.h: the flags of code that hold for what it has compiled.
    future = 0x1FE0000

    def watch_compiler(event, details):
        """Hears of all text that is compiled (Parser/peg_api.c). That of a file is no business of ours."""
        if event != "compile":
            return
        source, filename = details
        if type(source) is bytes and type(filename) is str and filename[:1] == "<":
            try:
                flags = sys._getframe(1).f_code.co_flags & future
                value = source.decode("utf-8")
            except ValueError:  # no frame; not compiled from a str
                return
            snippets[value, filename, flags] = '{"text":%s,"filename":%s,"flags":%d}' % (text(value), text(filename), flags)

    process = posix.getpid()

    def write():
        if posix.getpid() != process:
            return  # a forked child
        note_loaded()
        # The module that -m runs is read, not imported.
        spec = getattr(sys.modules.get("__main__"), "__spec__", None)
        if spec is not None:
            note(spec.name, spec)
        file = posix.open(out, posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC, 0o600)
        data = '{"modules":[%s],\n"compiled":{"expressions":[%s],\n"snippets":[%s]}}\n' % (
            ",\n".join(list(seen.values())),
            ",\n".join(list(expressions.values())),
            ",\n".join(list(snippets.values())),
        )
        data = data.encode("ascii")
        while data:
            data = data[posix.write(file, data) :]
        posix.close(file)

    # ---- where it is seen ---------------------------------------------------------------------------------------

    load_unlocked = bootstrap._load_unlocked

    def _load_unlocked(spec):
        module = load_unlocked(spec)
        note(spec.name, spec)
        if spec.name in compilers:
            watch_expressions(module)
        return module

    # Code that counts frames or trims tracebacks must take this one for importlib's own.
    _load_unlocked.__code__ = _load_unlocked.__code__.replace(co_filename=load_unlocked.__code__.co_filename)
    bootstrap._load_unlocked = _load_unlocked

    def before(module, name):
        function = getattr(module, name, None)
        if function is not None:

            def wrapper(*args, **keywords):
                write()
                return function(*args, **keywords)

            setattr(module, name, wrapper)

    # Ways to end that skip the exit handlers.
    for module in (posix, sys.modules.get("os")):
        for name in ("_exit", "execv", "execve"):
            before(module, name)

    note_loaded()
    for name in compilers:
        if name in sys.modules and "re" in sys.modules:
            # What is loaded at start has compiled some already, before anybody could watch: the cache has them.
            for _, pattern, flags in list(sys.modules["re"]._cache):
                note_expression(pattern, flags)
            watch_expressions(sys.modules[name])
    had_atexit = "atexit" in sys.modules
    import atexit

    atexit.register(write)  # the first to be registered is the last to be called
    if not had_atexit:
        del sys.modules["atexit"]
        seen.pop("atexit", None)

    # ---- the program --------------------------------------------------------------------------------------------

    has_path0 = not getattr(sys.flags, "safe_path", sys.flags.isolated)

    def begin(code):
        sys.addaudithook(watch_compiler)
        return code

    def reset_main(loader):
        for name in list(main):
            if name not in ("__name__", "__package__", "__spec__", "__annotations__", "__builtins__"):
                del main[name]
        main["__doc__"] = None
        main["__loader__"] = loader

    if kind == "code":
        sys.argv[:] = ["-c"] + arguments[3:]
        return begin(compile(arguments[2], "<string>", "exec", dont_inherit=True)), main

    if kind == "module":
        sys.argv[:] = ["-m"] + arguments[3:]
        if has_path0:
            sys.path[0] = posix.getcwd()
        reset_main(bootstrap.BuiltinImporter)
        code = "import runpy; runpy._run_module_as_main(%r)" % arguments[2]
        return begin(compile(code, "<frozen runpy>", "exec")), {}

    program, absolute, directory = arguments[2:5]
    sys.argv[:] = [program] + arguments[5:]
    # A directory or a zip file with a __main__.py (Modules/main.c, pymain_get_importer).
    if external.PathFinder._path_importer_cache(program) is not None:
        if has_path0:
            sys.path[0] = program
        else:
            sys.path.insert(0, program)
        reset_main(bootstrap.BuiltinImporter)
        code = "import runpy; runpy._run_module_as_main('__main__', False)"
        return begin(compile(code, "<frozen runpy>", "exec")), {}

    if has_path0:
        sys.path[0] = directory
    with sys.modules["_io"].open(absolute, "rb") as file:
        data = file.read()
    if absolute.endswith(".pyc"):
        reset_main(external.SourcelessFileLoader("__main__", absolute))
        code = sys.modules["marshal"].loads(data[16:])
    else:
        reset_main(external.SourceFileLoader("__main__", absolute))
        code = compile(data, absolute, "exec", dont_inherit=True)
    main["__file__"] = absolute
    main["__cached__"] = None
    return begin(code), main


# With globals of its own, so that emptying __main__ for the program does not empty the tracer.
exec(*type(_trace)(_trace.__code__, {"__builtins__": __builtins__})())
