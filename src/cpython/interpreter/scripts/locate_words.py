"""Says which objects hold words of memory, by the nearest attribute of a module. Runs in the process of a dump, whose addresses are
those of the two that were compared (src/runtime/snapshot/dump.c).

`words` is a list of addresses, `libraries` one of the shared libraries that the snapshot holds: path, address and size, and `origins` a dictionary of
the modules that allocated the blocks around words (src/runtime/snapshot/origins.c), which counts for those that nothing leads to. Prints a line `located ADDRESS MODULE ATTRIBUTE TYPE` for each object that holds one and each module that has
it as an attribute, or that leads to it, and a line `held MODULE` for each extension module in a shared library that is not CPython's.
"""


def locate(words, libraries, origins):
    import gc
    import sys

    wanted = sorted(words)
    covered = set()
    module_type = type(sys)
    generator_type = type(each for each in ())
    code_type = type(locate.__code__)
    visited = set()
    level = []
    # The module that was imported last comes first: it is the one that the others have an object from.
    for name, module in reversed(list(sys.modules.items())):
        if type(module) is module_type and name != "__main__":
            visited.add(id(module.__dict__))
            level.extend((value, name, key) for key, value in module.__dict__.items())
    own = [wanted, covered, origins, visited, level]

    def held(start, end, but=()):
        low, high = 0, len(wanted)
        while low < high:
            middle = (low + high) // 2
            if wanted[middle] < start:
                low = middle + 1
            else:
                high = middle
        is_held = False
        while low < len(wanted) and wanted[low] < end:
            covered.add(wanted[low])
            is_held |= wanted[low] not in but
            low += 1
        return is_held

    # Objects of which only the number of references differs, or which others the collector has before and behind them, code, which knows how often it ran, and memory
    # that nothing leads to, may differ because of others: these are looked at first.
    found, counted, unreached = {}, {}, {}

    def extent(value):
        """Where an object itself lies, without what it points to (Py_TPFLAGS_HAVE_GC, …_INLINE_VALUES, …_MANAGED_DICT)."""
        flags = type(value).__flags__
        before = (16 if flags & 1 << 14 else 0) + (16 if flags & (1 << 3 | 1 << 4) else 0)
        if issubclass(type(value), generator_type):  # whose size is that of its frame (Objects/genobject.c)
            return id(value) - before, id(value) + type(value).__basicsize__
        size_of = int.__sizeof__ if issubclass(type(value), int) else str.__sizeof__ if issubclass(type(value), str) else object.__sizeof__
        return id(value) - before, id(value) + size_of(value)

    def note(value, name, key):
        start, end = extent(value)
        if held(start, end, (id(value), id(value) - 16, id(value) - 8)) and type(value) is not code_type:
            found.setdefault((id(value), name), (str(key), type(value).__name__))
        elif held(start, end):
            counted.setdefault((id(value), name), (str(key), type(value).__name__))

    for value, name, key in level:
        note(value, name, key)
    while level:
        following = []
        for value, name, key in level:
            if id(value) in visited or any(value is each for each in own) or issubclass(type(value), module_type):
                continue
            visited.add(id(value))
            note(value, name, key)
            following.extend((each, name, key) for each in gc.get_referents(value))
        level = following
    for path, start, size in libraries:
        for name, module in sys.modules.items() if held(start, start + size) else ():
            if getattr(module, "__file__", None) == path:
                found.setdefault((start, name), ("a variable of the library", "C"))
    for address, name in origins.items():
        if address not in covered:
            unreached.setdefault((name, name), ("memory that it has allocated", "C"))
    for (address, name), (key, kind) in (found or unreached or counted).items():
        print("located", abs(hash(address)), name, key, kind)
    for path, start, size in libraries:
        for name, module in sys.modules.items() if "/lib-dynload/" not in path else ():
            if start and getattr(module, "__file__", None) == path:
                print("held", name)
    sys.stdout.flush()


locate(words, libraries, origins)  # noqa: F821
