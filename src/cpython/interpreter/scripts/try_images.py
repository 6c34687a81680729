"""Tries a new interpreter, or an overlay in its interpreter: whether it uses its images, and whether new ones equal a fresh compile.

    python -I -B try_images.py ANSWER REQUEST        (an overlay: with -S, too)

The request is a list of texts, each ended by a nul: how images get into this process, then the name and the source of each module
to compare.

    linked                                      they are linked into this interpreter
    grafted                                     a library with them was loaded before main()
    loaded MODULE                               site loads an overlay that has an image of this module
    overlay EXTENSION FOLDER DIRECTORY MODULE   the .pth file in FOLDER loads the overlay EXTENSION; it has an image of MODULE,
                                                which is in DIRECTORY

The answer is lines: first `used`, a number that is 0 when no image is used, and why; then the index of each module when its turn
comes, and one JSON array [index, where, field, detail] for each difference. If the interpreter crashes, they say where.
"""

import sys

# What the source's own directory holds (this script's, that is) is none of the modules' business.
if not getattr(sys.flags, "safe_path", sys.flags.isolated):
    del sys.path[0]

import marshal
from operator import attrgetter, is_

HERE = __file__.rpartition("/")[0]


def use_linked():
    """A function of importlib is frozen by CPython itself, and every start imports it: a linker that did not redirect the calls
    that give out its code (--wrap, which objects of a link-time optimisation do not heed) leaves it as it was, even where
    getpath is static."""
    import _frozen_importlib_external
    import _flashfreeze

    return _flashfreeze.is_static(_frozen_importlib_external.cache_from_source.__code__)


def use_grafted():
    """importlib itself comes too early; codecs is the first module that CPython freezes and that every start imports after it. 3.10
    does not freeze it, nor is it taken from there in an installation that was moved: any other module tells as much."""
    import codecs
    import _flashfreeze

    return _flashfreeze.is_static(codecs.open.__code__) or use_loaded(_flashfreeze.modules()[-1].name)


def use_loaded(module):
    """The module's image is prepared, but the module does not run."""
    import _flashfreeze

    _flashfreeze.code(module)
    return _flashfreeze.info()["used"]


def use_overlay(extension, folder, directory, module):
    """The same, as an ordinary import finds the module."""
    import site

    site.addsitedir(folder)
    import _frozen_importlib
    import _frozen_importlib_external as external

    if "_flashfreeze" not in sys.modules:  # Once more, so that it says why.
        loader = external.ExtensionFileLoader("_flashfreeze", extension)
        _frozen_importlib._load(external.spec_from_file_location("_flashfreeze", extension, loader=loader))
    import _flashfreeze

    spec = external.PathFinder._path_importer_cache(directory).find_spec(module)
    static = _flashfreeze.is_static(spec.loader.get_code(module))
    return _flashfreeze.info()["used"] if static else 0


WAYS = {"linked": use_linked, "grafted": use_grafted, "loaded": use_loaded, "overlay": use_overlay}

CODE = type(use_linked.__code__)
# co_consts and tables are compared as marshal bytes; co_lnotab is made of another table, and deprecated.
FIELDS = [name for name in dir(CODE) if name.startswith("co_") and not callable(getattr(CODE, name)) and name not in ("co_consts", "co_lnotab")]
fields_of = attrgetter(*FIELDS)
NAMES = ("co_names", "co_varnames", "co_freevars", "co_cellvars")
names_of = attrgetter(*NAMES)
prepared = attrgetter("_co_code_adaptive") if hasattr(CODE, "_co_code_adaptive") else lambda code: None


def compile_fresh(source, filename):
    def compiled():
        return compile(source, filename, "exec", dont_inherit=True, optimize=0)

    try:
        return compiled()
    except (LookupError, SyntaxError):
        if not sys.flags.no_site:
            raise
        import site

        site.main()  # which may know the encoding of the source
        return compiled()


def is_equal(static, fresh, ran):
    """Whether the code of a module equals a fresh compile, as far as that can be said fast: False may also mean that it has slices,
    NaNs, or (in 3.10) frozensets in another order."""
    try:
        # Exact types and bits of all constants, and all tables. Versions from 3 on write references.
        if marshal.dumps(static, 2) != marshal.dumps(fresh, 2):
            return False
    except ValueError:
        return False
    if are_equal(static, fresh) is False or hash(static) != hash(fresh):
        return False
    pending = [(static, fresh)]
    while pending:
        ours, theirs = pending.pop()
        if not is_static(ours) or fields_of(ours) != fields_of(theirs) or ours.co_name is not theirs.co_name:
            return False
        if not ran and prepared(ours) != prepared(theirs):
            return False
        for own, fresh_ones in zip(names_of(ours), names_of(theirs)):
            if not all(map(is_, own, fresh_ones)):  # both are interned
                return False
        for constant, other in zip(ours.co_consts, theirs.co_consts):
            if type(constant) is CODE:
                pending.append((constant, other))
            elif broken_members(constant):
                return False
    return True


def compare(name, origin, path):
    """Differences between an image and a fresh compile, as (where, field, detail)."""
    with open(path, "rb") as file:
        source = file.read()
    static = _flashfreeze.code(name)
    filename = f"<frozen {name}>" if origin == "frozen" else origin
    fresh = compile_fresh(source, filename)
    # Code that ran in this process has other bytecode now.
    ran = origin == "frozen" or name in sys.modules
    # As it is loaded from bytecode: which objects are the same is written there.
    if is_equal(static, fresh, ran) and not any(compare_identities(static, marshal.loads(marshal.dumps(fresh)), ran)):
        return []
    with_helpers()
    from image_comparison import compare_images

    without_helpers()
    return list(compare_images(static, fresh, compile_fresh(source, filename), ran))


def with_helpers():
    sys.path.insert(0, HERE)


def without_helpers():
    del sys.path[0]


def write_difference(answer, index, where, field, detail):
    import json

    answer.write(json.dumps([index, where, field, detail[:400]]) + "\n")


def compare_all(modules, answer):
    import gc
    import warnings

    gc.disable()  # a hundred thousand objects that are all in use
    warnings.simplefilter("ignore")
    origins = {module.name: module.origin for module in _flashfreeze.modules()}
    for index, (name, path) in enumerate(modules):
        answer.write(f"{index}\n")
        try:
            found = compare(name, origins.get(name, path), path)
        except (OSError, LookupError, SyntaxError, ValueError) as error:
            # A codec that only the user's own site-packages register: this interpreter is isolated from these.
            field = "unknown encoding" if "encoding" in str(error) else "source"
            found = [("<module>", field, f"{type(error).__name__}: {error}")]
        for difference in found:
            write_difference(answer, index, *difference)


with open(sys.argv[2], encoding="utf-8", errors="surrogateescape", newline="") as request:
    way, *words = request.read().split("\0")[:-1]
count = WAYS[way].__code__.co_argcount
used = WAYS[way](*words[:count])
import _flashfreeze
from _flashfreeze import is_static

with open(sys.argv[1], "w", buffering=1, encoding="ascii") as answer:
    answer.write(f"{int(used)} {_flashfreeze.info()['inactive_because']}\n")
    rest = words[count:]
    if used and rest:
        with_helpers()
        from exact_constants import are_equal, broken_members, compare_identities

        without_helpers()
        compare_all(list(zip(rest[::2], rest[1::2])), answer)
