"""What belongs to one process or one moment gets a value before a dump that is the same in every process, so that two dumps can be compared, and
each start makes it anew. Runs in the process of a dump (src/runtime/snapshot/dump.c, renewal.c), which calls `list_files` and `prepare`. What a start
calls stays in the snapshot, so nothing is imported here that programs do not have: modules are taken from `modules`, which is `sys.modules`.
"""


def list_files(modules, is_portable, libraries, read, examined):
    """The files that a start compares, in one text, each behind `=` or, if only what `os.stat()` says of it counts, `?`: those that imports have read or
    examined, sources of what was imported, the directories in which imports look, the held `libraries`, and what else decides which these are when Python
    starts, whether it is there or not: directories of packages, their .pth files, and pyvenv.cfg (Lib/site.py). Files of one directory follow each other."""
    sys, os, site = modules["sys"], modules["os"], modules.get("site")
    found = {*read, *(each for each in sys.path if each)}
    found.update(path for path, start, size in libraries)
    if site is not None:
        places = site.getsitepackages()
        if site.ENABLE_USER_SITE and not is_portable:
            places.append(site.getusersitepackages())
        found.update(places)
        for place in filter(os.path.isdir, places):
            found.update(os.path.join(place, each) for each in os.listdir(place) if each.endswith(".pth"))
        beside = os.path.dirname(sys.executable)
        found.update(os.path.join(each, "pyvenv.cfg") for each in (beside, os.path.dirname(beside)))
    for module in list(modules.values()):
        path = getattr(module, "__file__", None)
        if type(path) is str and path[:1] == "/":
            found.add(path)
    paths = sorted(found.union(examined), key=lambda path: path.rpartition("/"))
    return "".join(("=" if path in found else "?") + path + "\0" for path in paths)


def prepare(modules, is_portable, copies, moments, draws, seeds, tokens, tables, keep, write):
    """Returns the functions that each start calls, those of the program (tuples of a function, its arguments and its keywords), and the names of modules
    (shadowed.c).

    `copies` are attributes that are copies of sys.argv, `MODULE NAME` each, as they were recorded; `moments` are readings of clocks and drawn numbers, `MODULE NAME
    FUNCTION N` each, where the same are the Nth one; `draws` the random bytes that imports have got of the
    system (random-draws.c), `seeds` those of generators in the recording; the others are
    those of kept_tokens.py."""
    restored = call_program(modules)
    from gc import get_objects

    everything = get_objects()
    forget_temporary_names(modules, everything)
    renewals = [
        *copied_arguments(modules, copies),
        *readings_of_clocks(modules, moments),
        *random_generators(modules, everything, draws),
        *main_thread(modules),
        *start_of_logging(modules),
        *numpy_generators(modules, everything, draws),
        *generator_of_torch(modules, seeds),
        *renew_tokens(modules, tokens, tables, keep, write),  # noqa: F821 (kept_tokens.py)
        *indices_of_sympy(modules),
        *date_of_f2py(modules),
        *name_of_joblib(modules),
        *times_of_psutil(modules),
        *functions_of_ctypes(modules),
        *key_of_multiprocessing(modules),
        *(places_of_one_machine(modules) if is_portable else ()),
    ]
    return renewals, tuple(restored), *names_of_modules(modules)


def names_of_modules(modules):
    """Modules that have a file, and submodules that are no packages: names and files."""
    firsts, others = [], []
    for name, module in sorted(modules.items()):
        path = getattr(module, "__file__", None)
        if type(path) is str and path[:1] == "/" and "\0" not in name + path:
            if "." not in name:
                firsts.append((name, path))
            elif not hasattr(module, "__path__"):
                others.append((name, None))
    return firsts, others


def call_program(modules):
    """Calls what the program has registered for now, the last one first, and returns what it has registered for each start: with `_flashfreeze`, and with
    the package snapshot-restore-py."""
    before, restored = [], []
    own = modules.get("_flashfreeze")
    if own is not None:
        before, restored = ([(each, (), {}) for each in list] for list in own._snapshot_functions())
    other = modules.get("snapshot_restore_py")
    if other is not None:
        before.extend(getattr(other, "get_before_snapshot", list)())
        restored.extend(getattr(other, "get_after_restore", list)())
    for function, words, names in reversed(before):
        function(*words, **names)
    return restored


def forget_temporary_names(modules, everything):
    """Generators that are replaced in another process, which they know by its number alone (Lib/tempfile.py, _RandomNameSequence)."""
    names = getattr(modules.get("tempfile"), "_RandomNameSequence", None)
    for each in everything if names is not None else ():
        if type(each) is names:
            each.__dict__.pop("_rng", None)
            each.__dict__.pop("_rng_pid", None)


def copied_arguments(modules, copies):
    def renewal(copy):
        is_bytes = type(copy[0]) is bytes
        arguments, encode = modules["sys"].argv, modules["os"].fsencode
        copy.clear()

        def renew():
            copy[:] = map(encode, arguments) if is_bytes else arguments

        return renew

    for each in copies:
        module, name = each.split()
        copy = getattr(modules.get(module), name, None)
        if type(copy) is list and copy:
            yield renewal(copy)


def readings_of_clocks(modules, moments):
    """And numbers that `random` has drawn, or that are counted from one."""
    time, random, itertools = modules.get("time"), modules.get("random"), modules.get("itertools")
    count = int if itertools is None else type(itertools.count())

    def function_of(made):
        if made.startswith("count("):
            draw = function_of(made[6:-1])
            return lambda: count(draw())
        name, _, rest = made.rstrip(")").partition("(")
        if name.startswith("random."):
            draw, arguments = getattr(random, name[7:]), [int(each) for each in rest.split(",") if each]
            return lambda: draw(*arguments)
        return getattr(time, name)

    def renewal(places, make):
        def renew():
            value = make()
            for names, name in places:
                names[name] = value

        return renew

    readings = {}  # modules may share one
    for each in moments:
        module, name, made, number = each.split()
        names = getattr(modules.get(module), "__dict__", {})
        if type(names.get(name)) in (int, float, count):
            readings.setdefault(number, (made, []))[1].append((names, name))
    for made, places in readings.values():
        for names, name in places:
            names[name] = type(names[name])(0)
        yield renewal(places, function_of(made))


def random_generators(modules, everything, draws):
    """That of `random`, which its hook for forks seeds (Lib/random.py), and others that are as a seed of the system has left them."""
    random = modules.get("random")
    if random is None:
        return
    random.seed(0)

    def states(drawn):
        generator = random.Random(int.from_bytes(drawn, "little"))
        before = generator.getstate()[1][:-1]
        generator.random()
        return before, generator.getstate()[1][:-1]

    size = 2496  # of a seed (Modules/_randommodule.c, random_seed_urandom())
    seeded = {state for each in draws if len(each) == size for state in states(each)}
    for each in everything:
        if type(each) is random.Random and each.getstate()[1][:-1] in seeded:
            each.seed(0)
            yield each.seed


def main_thread(modules):
    """The kernel's number of it (Lib/threading.py, _set_native_id())."""
    main = getattr(modules.get("threading"), "_main_thread", None)
    if hasattr(main, "_native_id"):
        main._native_id = 0
        yield main._set_native_id


def start_of_logging(modules):
    """When it was imported (Lib/logging/__init__.py, _startTime)."""
    logging = modules.get("logging")
    if hasattr(logging, "_startTime"):
        time = modules["time"]
        now = time.time_ns if type(logging._startTime) is int else time.time
        logging._startTime = 0

        def renew():
            logging._startTime = now()

        yield renew


def numpy_generators(modules, everything, draws):
    """Generators of numpy.random that have a seed of the system, and are as that left them (numpy/random/bit_generator.pyx)."""
    numbers = modules.get("numpy.random.bit_generator")
    if not hasattr(numbers, "SeedSequence"):
        return
    sequence = numbers.SeedSequence
    attribute = "seed_seq" if hasattr(numbers.BitGenerator, "seed_seq") else "_seed_seq"  # up to numpy 1.24
    drawn = {int.from_bytes(each, "big") for each in draws}
    generators = [each for each in everything if issubclass(type(each), numbers.BitGenerator)]

    def content(value):
        if type(value) is dict:
            return {key: content(each) for key, each in value.items()}
        return value.tobytes() if hasattr(value, "tobytes") else value

    def is_fresh(generator, seeds):
        again = sequence(seeds.entropy, spawn_key=seeds.spawn_key, pool_size=seeds.pool_size)
        return content(generator.state) == content(type(generator)(again).state)

    def seed(seeds, own, entropy):
        pool = {"pool_size": seeds.pool_size, "n_children_spawned": seeds.n_children_spawned}
        seeds.__init__(entropy, spawn_key=seeds.spawn_key, **pool)
        for each in own:
            each.state = type(each)(seeds).state

    for seeds in everything:
        if type(seeds) is sequence and type(seeds.entropy) is int and seeds.entropy in drawn:
            own = [each for each in generators if getattr(each, attribute) is seeds]
            if all(is_fresh(each, seeds) for each in own):
                seed(seeds, own, 0)
                yield lambda seeds=seeds, own=own: seed(seeds, own, None)
    zeros = modules["numpy"].zeros
    # Memory that numpy keeps for the next arrays holds what was in it.
    freed = [zeros(size, "B") for size in (16, 32) for each in range(8)]
    del freed


def generator_of_torch(modules, seeds):
    """That of the processor, which has a seed of the system (aten/src/ATen/CPUGeneratorImpl.cpp, getDefaultCPUGenerator()) unless the program has seeded it:
    then it is that of the recording."""
    generator = getattr(modules.get("torch"), "default_generator", None)
    if generator is not None and seeds and str(generator.initial_seed()) not in seeds:
        generator.manual_seed(0)
        yield generator.seed


def indices_of_sympy(modules):
    """Each of its dummy symbols has a number that counts from a random one (sympy/core/symbol.py). Those of the imports keep theirs, which are those of the
    build (example-numbers.c): the others count from a larger one, so that no two are equal in a process, nor are those of two processes."""
    dummy = getattr(modules.get("sympy.core.symbol"), "Dummy", None)
    if hasattr(dummy, "_prng") and type(getattr(dummy, "_base_dummy_index", None)) is int:
        base, generator = dummy._base_dummy_index, dummy._prng
        generator.seed(0)

        def renew():
            generator.seed()
            dummy._base_dummy_index = base + generator.randint(0, 8 * 10**6)

        yield renew


def date_of_f2py(modules):
    """When it was imported, also in a text (numpy/f2py/rules.py, generationtime)."""
    rules = modules.get("numpy.f2py.rules")
    if not hasattr(rules, "generationtime"):
        return
    time, variables, texts = modules["time"], modules["os"].environ, rules.module_rules
    start, _, end = texts["modulebody"].partition(time.asctime(time.gmtime(rules.generationtime)))

    def set_date(when):
        rules.generationtime = when
        texts["modulebody"] = start + time.asctime(time.gmtime(when)) + end

    set_date(0)
    yield lambda: set_date(int(variables.get("SOURCE_DATE_EPOCH", time.time())))


def times_of_psutil(modules):
    """How much the processors had done when it was imported, of which percentages are counted (psutil/__init__.py, _last_cpu_times); by thread since 5.9.6."""
    psutil = modules.get("psutil")
    found = [each for each in ("_last_cpu_times", "_last_per_cpu_times") if hasattr(psutil, each)]
    names = [(each + end, "per" in each) for each in found for end in ("", "_2") if hasattr(psutil, each + end)]
    if not names:
        return
    is_by_thread = type(getattr(psutil, names[0][0])) is dict
    get_ident = modules["_thread"].get_ident

    def read(is_each):
        try:
            times = psutil.cpu_times(percpu=is_each)
        except Exception:  # as psutil does
            return {} if is_by_thread else None
        return {get_ident(): times} if is_by_thread else times

    def renew():
        now = {is_each: read(is_each) for is_each in (False, True)}
        for name, is_each in names:
            setattr(psutil, name, dict(now[is_each]) if is_by_thread else now[is_each])

    for name, is_each in names:
        setattr(psutil, name, None)
    yield renew


def name_of_joblib(modules):
    """The name of a semaphore that was tried (joblib/_multiprocessing_helpers.py)."""
    joblib = modules.get("joblib._multiprocessing_helpers")
    if hasattr(joblib, "name") and hasattr(joblib, "_rand"):
        os = modules["os"]
        joblib.name = ""

        def rename():
            joblib.name = "/joblib-{}-{}".format(os.getpid(), next(joblib._rand))

        yield rename


def functions_of_ctypes(modules):
    """The addresses of two functions of libc (Lib/ctypes/__init__.py, memmove and memset)."""
    ctypes, calls = modules.get("ctypes"), modules.get("_ctypes")
    if not (hasattr(ctypes, "memset") and hasattr(calls, "_memset_addr")):
        return
    names = ("memmove", "memset")

    def place(name, address):
        setattr(ctypes, "_" + name + "_addr", address)
        setattr(calls, "_" + name + "_addr", address)
        ctypes.c_void_p.from_buffer(getattr(ctypes, name)).value = address

    def renew():
        program = calls.dlopen(None, 0)
        for name in names:
            place(name, calls.dlsym(program, name))

    for name in names:
        place(name, 0)
    yield renew


def key_of_multiprocessing(modules):
    """The key by which processes trust each other, and the working directory (Lib/multiprocessing/process.py)."""
    process = modules.get("multiprocessing.process")
    if process is None:
        return
    os, config, new = modules["os"], process._current_process._config, process.AuthenticationString
    config["authkey"] = new(bytes(32))

    def renew():
        config["authkey"] = new(os.urandom(32))
        try:
            process.ORIGINAL_DIR = os.path.abspath(os.getcwd())
        except OSError:
            process.ORIGINAL_DIR = None

    yield renew


def places_of_one_machine(modules):
    """In a release: what finders have listed, in the order of one file system, and the directories of the user's own packages."""
    for each in modules["sys"].path_importer_cache.values():
        if hasattr(each, "_path_cache"):
            each._path_mtime, each._path_cache, each._relaxed_path_cache = -1, set(), set()
    site = modules.get("site")
    if site is not None:
        site.USER_BASE = site.USER_SITE = None
        yield site.getusersitepackages
