"""Imports modules and writes down what they look at and what they leave behind: what a snapshot of them depends on, and
which of them it cannot hold (docs/snapshots.md).

    python record_imports.py REQUEST OUT OUTPUT

REQUEST is a list of lines, `module NAME` or `path FOLDER` (the directory of a script, which comes first on sys.path). OUTPUT gets what the modules
print, OUT one JSON object a line:

    {"edge": [IMPORTER, IMPORTED]}                              a module that another one imports while it is imported
    {"event": {"kind", "module", "file", "line", "detail"}}     what it did; kinds are listed in src/hosts/snapshot/recorded-imports.ts
    {"read": ["variable", MODULE, NAME]}                        an environment variable that it read
    {"read": ["file", MODULE, PATH]}                            a file or directory that it read
    {"read": ["examined", MODULE, PATH]}                        one that it only examined
    {"read": ["fact", MODULE, NAME]}                            something else about the process
    {"read": ["arguments", MODULE, "MODULE NAME"]}              a list of all arguments that it keeps
    {"read": ["path", MODULE, "all"]}                           all entries of sys.path
    {"read": ["moment", MODULE, "MODULE NAME FUNCTION N"]}      a reading of a clock that it keeps, or a number that `random` has drawn: the Nth one
    {"read": ["generator", MODULE, SEED]}                       the seed of its generator of random numbers
    {"read": ["token", MODULE, "MODULE STEP…"]}                 made of random bytes of the system, or the process's number (kept_tokens.py)
    {"read": ["table", MODULE, "MODULE STEP…"]}                 a dictionary or set whose order depends on one
    {"time": [MODULE, MS]}                                      how long its body ran, without those of others
    {"end": true}

The module that does something is the one whose body runs, however deep the call is; the line is that of its body.
"""

import sys

os = sys.modules["os"]
posix = sys.modules["posix"]
own = __import__("_flashfreeze")
bootstrap = sys.modules["_frozen_importlib"]
external = sys.modules["_frozen_importlib_external"]

marshal = sys.modules["marshal"]

clock = __import__("time").perf_counter
times = []  # of the bodies that run: when each began, and how long others ran meanwhile
running = []  # names of modules whose bodies run, the innermost last
seen = set()
lines = []
is_paused = False


class Paused:
    """What is done meanwhile is ours."""

    def __enter__(self):
        global is_paused
        self.before, is_paused = is_paused, True

    def __exit__(self, *problem):
        global is_paused
        is_paused = self.before



def text(value):
    parts = ['"']
    for char in value:
        code = ord(char)
        if 32 <= code < 127 and char not in '"\\':
            parts.append(char)
        elif code < 0x10000:
            parts.append("\\u%04x" % code)
        else:
            parts.append("\\u%04x\\u%04x" % (0xD7C0 + (code >> 10), 0xDC00 + (code & 0x3FF)))
    return "".join(parts) + '"'


def put(line):
    if line not in seen:
        seen.add(line)
        lines.append(line)


paths = {}  # that modules looked at; those of files that were made and removed meanwhile do not count


def put_read(kind, name):
    if running:
        line = '{"read":[%s,%s,%s]}' % (text(kind), text(running[-1]), text(name))
        if kind in ("file", "examined"):
            paths[line] = name
        else:
            put(line)


def edge(name):
    if running and running[-1] != name:
        put('{"edge":[%s,%s]}' % (text(running[-1]), text(name)))


def decoded(path):
    if isinstance(path, int) or path is None:
        return None
    try:
        return os.fsdecode(path)
    except (TypeError, ValueError):
        return None


def body_of(frame):
    """The frame of the module's body that runs."""
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") == running[-1]:
            return frame
        frame = frame.f_back
    return None


def place():
    frame = body_of(sys._getframe(2)) if running else None
    return (frame.f_code.co_filename, frame.f_lineno) if frame else ("", 0)


def put_event(kind, module, where, detail):
    line = '{"event":{"kind":%s,"module":%s,"file":%s,"line":%d,"detail":%s}}'
    put(line % (text(kind), text(module), text(where[0]), where[1], text(detail)))


def event(kind, detail=""):
    if running:
        put_event(kind, running[-1], place(), detail)


def is_import_system(frame):
    """Whether the import system itself reads: its files are those of the modules."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith("<frozen importlib") or name.startswith("<frozen zipimport"):
            return True
        # PathFinder.find_distributions() calls it, which reads for others.
        if frame.f_code.co_name == "<module>" or "/importlib/metadata/" in name:
            return False
        frame = frame.f_back
    return False


# ---- files, processes, threads: what CPython itself reports to audit hooks ----

READS = {"os.listdir": "file", "os.scandir": "file", "glob.glob": "", "pathlib.Path.glob": ""}
KINDS = {
    "os.fork": "child",
    "os.forkpty": "child",
    "os.posix_spawn": "child",
    "subprocess.Popen": "child",
    "os.exec": "child",
    "os.system": "child",
    "builtins.input": "input",
    "socket.connect": "network",
    "socket.getaddrinfo": "network",
    "socket.gethostbyaddr": "network",
    "socket.gethostbyname": "network",
    "socket.sendmsg": "network",
    "socket.sendto": "network",
    "sqlite3.connect": "database",
    "ctypes.dlopen": "library",
}
WRITES = {"os." + name for name in "chmod chown link remove rename rmdir symlink truncate utime".split()}
opened = {}  # path, or SOCKET -> the place of the last one that opened it
SOCKET = "a socket"


made = {}  # files and directories that were not there before -> those who made them
written = {}  # changed paths -> modules -> where


def is_there(path):
    with Paused():  # the module itself examines nothing here
        return os.path.lexists(path)


def write(path, needed):
    """A change of a file, which fails where what it needs is not there."""
    if not is_there(needed):
        put_read("examined", needed)
    else:
        written.setdefault(path, {}).setdefault(running[-1], place())


def make(path):
    """It is nobody's change if it is gone when the imports are done."""
    if path not in written and not is_there(path):
        made.setdefault(path, running[-1])


def is_gone(path):
    """Whether it, or a directory that it was in, came and went."""
    while path not in made or is_there(path):
        folder = os.path.dirname(path)
        if folder == path:
            return False
        path = folder
    return True


def put_paths():
    for path, modules in written.items():
        if not is_gone(path):
            for module, where in modules.items():
                put_event("write", module, where, path)
    for path, module in made.items():  # it can be made there
        folder = os.path.dirname(path)
        if is_gone(path) and not is_gone(folder):
            put('{"read":["examined",%s,%s]}' % (text(module), text(folder)))
    for line, path in paths.items():
        if not is_gone(path):
            put(line)


def path_at(path, directory):
    """With the directory that a relative one is of."""
    if type(directory) is int and directory >= 0 and not path.startswith("/"):
        with Paused():
            path = os.path.join(posix.readlink("/proc/self/fd/%d" % directory), path)
    return os.path.abspath(path)


def audit(name, arguments):
    if is_paused or not running:
        return
    if name == "open":
        path = decoded(arguments[0])
        if path is None or is_import_system(sys._getframe(1)):
            return
        path = os.path.abspath(path)
        with Paused():  # the module itself examines nothing here
            opened[os.path.realpath(path)] = place()
        flags = arguments[2] if len(arguments) > 2 and isinstance(arguments[2], int) else 0
        if flags & 3 != 0 and not path.startswith("/dev/"):
            if flags & os.O_CREAT:
                make(path)
            write(path, os.path.dirname(path) if flags & os.O_CREAT else path)
        elif flags & 3 == 0 and not path.startswith(("/proc/", "/dev/")):
            put_read("file", path)
        elif path.startswith(("/dev/urandom", "/dev/random", "/proc/sys/kernel/random")):
            event("random", path)
        elif path.startswith("/proc/"):
            event("process", path)
    elif name in WRITES or name == "os.mkdir":
        path = decoded(arguments[0])
        if path is None or is_import_system(sys._getframe(1)):
            return
        is_pair = name in ("os.link", "os.rename", "os.symlink")
        path = path_at(path, -1 if name == "os.truncate" else arguments[2] if is_pair else arguments[-1])
        if name == "os.mkdir":
            make(path)
            put_read("examined", path)  # as if it had looked whether it is there
        elif name != "os.symlink":
            write(path, path)
        other = decoded(arguments[1]) if is_pair else None
        if other is not None:
            other = path_at(other, arguments[-1])
            make(other)
            write(other, os.path.dirname(other))
    elif name == "os.chdir":
        changed["directory"] = place()
    elif name == "socket.__new__":
        opened[SOCKET] = place()
    elif name in READS:
        path = decoded(arguments[0] if arguments and arguments[0] is not None else ".")
        if READS[name] and path is not None and not is_import_system(sys._getframe(1)):
            put_read("file", os.path.abspath(path))
    elif name in ("os.putenv", "os.unsetenv"):
        put_read("variable", os.fsdecode(arguments[0]))  # each start sets it from the value that it had
    elif name == "ctypes.dlopen" and (arguments[0] is None or can_be_held(arguments[0])):
        pass  # the program itself, one that it begins with, or one that a snapshot holds
    elif name in KINDS:
        detail = "".join(os.fsdecode(each) if isinstance(each, (str, bytes)) else repr(each) for each in arguments[:1])
        event(KINDS[name], detail[:200])


# ---- what nothing reports: functions in the place of CPython's own ----


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
    with open(os.path.join(os.path.dirname(__file__), "kept_tokens.py"), encoding="utf-8") as file:
        exec(file.read(), names)

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


# ---- variables and arguments ----


def watch_variables():
    kind = type(os.environ)
    usual = {name: kind.__dict__[name] for name in ("__getitem__", "__iter__", "__len__", "copy", "__repr__")}

    def read_one(self, key):
        if type(key) is VariableName:
            return VariableValue(usual["__getitem__"](self, plain(key))).of(plain(key))
        if running and not is_paused and type(key) in (str, bytes):
            put_read("variable", os.fsdecode(key))
        return usual["__getitem__"](self, key)

    def iterate(self):
        caller = sys._getframe(1)
        if not running or is_paused:
            return usual["__iter__"](self)
        if caller.f_code.co_name == "getproxies_environment" and caller.f_globals.get("__name__") == "urllib.request":
            put_read("fact", "proxies")  # it looks for their names alone
            return usual["__iter__"](self)
        names = [VariableName(name).of(name) for name in usual["__iter__"](self)]
        given_names.append((names, running[-1], place()))
        return iter(names)

    def read_all(name):
        def read(self, *arguments):
            if running and not is_paused:
                event("environment")
            return usual[name](self, *arguments)

        return read

    for name in usual:
        own = {"__getitem__": read_one, "__iter__": iterate}
        setattr(kind, name, own[name] if name in own else read_all(name))


class Path(list):
    """sys.path. Whoever goes through it, as importlib.metadata does, looks for more than modules, also in the directory of a script."""

    def __iter__(self):
        if running and not is_paused and not is_import_system(sys._getframe(1)):
            put_read("path", "all")
        return list.__iter__(self)

    def __getitem__(self, key):
        if running and not is_paused and (key == 0 or isinstance(key, slice)):
            put_read("path", "all")
        return list.__getitem__(self, key)

    def copy(self):
        return list(self)


def note_arguments(*unused):
    if running and not is_paused:
        event("arguments")


def opaque(name, base, allowed, note=note_arguments):
    """A type of values that may be kept, but that nothing may look at."""

    def watched(usual):
        def method(self, *arguments, **keywords):
            note(self)
            return usual(self, *arguments, **keywords)

        return method

    kept = ("__new__", "__init__", "__class__", "__getattribute__", "__setattr__", "__delattr__", "__init_subclass__")
    kept += ("__subclasshook__", "__reduce__", "__reduce_ex__", "__getnewargs__", "__sizeof__", "__dir__", "__doc__")
    names = (each for each in dir(base) if each not in kept and each not in allowed and callable(getattr(base, each)))
    methods = {each: watched(getattr(base, each)) for each in names}
    return type(name, (base,), {**methods, **allowed})


def encode(self, *how, **keywords):
    """Encoded, an argument is still one."""
    encoded.append(ArgumentBytes(str.encode(self, *how, **keywords)))
    return encoded[-1]


encoded = []
ArgumentBytes = opaque("ArgumentBytes", bytes, {})
Argument = opaque("Argument", str, {"encode": encode})


# The names and values of os.environ that a module goes through: if it asks each name how it begins, and looks at what begins so, nothing else counts.
given_names = []  # of those: the names, the module, and the place
asked_names = set()
known_variables = set()  # of each module, those that begin so


def plain(text):
    return str.__str__(text)


def note_variable(self):
    if running and not is_paused and (running[-1], self.variable) not in known_variables:
        event("environment")


def belong(self, variable):
    self.variable = variable
    return self


def starts_with(self, prefix, *more):
    begins = str.startswith(self, prefix, *more)
    if more or not (type(prefix) is str and prefix.isidentifier()):
        note_variable(self)
    elif running and not is_paused:
        asked_names.add(self.variable)
        put_read("fact", "variables " + prefix)
        if begins:
            put_read("variable", self.variable)
            known_variables.add((running[-1], self.variable))
    return begins


VariableName = opaque("VariableName", str, {"startswith": starts_with, "of": belong}, note_variable)
VariableValue = opaque("VariableValue", str, {"of": belong}, note_variable)


def check_names():
    """A module that does something else with a name has read them all."""
    for names, module, where in given_names:
        if not asked_names.issuperset(name.variable for name in names):
            put_event("environment", module, where, "")
    given_names.clear()
    asked_names.clear()


class Arguments(list):
    """sys.argv. A list of all arguments may be kept: it is filled again at each start (src/runtime/snapshot/renewal.c)."""

    iterating = None  # the instruction that began to iterate: list() asks for the length next

    def __getitem__(self, key):
        if running and not is_paused:
            if key == 0:
                put_read("fact", "program")
                return str.__str__(list.__getitem__(self, key))
            if key == slice(None):
                return list(self)
            event("arguments")
        return list.__getitem__(self, key)

    def __iter__(self):
        if running and not is_paused:
            body, caller = body_of(sys._getframe(1)), sys._getframe(1)
            copied.setdefault(running[-1], (place(), body and body.f_code))
            self.iterating = id(caller), caller.f_lasti
        return list.__iter__(self)

    def copy(self):
        return list(self)

    def __bool__(self):
        return True

    def __len__(self):
        caller = sys._getframe(1)
        if self.iterating != (id(caller), caller.f_lasti):
            note_arguments()
        return list.__len__(self)

    def __contains__(self, value):
        note_arguments()
        return list.__contains__(self, value)

    def __eq__(self, other):
        note_arguments()
        return list.__eq__(self, other)

    def index(self, *arguments):
        note_arguments()
        return list.index(self, *arguments)

    def count(self, value):
        note_arguments()
        return list.count(self, value)

    def __reversed__(self):
        note_arguments()
        return list.__reversed__(self)

    def __add__(self, other):
        note_arguments()
        return list.__add__(self, other)

    def pop(self, *arguments):
        note_arguments()
        return list.pop(self, *arguments)


copied = {}  # modules that went through all arguments -> where, and the code of their body


def is_copy(value):
    return (
        type(value) is list
        and len(value) == list.__len__(sys.argv)
        and {type(each) for each in value} in ({Argument}, {ArgumentBytes})
        and [bytes.hex(each) if type(each) is ArgumentBytes else bytes.hex(str.encode(each)) for each in value]
        == [bytes.hex(str.encode(each)) for each in list.__iter__(sys.argv)]
    )


def loaded_names(code):
    """What the body of a module itself uses."""
    import dis

    return {each.argval for each in dis.get_instructions(code) if each.opname in ("LOAD_NAME", "LOAD_GLOBAL")}


def are_kept_elsewhere(copies):
    """Whether an argument is anywhere but in copies of all."""
    import gc

    arguments = [*list.__iter__(sys.argv), *encoded]
    own = {id(each) for each in (sys.argv, sys.orig_argv, arguments, encoded, *copies)}
    return any(id(each) not in own for argument in arguments for each in gc.get_referrers(argument))


def check_copies():
    """Lists of all arguments that are attributes of modules. A module that made something else of them, or looks at its list, has read them."""
    found, copies = [], []
    for name, (where, code) in copied.items():
        attributes = getattr(sys.modules.get(name), "__dict__", {})
        keys = [key for key, value in attributes.items() if is_copy(value)]
        copies.extend(attributes[key] for key in keys)
        if code is not None and keys and loaded_names(code).isdisjoint(keys):
            found.append((name, keys))
        else:
            put_event("arguments", name, where, "")
    if copied and are_kept_elsewhere(copies):
        for name, (where, code) in copied.items():
            put_event("arguments", name, where, "")
    else:
        for name, keys in found:
            for key in keys:
                put('{"read":["arguments",%s,%s]}' % (text(name), text(name + " " + key)))


# ---- what a module leaves behind ----


def descriptors():
    found = {}
    for name in posix.listdir("/proc/self/fd"):
        try:
            found[int(name)] = posix.readlink("/proc/self/fd/" + name)
        except OSError:
            pass
    return found


def stream(value):
    """What a start makes anew (src/runtime/snapshot/streams.c)."""
    return id(value), *(getattr(value, name, None) for name in ("encoding", "errors", "line_buffering", "write_through"))


def catch_output(path):
    """Both standard streams go to a file, whose size says whether a module prints."""
    descriptor = posix.open(path, posix.O_WRONLY | posix.O_CREAT | posix.O_APPEND | posix.O_TRUNC, 0o600)
    posix.dup2(descriptor, 1)
    posix.dup2(descriptor, 2)
    posix.close(descriptor)


def printed():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass  # it may be anything
    return posix.fstat(1).st_size


def working_directory():
    try:
        return posix.getcwd()
    except OSError:
        return None  # it was removed


def state():
    import _locale

    settings = own._process_settings().splitlines()
    return {
        "setting": [tuple(line.split("\t", 1)) for line in settings],
        "directory": working_directory(),
        "locale": _locale.setlocale(_locale.LC_ALL),
        "output": printed(),
        "stream": [stream(getattr(sys, name, None)) for name in ("stdin", "stdout", "stderr")],
    }


def kept_open():
    """The threads and the open files of this process: kind, number, and what is open."""
    files = {("open", number, path) for number, path in descriptors().items() if not path.startswith("/proc/")}
    return files | {("thread", int(number), "") for number in posix.listdir("/proc/self/task")}


# Each start sets the locale that these name, and opens these again.
LOCALE_VARIABLES = ("LC_ALL", "LANG", "LOCPATH", *(each for each in dir(__import__("_locale")) if each.startswith("LC_") and each != "LC_ALL"))
DEVICES = {"/dev/" + each for each in ("null", "zero", "full", "random", "urandom")}
before = None
left_open = {}  # the same -> the module that was imported when it came, the place, and what it is
changed = {}  # kind of state, or of what is left -> the place that changed it last


def watch_change(module, name, kind):
    def note(arguments):
        changed[kind] = place()

    if hasattr(module, name):
        setattr(module, name, Watched(getattr(module, name), note))


def check_state(name):
    """What changed since the last look is the doing of this module; "" is none."""
    with Paused():
        look(name)


def detail_of(kind, old, new):
    """The name of a setting."""
    if kind != "setting":
        return ""
    first = [a == b for a, b in zip(new, old)].index(False)
    return str(new[first][0])


def look(name):
    global before
    now = state()
    kept = kept_open()
    for each in left_open.keys() - kept:
        del left_open[each]
    for each in kept - left_open.keys():
        kind, number, path = each
        if path in DEVICES:
            continue
        what = SOCKET if path.startswith("socket:") else path
        where = changed.get(kind) if kind == "thread" else opened.get(what)
        left_open[each] = name, where, what
    for kind, value in now.items():
        if before is not None and value != before[kind] and kind == "locale":
            for each in LOCALE_VARIABLES:
                put_read("variable", each)
        elif before is not None and value != before[kind]:
            put_event(kind, name, changed.get(kind, ("", 0)), detail_of(kind, before[kind], value))
    before = now
    changed.clear()


def reason_to_leave_out(path):
    """Why a snapshot cannot hold an extension module in a shared library; None if it can."""
    return own._reason_to_leave_out(path)


def can_be_held(path):
    """Whether a snapshot holds a library that is loaded by this name, or each process has it."""
    path = decoded(path)
    return path is not None and reason_to_leave_out(path) is None


def load_unlocked(original):
    def _load_unlocked(spec):
        check_state(running[-1] if running else "")
        running.append(spec.name)
        times.append([clock(), 0.0])
        try:
            kind = getattr(spec.loader, "__class__", None)
            if kind is external.ExtensionFileLoader:
                reason = reason_to_leave_out(spec.origin)
                if reason is not None:
                    put_event("extension", spec.name, ("", 0), "%s: %s" % (spec.origin, reason))
            return original(spec)
        finally:
            check_state(spec.name)
            with Paused():
                check_names()
            try:
                with Paused():
                    watch_later(spec.name, sys.modules.get(spec.name))
            finally:
                running.pop()
                began, others = times.pop()
                whole = clock() - began
                if times:
                    times[-1][1] += whole
                put('{"time":[%s,%.3f]}' % (text(spec.name), 1000 * (whole - others)))

    return _load_unlocked


def find_and_load(original):
    def _find_and_load(name, import_):
        edge(name)
        return original(name, import_)

    return _find_and_load


def unseen(function):
    """A function of the import system: warnings are those of the code that imports (Python/_warnings.c, is_internal_frame)."""
    function.__code__ = function.__code__.replace(co_filename="<frozen importlib._bootstrap>")
    return function


def watch_imports(builtins):
    usual = builtins.__import__

    def __import__(name, globals=None, locals=None, fromlist=(), level=0):
        if running and isinstance(name, str):
            absolute = name
            if level and globals:
                package = globals.get("__package__") or globals.get("__name__", "")
                base = package.rsplit(".", level - 1)[0] if level > 1 else package
                absolute = base + "." + name if name else base
            edge(absolute)
            for each in fromlist or ():
                if isinstance(each, str) and absolute + "." + each in sys.modules:
                    edge(absolute + "." + each)
        return usual(name, globals, locals, fromlist, level)

    builtins.__import__ = unseen(__import__)
    bootstrap._find_and_load = unseen(find_and_load(bootstrap._find_and_load))
    bootstrap._load_unlocked = unseen(load_unlocked(bootstrap._load_unlocked))


def held_objects():
    """The attributes of modules that lead to a lock which is held, or to mapped memory; each object once, for the module that was imported last."""
    import _thread
    import gc

    lock_types = (_thread.LockType, _thread.RLock)
    mapping = getattr(sys.modules.get("mmap"), "mmap", None)
    modules = [(name, each) for name, each in reversed(list(sys.modules.items())) if type(each) is type(sys)]
    visited = {id(module.__dict__) for name, module in modules}
    # CPython holds those of modules that are being imported, of which there are none.
    level = [(value, name, key) for name, module in modules if name != "__main__" for key, value in module.__dict__.items()]
    visited.add(id(level))
    # The main thread holds one until it ends; fork, and so a start, makes it anew (Lib/threading.py, _after_fork(), up to 3.12).
    visited.add(id(getattr(getattr(sys.modules.get("threading"), "_main_thread", None), "_tstate_lock", None)))
    while level:
        following = []
        visited.add(id(following))
        for value, name, key in level:
            # Not isinstance(): the class that a value says it has may be any code's answer.
            if id(value) in visited or issubclass(type(value), type(sys)):
                continue
            visited.add(id(value))
            if issubclass(type(value), lock_types):
                if value.locked() if hasattr(value, "locked") else "owner=0 " not in repr(value):
                    yield "lock", name, str(key)
            elif type(value) is mapping and not value.closed:
                yield "mapping", name, str(key)
            following.extend((each, name, key) for each in gc.get_referents(value))
        level = following


def note_generators():
    """Seeds that a library draws without a function of Python: in another process, one that the program has chosen is the same."""
    generator = getattr(sys.modules.get("torch"), "default_generator", None)
    if generator is not None:
        put('{"read":["generator","torch",%s]}' % text(str(generator.initial_seed())))


def run_hooks():
    """What programs want to be done before a snapshot: src/runtime/snapshot/renewal.c does the same."""
    before = [(each, (), {}) for each in own._snapshot_functions()[0]]
    other = sys.modules.get("snapshot_restore_py")
    if other is not None:
        before.extend(getattr(other, "get_before_snapshot", list)())
    for function, words, names in reversed(before):
        try:
            function(*words, **names)
        except Exception:
            pass  # the dump says so


def end_threads_for_fork():
    """Some libraries end their threads before a fork and begin them anew when they are needed (OpenBLAS): so they do before a snapshot."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        child = posix.fork()
    if child == 0:
        posix._exit(0)
    posix.waitpid(child, 0)


def main():
    global is_paused
    request, out, output = sys.argv[1:]
    catch_output(output)
    del sys.path[0]
    with open(request, encoding="utf-8", errors="surrogateescape") as file:
        wanted = [line.rstrip("\n").split(" ", 1) for line in file]
    sys.path[:0] = [value for key, value in wanted if key == "path"]
    sys.path = Path(sys.path)
    sys.argv = Arguments([Argument("python"), Argument("argument")])
    sys.orig_argv = Arguments(list.__iter__(sys.argv))
    check_state("")
    watch_functions()
    for name, module in list(sys.modules.items()):
        watch_later(name, module)
    import _thread

    for each in ("start_new_thread", "start_joinable_thread"):
        watch_change(_thread, each, "thread")
        watch_change(sys.modules.get("threading"), "_" + each, "thread")
    watch_variables()
    watch_imports(sys.modules["builtins"])
    sys.addaudithook(audit)
    for key, name in wanted:
        if key == "module":
            try:
                bootstrap._gcd_import(name)
            except Exception:
                pass  # the dump says so
    is_paused = True
    check_names()
    check_copies()
    put_paths()
    put_moments()
    put_tokens()
    note_generators()
    run_hooks()
    if len(posix.listdir("/proc/self/task")) > 1:
        end_threads_for_fork()
    now = kept_open()
    for each, (module, where, what) in left_open.items():
        if module and each in now:
            is_of_library = each[0] == "thread" and where is None  # Python has started none
            put_event("library thread" if is_of_library else each[0], module, where or ("", 0), what)
    has_threads = len(posix.listdir("/proc/self/task")) > 1
    for kind, module, attribute in held_objects():
        if kind != "lock" or not has_threads:  # other threads hold locks of their own
            put_event(kind, module, ("", 0), attribute)
    put('{"end":true}')
    descriptor = posix.open(out, posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC | posix.O_CLOEXEC, 0o600)
    data = ("\n".join(lines) + "\n").encode("ascii")
    while data:
        data = data[posix.write(descriptor, data) :]
    posix._exit(0)


main()
