"""What nothing reports: functions that replace CPython's own and note what they are asked.

A part of record_imports.py, in whose namespace it runs."""

class Watched:
    """A callable that is no function, so that it is no method of classes that hold it."""

    def __init__(self, function, note):
        self.function, self.note = function, note
        self.__name__, self.__doc__ = function.__name__, function.__doc__
        self.__module__ = function.__module__
        self.__self__ = getattr(function, "__self__", None)

    def __call__(self, *arguments, **keywords):
        if running and not is_paused:
            self.note(arguments)
        return self.function(*arguments, **keywords)

    def __reduce__(self):
        return self.__name__


def watch(module, kind, names):
    def noted(name):
        return lambda arguments: event(kind, name)

    for name in names.split():
        for owner in (module, sys.modules.get("os") if module is posix else None):
            function = getattr(owner, name, None)
            if function is not None and not isinstance(function, Watched):
                setattr(owner, name, Watched(function, noted("%s.%s" % (module.__name__.lstrip("_"), name))))


class Source(Watched):
    """One of random bytes, of which a module may make what it keeps, or of the number of the process, which it may keep."""

    def __call__(self, *arguments):
        value = Watched.__call__(self, *arguments)
        if running and not is_paused:
            sources.append(value)
        return value


sources = []


def watch_sources():
    for kind, name in (("random", "urandom"), ("random", "getrandom"), ("process", "getpid")):
        source = Source(getattr(posix, name), lambda arguments, kind=kind, name=name: event(kind, "posix." + name))
        for owner in (posix, os):
            setattr(owner, name, source)


class Clock(Watched):
    """One whose readings may be kept as attributes of modules: each start reads it again."""

    def __call__(self, *arguments):
        value = Watched.__call__(self, *arguments)
        if running and not is_paused:
            readings[id(value)] = value, self.__name__
        return value


readings = {}  # by their identities


def watch_clocks(time, names):
    for name in names.split():
        clock = Clock(getattr(time, name), lambda arguments, name=name: event("clock", "time." + name))
        setattr(time, name, clock)


class Draw(Watched):
    """A function of random whose numbers may be kept as attributes of modules, or in one that counts from there: each start draws again."""

    def __call__(self, *arguments):
        value = self.function(*arguments)
        if running and not is_paused and type(value) in (float, int) and all(type(each) is int for each in arguments):
            call = "random.%s(%s)" % (self.__name__, ",".join(map(str, arguments)))
            if type(value) is int and abs(value) <= 256:
                value = own_object(value)
            else:
                drawn[value] = call
            readings[id(value)] = value, call
        return value


drawn = {}  # how each number was drawn, but for those that others may have


def own_object(number):
    """Small numbers are shared, but for those that are read as large ones (Python/marshal.c, r_PyLong())."""
    size = (number > 0) - (number < 0)
    return marshal.loads(b"l" + size.to_bytes(4, "little", signed=True) + abs(number).to_bytes(2 * abs(size), "little"))


def watch_draws(random):
    for name in ("random", "uniform", "randint", "randrange", "getrandbits"):
        setattr(random, name, Draw(getattr(random, name), None))


def put_moments():
    """Attributes of modules that are readings of clocks, or drawn."""
    count = type(__import__("itertools").count())
    numbers = {}  # modules may share one
    for name, module in list(sys.modules.items()):
        for key, value in list(getattr(module, "__dict__", {}).items()):
            if name == "__main__" or type(module) is not type(sys):
                continue
            if id(value) in readings:
                made = readings[id(value)][1]
            elif type(value) is count and value.__reduce__()[1][0] in drawn:
                made = "count(%s)" % drawn[value.__reduce__()[1][0]]
            else:
                continue
            number = numbers.setdefault(id(value), len(numbers))
            put('{"read":["moment",%s,%s]}' % (text(name), text("%s %s %s %d" % (name, key, made, number))))


def put_tokens():
    """Values that are made of random bytes, and numbers of the process. The key of multiprocessing is renewed in any case (prepare_dump.py)."""
    process = sys.modules.get("multiprocessing.process")
    known = process and bytes(process._current_process._config.get("authkey", b""))
    names = {}
    exec(script("kept_tokens.py"), names)

    def put_token(kind, module, path):
        put('{"read":[%s,%s,%s]}' % (text(kind), text(module), text(path)))

    names["find_tokens"](dict(sys.modules), [each for each in sources if each != known], put_token)


def watch_fact(module, fact, names):
    for name in names.split():
        for owner in (module, os if module is posix else None):
            function = getattr(owner, name, None)
            if function is not None and not isinstance(function, Watched):
                setattr(owner, name, Watched(function, lambda arguments: put_read("fact", fact)))


def note_path(arguments):
    path = decoded(arguments[0]) if arguments else None
    if path is not None and not path.startswith(("/proc/", "/dev/")) and not is_import_system(sys._getframe(2)):
        path = os.path.abspath(path)
        if path != sys.executable:  # of the build directory, which other programs share: each build writes it
            put_read("examined", path)


def watch_functions():
    import time

    for each in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
        watch_clocks(time, "%s %s_ns" % (each, each))
    watch(time, "clock", "clock_gettime clock_gettime_ns localtime gmtime ctime asctime strftime")
    watch(posix, "process", "getppid getpgid getpgrp getsid times")
    watch_sources()
    watch_fact(posix, "cwd", "getcwd getcwdb")
    watch_fact(posix, "host", "uname")
    watch_fact(posix, "cpus", "cpu_count process_cpu_count sched_getaffinity")
    watch_fact(posix, "terminals", "isatty ttyname get_terminal_size")
    for name in ("stat", "lstat", "access", "readlink"):
        for owner in (posix, os):
            function = getattr(owner, name)
            if not isinstance(function, Watched):
                setattr(owner, name, Watched(function, note_path))


def watch_later(name, module):
    """Modules that are not loaded yet."""
    if name == "_socket":
        watch_fact(module, "host", "gethostname")
    elif name == "platform":
        watch_question(module, "_syscmd_file", "file", [])
        watch_question(getattr(module, "_Processor", None), "from_subprocess", "uname", [])
    elif name == "tempfile":
        watch_directory(module)
    elif name == "random":
        watch_draws(module)
    elif name == "ctypes.util":
        watch_question(module, "_findSoname_ldconfig", "/sbin/ldconfig", ["/etc/ld.so.cache"])
    elif name == "ssl":
        watch_certificates(module)
    elif name == "_datetime":
        pass  # types of C cannot be changed: two dumps at different times tell


def watch_directory(tempfile):
    """Where temporary files lie: it is found out by writing one in each place (Lib/tempfile.py, _get_default_tempdir())."""
    usual = tempfile._get_default_tempdir

    def _get_default_tempdir():
        for each in ("TMPDIR", "TEMP", "TMP"):
            put_read("variable", each)
        with Paused():
            found = usual()
            places = [os.path.abspath(each) for each in tempfile._candidate_tempdir_list()]
        for each in places[: places.index(found) + 1]:
            put_read("examined", each)
        if found == places[-1]:
            put_read("fact", "cwd")
        return found

    tempfile._get_default_tempdir = _get_default_tempdir


def watch_question(owner, name, program, files):
    """A function of the standard library that runs a program for its answer alone (Lib/platform.py, Lib/ctypes/util.py): it depends on the program
    and on what that reads."""
    function = getattr(owner, name, None)
    if function is None:
        return

    def asked(*arguments):
        import subprocess

        if running and not is_paused:
            for path in [*places_of(program), *files]:
                put_read("examined", path)
        with Paused():
            return function(*arguments)

    setattr(owner, name, staticmethod(asked) if isinstance(owner, type) else asked)


def places_of(program):
    """Where a program is looked for, up to where it is found."""
    if not program.startswith("/"):
        put_read("variable", "PATH")
    for folder in ["/"] if program.startswith("/") else os.get_exec_path():
        path = os.path.join(folder, program)
        yield os.path.abspath(path)
        if posix.access(path, posix.X_OK):
            return


def watch_certificates(ssl):
    """Files that OpenSSL opens: its configuration, and certificates."""
    kind = ssl.SSLContext
    usual = {name: getattr(kind, name) for name in ("load_verify_locations", "load_cert_chain", "set_default_verify_paths")}
    defaults = ssl.get_default_verify_paths()
    put_read("file", os.path.join(os.path.dirname(defaults.openssl_cafile), "openssl.cnf"))

    def note(name, paths):
        def noted(self, *arguments, **keywords):
            for path in paths or (*arguments[:2], *map(keywords.get, ("cafile", "capath", "certfile", "keyfile"))):
                path = decoded(path)
                if path is not None and not is_paused:
                    put_read("file", os.path.abspath(path))
            return usual[name](self, *arguments, **keywords)

        return noted

    for name in usual:
        paths = (defaults.openssl_cafile, defaults.openssl_capath) if name == "set_default_verify_paths" else ()
        setattr(kind, name, note(name, paths))
