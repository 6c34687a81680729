"""What imports do with files, processes and threads: what CPython itself reports to audit hooks.

A part of record_imports.py, in whose namespace it runs."""

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
