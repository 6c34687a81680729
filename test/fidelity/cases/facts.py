"""What can be asked about a frozen module: its files, sources, resources and metadata, again after reload()."""

import importlib
import importlib.metadata
import importlib.resources
import importlib.util
import inspect
import io
import linecache
import os
import pkgutil
import runpy
import sys
import traceback

from observe import PACKAGES, attempt, module_facts, run, tell

sys.path.insert(0, PACKAGES)
import documented
import größe
import package.data
import package.first
import plain
import json.decoder
import spaces.no_package

for module in (plain, documented, größe, package, package.first, package.data, json, json.decoder, spaces, spaces.no_package):
    tell(f"facts of {module.__name__}", module_facts(module))
for thing in (plain, plain.value, documented, documented.Thing, documented.Thing.method, documented.function, größe.fehler,
              package.first, json.decoder.JSONDecoder, json.dumps, spaces.no_package, documented.Thing.computed.fget):
    for function in (inspect.getsource, inspect.getsourcefile, inspect.getfile, inspect.getsourcelines, inspect.getmodule, inspect.getdoc, inspect.getcomments):
        attempt(f"{function.__name__} {getattr(thing, '__qualname__', thing)}", function, thing)
attempt("signature", inspect.signature, documented.function)
attempt("annotations", lambda: [documented.__annotations__, documented.function.__annotations__, documented.Thing.__annotations__])
attempt("docs", lambda: [documented.__doc__, documented.Thing.__doc__, documented.function.__doc__, plain.__doc__])

for module in (plain, package, package.first, package.data, größe, json.decoder):
    loader, name = module.__loader__, module.__name__
    attempt(f"get_source {name}", loader.get_source, name)
    attempt(f"get_filename {name}", loader.get_filename, name)
    attempt(f"is_package {name}", loader.is_package, name)
    attempt(f"get_data {name}", loader.get_data, module.__file__)
    attempt(f"get_code {name}", lambda: loader.get_code(name).co_filename)
    attempt(f"get_code by another name {name}", loader.get_code, "another")
    attempt(f"get_source by another name {name}", loader.get_source, "another")
    attempt(f"path_stats {name}", lambda: sorted(loader.path_stats(module.__file__)))
    attempt(f"get_resource_reader {name}", lambda: type(loader.get_resource_reader(name)).__name__)
    attempt(f"loaders are equal {name}", lambda: loader == importlib.util.find_spec(name).loader)
    attempt(f"specs are equal {name}", lambda: module.__spec__ == importlib.util.find_spec(name))
    attempt(f"PathFinder {name}", lambda: importlib.machinery.PathFinder.find_spec(name.rpartition(".")[2], [os.path.dirname(module.__file__)]))
    attempt(f"fields of a spec {name}", lambda: [(field, value) for field, value in vars(importlib.machinery.PathFinder.find_spec(name.rpartition(".")[2], [os.path.dirname(module.__file__)])).items() if field != "loader"])
    attempt(f"load_module {name}", lambda: type(loader.load_module(name)).__name__)
    attempt(f"find_loader {name}", lambda: type(pkgutil.get_loader(name)).__name__ if hasattr(pkgutil, "get_loader") else None)
    attempt(f"code of importlib.util {name}", lambda: importlib.util.source_from_cache(module.__cached__) == module.__file__)

for target in (package.data, "package.data"):
    attempt("files", lambda: sorted(each.name for each in importlib.resources.files(target).iterdir()))
    attempt("read", lambda: (importlib.resources.files(target) / "text.txt").read_text())
    attempt("below", lambda: (importlib.resources.files(target) / "more" / "note.txt").read_text())
    attempt("missing", lambda: (importlib.resources.files(target) / "nothing").read_text())
    attempt("as_file", lambda: importlib.resources.as_file(importlib.resources.files(target) / "text.txt").__enter__())
attempt("a namespace's files", lambda: sorted(each.name for each in importlib.resources.files(spaces).iterdir()))
attempt("pkgutil.get_data", pkgutil.get_data, "package.data", "text.txt")
attempt("pkgutil.get_data missing", pkgutil.get_data, "package.data", "nothing")
attempt("iter_modules", lambda: [(each.name, each.ispkg, repr(each.module_finder)) for each in pkgutil.iter_modules(package.__path__)])
attempt("walk_packages", lambda: [each.name for each in pkgutil.walk_packages(package.__path__, "package.")])
attempt("iter_modules of all", lambda: sorted(each.name for each in pkgutil.iter_modules() if each.name in ("plain", "package", "json", "graphlib")))
attempt("versions", lambda: [(each.metadata["Name"], each.version, repr(each._path)) for each in importlib.metadata.distributions()])
attempt("no such distribution", importlib.metadata.version, "nothing")

for name in ("plain", "package.first", "package", "json.decoder", "spaces.no_package", "documented"):
    module = sys.modules[name]
    module.marker = "kept"
    before = module_facts(module)
    attempt(f"reload {name}", lambda: importlib.reload(module) is module)
    tell("after reload", [module_facts(module), module.marker, before == module_facts(module)])

for arguments in (("plain",), ("package.first",), ("package",), ("json.decoder",), ("json",), ("spaces",), ("nothing",), ("raising",)):
    output = io.StringIO()
    standard, sys.stdout = sys.stdout, output
    try:
        result = sorted(runpy.run_module(*arguments, alter_sys=True))
    except BaseException as error:
        result = [type(error).__name__, str(error), traceback.format_exc()]
    sys.stdout = standard
    tell(f"run_module {arguments}", [result, output.getvalue()])
attempt("run_path", lambda: sorted(runpy.run_path(plain.__file__)))

# LazyLoader.
for name in ("graphlib", "plain", "package.second"):
    sys.modules.pop(name, None)
    spec = importlib.util.find_spec(name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    tell(f"lazy {name}", [type(module).__name__, "value" in object.__getattribute__(module, "__dict__")])
    tell(f"loaded {name}", [module.__file__, type(module).__name__, [n for n in vars(module) if not n.startswith("__")], type(module.__loader__).__name__])
    sys.modules.pop(name, None)

# Lines, tracebacks, frames.
for function in (plain.fail, größe.fehler, lambda: json.loads("{"), lambda: json.decoder.JSONDecoder().decode("[1,")):
    attempt("raises", function)
linecache.clearcache()
attempt("raises after clearcache", plain.fail)
import warning
import stack

tell("stack", stack.callers)


def lines_of(code):
    yield code.co_name, code.co_filename, code.co_firstlineno, [line for _, _, line in code.co_lines()]
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            yield from lines_of(constant)


for module in (plain, documented, größe, package.first):
    tell(f"lines {module.__name__}", list(lines_of(module.__loader__.get_code(module.__name__))))
