"""Texts, bytes and numbers that imports have made of random bytes of the system, and keep: keys that nobody else may have, such as `str(uuid.uuid4())`; and
numbers of the process. Each start makes them anew, in place, so that whoever refers to one has the new one, too.

A recording looks for them with `find_tokens` (record_imports.py). A process of a dump finds them again with `renew_tokens` (prepare_dump.py), by their paths and
by the bytes that it has drawn itself, and makes them the same in every process: what else was made of one differs in two dumps.

A path is the name of a module, and steps to a value: `.NAME` an attribute, `:N` the Nth element or value, `@N` the Nth key, `*` what a weak reference is of.
"""

LEAST, MOST = 8, 64  # bytes of a draw; fewer may be equal by chance
LONGEST = 4096  # of a text that is looked at
DEEPEST = 10  # of a path
WEAK = getattr(__import__("sys").modules.get("_weakref"), "ref", ())
PLAIN = (str, bytes, int, float, complex, bool, type(None))


# ---- how they are made (src/runtime/snapshot/tokens.c) ----


def variants(draw):
    """The bytes as they are, and as uuid.uuid4() changes them (RFC 4122)."""
    yield "bytes", draw
    if len(draw) == 16:
        yield "uuid", draw[:6] + bytes((draw[6] & 0x0F | 0x40, draw[7], draw[8] & 0x3F | 0x80)) + draw[9:]


def texts(value):
    """How bytes are written."""
    return value.decode("latin-1"), value.hex(), value.hex().upper()


# ---- where they are ----


def slots(kind):
    """Names in __slots__ of classes in Python."""
    member = type(type.__dict__["__basicsize__"])
    for each in kind.__mro__:
        if each.__flags__ & 1 << 9:  # Py_TPFLAGS_HEAPTYPE
            yield from (name for name, value in each.__dict__.items() if type(value) is member)


def attributes(value):
    kind = type(value)
    if issubclass(kind, type):
        return (type.__dict__["__dict__"].__get__(value) or {}).items()  # those of mypyc may have none
    found = []
    for name in ("__dict__", *slots(kind)) if kind.__flags__ & 1 << 9 else ():
        try:
            each = object.__getattribute__(value, name)  # asks no code of the class
        except Exception:
            continue  # it has no value
        found.extend(each.items() if name == "__dict__" and type(each) is dict else [(name, each)])
    return found


def children(value):
    """What a value holds, each with the step that leads to it."""
    kind = type(value)
    if issubclass(kind, dict):
        for i, (key, each) in enumerate(dict.items(value)):
            yield "@%d" % i, key
            yield ":%d" % i, each
    elif kind is list or kind is tuple:
        for i, each in enumerate(value):
            yield ":%d" % i, each
    elif issubclass(kind, WEAK):
        yield "*", WEAK.__call__(value)
    for name, each in attributes(value):
        if type(name) is str and name.isidentifier():
            yield "." + name, each


def step(value, to):
    for each, child in children(value):
        if each == to:
            return child
    raise LookupError(to)


def follow(modules, path):
    """The value at the end of a path; None if there is none now."""
    module, *steps = path.split(" ")
    value = modules.get(module)
    try:
        value = value.__dict__[steps[0][1:]]
        for each in steps[1:]:
            value = step(value, each)
    except (AttributeError, LookupError):
        return None
    return value


def find_tokens(modules, sources, put):
    """Calls `put` with a kind, a module and a path for each value that is made of a source, which are random bytes, or that is one, which is a number of the
    process (`token`), and for each dictionary or set whose order depends on one (`table`)."""
    draws = [each for each in sources if type(each) is bytes and LEAST <= len(each) <= MOST]
    own_numbers = {id(each) for each in sources if type(each) is int and each > 256}  # others are no objects of their own
    if not draws and not own_numbers:
        return
    own = [own for draw in draws for name, own in variants(draw)]
    beginnings = {text[:LEAST] for each in own for text in texts(each)}
    encoded = {each.encode("latin-1") for each in beginnings}
    numbers = {int.from_bytes(each, "big") for each in own}
    module_type = type(__import__("sys"))
    named = [(name, each.__dict__) for name, each in modules.items() if type(each) is module_type and name != "__main__"]
    level = [(value, name, (name, "." + key)) for name, names in named for key, value in names.items() if key.isidentifier()]
    visited, tokens, tables = {id(names) for name, names in named}, set(), []

    def is_token(value):
        kind = type(value)
        if kind is int:
            return value in numbers or id(value) in own_numbers
        return (kind is str or kind is bytes) and LEAST <= len(value) <= LONGEST and any(each in value for each in (beginnings if kind is str else encoded))

    while level:
        following = []
        for value, name, path in level:
            kind = type(value)
            if kind in PLAIN:
                if (id(value) not in tokens or len(path) == 2) and is_token(value):  # each module may be left out
                    tokens.add(id(value))
                    put("token", name, " ".join(path))
                continue
            if id(value) in visited or issubclass(kind, module_type) or len(path) > DEEPEST:
                continue
            visited.add(id(value))
            if issubclass(kind, (dict, set)):
                tables.append((value, name, path))
            following.extend([(each, name, (*path, to)) for to, each in children(value)])
        level = following

    if not tokens:
        return

    def is_made_of_tokens(key):
        return id(key) in tokens or (type(key) not in PLAIN and any(id(each) in tokens for to, each in children(key)))

    for table, name, path in tables:
        if any(map(is_made_of_tokens, list(table))):
            put("table", name, " ".join(path))


# ---- in a process of a dump ----


def emptied(table):
    """Takes out what is in a dictionary or set, and returns a function that puts it back: each key gets its new place."""
    kind = type(table)
    # OrderedDict is one of its own.
    owner = set if issubclass(kind, set) else kind if kind.__module__ == "collections" else dict
    content = sorted(table, key=id) if owner is set else list(owner.items(table))  # the order of a set depends on what was drawn
    owner.clear(table)
    return lambda: owner.update(table, content)


def renew_tokens(modules, token_paths, table_paths, keep, write):
    """`keep` says whether a value is made of what this process has drawn, and then `write` makes it anew (src/runtime/snapshot/tokens.c): of bytes that are the
    same in each process, or of random ones."""
    values = [follow(modules, path) for path in token_paths]
    if not any([keep(value) for value in values]):
        return
    found = [follow(modules, path) for path in table_paths]
    tables = list({id(each): each for each in found if isinstance(each, (dict, set))}.values())

    def renew(is_random=True):
        put_back = [emptied(table) for table in tables]
        write(is_random)
        for each in put_back:
            each()

    renew(False)
    yield renew
