"""Runs a Python program as the interpreter itself would, and writes down which modules it imports, and which regular
expressions and source text it compiles.

    python [options] trace_imports.py OUT SEED script PROGRAM ABSOLUTE REALDIR [ARGUMENT ...]
    python [options] trace_imports.py OUT SEED module NAME [ARGUMENT ...]
    python [options] -c BOOTSTRAP trace_imports.py OUT SEED code TEXT [ARGUMENT ...]

BOOTSTRAP executes this file in a namespace of its own: a `-c` program is traced from a real `-c` run, because CPython
3.13 loads linecache for `-c` only. SEED is what the program sees as PYTHONHASHSEED: `=VALUE`, or nothing if it is not set. OUT gets one JSON object a line, as things happen, so a program
that is killed has a record, too:

    {"module": {…}}                                 a module record; of modules whose import failed, too
    {"expression": {"bytes", "text", "flags"}}      a regular expression that was compiled
    {"snippet": {"text", "filename", "flags"}}      source text that was compiled
    {"variable": NAME}                              an environment variable that was read, set or not; null stands for all of them
    {"begun": [NAME, …]}                            modules with source and extension modules that were imported, in the order in which that began
    {"end": true}                                   the program came to its end, or replaced itself by another one

The program's own output and exit status are left alone. Nothing may be imported here beyond what every interpreter has
loaded when a program begins, so JSON is written by hand.
"""


def _trace():
    import sys

    posix = sys.modules["posix"]
    bootstrap = sys.modules["_frozen_importlib"]
    external = sys.modules["_frozen_importlib_external"]

    arguments = sys.argv[1:]
    if sys.argv[0] == "-c":
        del arguments[0]
    out, seed, kind = arguments[:3]
    main = sys.modules["__main__"].__dict__

    # ---- what is written down -----------------------------------------------------------------------------------

    seen = set()
    process = posix.getpid()

    def put(line):
        """Appends to OUT, which is opened each time: programs close descriptors that they do not know."""
        if posix.getpid() != process:
            return  # a forked child
        data = (line + "\n").encode("ascii")
        try:
            file = posix.open(out, posix.O_WRONLY | posix.O_APPEND | posix.O_CLOEXEC)
            try:
                while data:
                    data = data[posix.write(file, data) :]
            finally:
                posix.close(file)
        except OSError:
            pass  # the program took another root or user, or has no descriptor left: `end` is missing then

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

    def note(name, spec, is_run=False):
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
        line = '{"module":{"name":%s,"isPackage":%s,"kind":"%s","origin":%s,"loader":%s%s}}' % (
            text(name),
            "true" if getattr(spec, "submodule_search_locations", None) is not None else "false",
            kind,
            text(origin if isinstance(origin, str) else None),
            text(None if loader is None else loader_class.__name__),
            ',"isRun":true' if is_run else "",
        )
        seen.add(name)
        put(line)

    def note_loaded():
        for name, module in list(sys.modules.items()):
            try:
                spec = getattr(module, "__spec__", None)
                # An alias (os.path) is no module of its own.
                if isinstance(name, str) and getattr(spec, "name", None) == name:
                    note(name, spec)
            except Exception:
                pass  # an object of others in the place of a module may raise anything

    compilers = ("re._compiler", "sre_compile")  # FF_RE_MODULES of the layouts
    expressions = set()

    def note_expression(pattern, flags):
        # Other types may be equal to these without being the same, and a subclass may be anything.
        if type(pattern) in (str, bytes) and type(flags) is int:
            value = pattern if type(pattern) is str else pattern.decode("latin-1")
            key = type(pattern), pattern, flags
            if key not in expressions:
                expressions.add(key)
                is_bytes = "true" if type(pattern) is bytes else "false"
                put('{"expression":{"bytes":%s,"text":%s,"flags":%d}}' % (is_bytes, text(value), flags))

    def watch_expressions(compiler):
        """Takes the place of the function that compiles regular expressions (Lib/re/_compiler.py; sre_compile in 3.10)."""
        compile_expression = compiler.compile

        def compile(p, flags=0):
            compiled = compile_expression(p, flags)
            note_expression(p, flags)
            return compiled

        compiler.compile = compile

    snippets = set()
    # CO_FUTURE_… of Include/cpython/code.h: the flags of code that hold for what it has compiled.
    future = 0x1FE0000

    def watch_compiler(details):
        """Is called with all text that is compiled (Parser/peg_api.c). Text of a file is ignored."""
        source, filename = details
        if type(source) is bytes and type(filename) is str and filename[:1] == "<":
            try:
                flags = sys._getframe(2).f_code.co_flags & future
                value = source.decode("utf-8")
            except ValueError:  # no frame; not compiled from a str
                return
            key = value, filename, flags
            if key not in snippets:
                snippets.add(key)
                put('{"snippet":{"text":%s,"filename":%s,"flags":%d}}' % (text(value), text(filename), flags))

    loads = {}
    get_data = external.FileLoader.get_data.__code__
    # A function of C in a frozen interpreter: what doctor traces there are modules that were imported.
    get_code = getattr(external.SourceLoader.get_code, "__code__", None)

    def watch_loads():
        """Is called when a file is opened, perhaps by a loader of source, the source or its bytecode. The import may fail."""
        try:
            frame = get_frame(2)
            if frame.f_code is get_data and frame.f_back is not None and frame.f_back.f_code is get_code:
                names = frame.f_back.f_locals
                loads.setdefault(names["fullname"], names["self"])
        except (ValueError, RecursionError):
            pass  # no frame; near the limit of the program

    def hear(event, details):
        if event == "compile":
            watch_compiler(details)
        elif event == "open":
            watch_loads()
        elif event == "import" and type(details[1]) is str:  # of an extension module: Python/importdl.c
            loads.setdefault(details[0], None)

    def note_failed():
        """Records modules that were found and not loaded: when they are mended, the program imports them."""
        for name, loader in list(loads.items()):
            path = getattr(loader, "path", None)
            if type(loader) is not external.SourceFileLoader or name in seen or not isinstance(path, str):
                continue
            spec = bootstrap.ModuleSpec(name, loader, origin=path, is_package=path.endswith("/__init__.py"))
            spec.has_location = True
            note(name, spec)

    variables = set()

    def note_variable(name):
        if name not in variables:
            variables.add(name)
            put('{"variable":%s}' % text(None if name is None else name.decode("latin-1")))

    class Variables(dict):
        """The dictionary below os.environ (Lib/os.py, _Environ): tells which variables the program looks at. Here is one frame in the
        place of another, that of _Environ.encodekey()."""

        def __getitem__(self, name):
            if type(name) is bytes:
                note_variable(name)
            return dict.__getitem__(self, name)

        def __iter__(self):
            note_variable(None)
            return dict.__iter__(self)

        def items(self):
            note_variable(None)
            return dict.items(self)

    def watch_variables(os):
        for name in ("environ", "environb"):
            environ = getattr(os, name, None)
            if type(getattr(environ, "_data", None)) is dict:
                environ._data = shared_variables(environ._data)

    wrapped = []

    def shared_variables(data):
        """os.environ and os.environb have the same one."""
        if not wrapped:
            wrapped.append(Variables(data))
        return wrapped[0]

    def restore_seed():
        """The program and its children have the user's value: only this interpreter needed another."""
        name = b"PYTHONHASHSEED"
        value = seed[1:].encode("utf-8", "surrogateescape")
        places = [posix.environ]
        os = sys.modules.get("os")
        if os is not None and os.environ._data is not posix.environ:
            places.append(os.environ._data)
        if seed:
            posix.putenv(name, value)
        else:
            posix.unsetenv(name)
        for place in places:
            if seed:
                place[name] = value
            else:
                place.pop(name, None)

    def write():
        for spec in pending:
            note(spec.name, spec)
        note_loaded()
        # The module that -m runs is read, not imported.
        spec = getattr(sys.modules.get("__main__"), "__spec__", None)
        if spec is not None:
            note(spec.name, spec, is_run=True)
        put('{"begun":[%s]}' % ",".join([text(name) for name in loads if name in seen]))
        note_failed()
        put('{"end":true}')

    # ---- where it is seen ---------------------------------------------------------------------------------------

    # _load_unlocked() ends with a message for -v. The function that prints it is replaced, not _load_unlocked() itself: then no frame of
    # ours lies between that of a module and those of the modules that it imports, and an import reaches as deep as without us.
    verbose_message = bootstrap._verbose_message
    interpreter_flags = sys.flags
    get_frame = sys._getframe
    pending = []

    def loaded(spec):
        if spec.name in compilers:
            watch_expressions(sys.modules[spec.name])
        elif spec.name == "os":
            watch_variables(sys.modules["os"])
        note(spec.name, spec)

    def _verbose_message(message, *args, verbosity=1):
        if message == "import {!r} # {!r}":
            spec = get_frame(1).f_locals["spec"]
            try:
                loaded(spec)
            except RecursionError:
                pending.append(spec)  # near the limit of the program: that is no business of it
        if interpreter_flags.verbose >= verbosity:
            verbose_message(message, *args, verbosity=verbosity)

    # Code that counts frames or trims tracebacks must take this one for importlib's own.
    _verbose_message.__code__ = _verbose_message.__code__.replace(co_filename=verbose_message.__code__.co_filename)

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

    def lead_group(module, name):
        """This process leads a session, so that all of its children end with it, and may not do what changes nothing: a program that a
        shell starts leads a process group, and can become its leader again."""
        function = getattr(module, name, None)
        if function is not None:

            def wrapper(pid=0, group=0):
                if posix.getpid() != process or pid not in (0, process) or group not in (0, process):
                    return function(pid, group) if name == "setpgid" else function()

            setattr(module, name, wrapper)

    for module in (posix, sys.modules.get("os")):
        for name in ("setpgid", "setpgrp"):
            lead_group(module, name)

    restore_seed()
    note_loaded()
    if "os" in sys.modules:
        watch_variables(sys.modules["os"])
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
    bootstrap._verbose_message = _verbose_message

    # ---- the program --------------------------------------------------------------------------------------------

    has_path0 = not getattr(sys.flags, "safe_path", sys.flags.isolated)

    def hide_depth(frames, calls):
        """Takes the frames below the program (up to 3.11 the calls of exec() count, too) out of the recursion limit."""
        ours = frames + calls if sys.version_info < (3, 12) else frames
        get_limit, set_limit = sys.getrecursionlimit, sys.setrecursionlimit

        def getrecursionlimit():
            return get_limit() - ours

        def setrecursionlimit(limit, /):
            set_limit(limit + ours if type(limit) is int and limit > 0 else limit)

        setrecursionlimit(get_limit())
        for function in (getrecursionlimit, setrecursionlimit):
            function.__code__ = function.__code__.replace(co_filename=verbose_message.__code__.co_filename)
            setattr(sys, function.__name__, function)

    def begin(code):
        hide_depth(*depths[kind])
        sys.addaudithook(hear)
        return code

    # runpy's frames are there without us, too, and a call of it.
    depths = {"script": (1, 1), "directory": (2, 1), "module": (2, 1), "code": (2, 2)}

    def reset_main(loader):
        for name in list(main):
            if name not in ("__name__", "__package__", "__spec__", "__annotations__", "__builtins__"):
                del main[name]
        main["__doc__"] = None
        main["__loader__"] = loader

    if kind == "code":
        sys.argv[:] = ["-c"] + arguments[4:]
        return begin(compile(arguments[3], "<string>", "exec", dont_inherit=True)), main

    if kind == "module":
        sys.argv[:] = ["-m"] + arguments[4:]
        if has_path0:
            sys.path[0] = posix.getcwd()
        reset_main(bootstrap.BuiltinImporter)
        code = "import runpy; runpy._run_module_as_main(%r)" % arguments[3]
        return begin(compile(code, "<frozen runpy>", "exec")), {}

    program, absolute, directory = arguments[3:6]
    sys.argv[:] = [program] + arguments[6:]
    # A directory or a zip file with a __main__.py (Modules/main.c, pymain_get_importer).
    if external.PathFinder._path_importer_cache(program) is not None:
        if has_path0:
            sys.path[0] = program
        else:
            sys.path.insert(0, program)
        reset_main(bootstrap.BuiltinImporter)
        kind = "directory"
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
