"""What a module leaves behind in its process: open files, locks, standard streams, settings.

A part of record_imports.py, in whose namespace it runs."""

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
