"""What imports read of environment variables and of the arguments of the program.

A part of record_imports.py, in whose namespace it runs."""

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
