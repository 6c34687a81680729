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


PARTS = ("record_files.py", "record_functions.py", "record_arguments.py", "record_state.py")


def script(name):
    """The code of a file beside this one."""
    path = os.path.join(os.path.dirname(__file__), name)
    with open(path, encoding="utf-8") as file:
        return compile(file.read(), path, "exec")


for part in PARTS:
    exec(script(part))


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
