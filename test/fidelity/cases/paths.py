"""sys.path decides: what lies before, beside and behind a frozen module, and what changes between two imports."""

import importlib
import importlib.machinery
import importlib.util
import os
import shutil
import sys
import time

from observe import PACKAGES, attempt, name_path, run, tell, temporary_folder

folder = temporary_folder()


def write(path, text):
    path = os.path.join(folder, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    return path


def forget():
    for name in list(sys.modules):
        if name.partition(".")[0] in ("plain", "shadowed", "shadowed_package", "package", "spaces", "extended", "graphlib",
                                      "sched", "json", "documented", "colorsys", "fresh", "raising"):
            del sys.modules[name]


def see(module):
    return [getattr(module, "__file__", None), getattr(module, "where", None), repr(getattr(module, "__path__", None))]


def where(what, *names):
    forget()
    for name in names:
        run(f"{what}: {name}", f"import {name}, sys\nresult = see(sys.modules[{name!r}])", see=see)
    forget()
    for name in reversed(names):
        run(f"{what}: {name} by its function", f"import importlib\nresult = see(importlib.import_module({name!r}))", see=see)


FEW = ("shadowed", "shadowed_package.child", "plain", "graphlib", "json.decoder")
where("not on the path", "plain", "package.first")
sys.path.insert(0, PACKAGES)
where("first", *FEW)

# A directory before, which gets a module after its finder has read it.
before = os.path.join(folder, "before")
os.mkdir(before)
sys.path.insert(0, before)
where("empty folder before", *FEW)
for file in ("shadowed.py", "shadowed_package/__init__.py", "shadowed_package/child.py", "graphlib.py", "json/__init__.py"):
    write(f"before/{file}", "where = 'before'\n")
where("files appeared, listing perhaps stale", *FEW)
importlib.invalidate_caches()
where("files appeared, caches invalidated", *FEW)
os.remove(os.path.join(before, "shadowed.py"))
time.sleep(0.02)
os.utime(before)
where("one disappeared", *FEW)
shutil.rmtree(before)
where("all disappeared", *FEW)
importlib.invalidate_caches()
where("all disappeared, caches invalidated", *FEW)
os.mkdir(before)
write("before/shadowed.cpython-310.pyc", "")
write("before/shadowed.txt", "")
os.mkdir(os.path.join(before, "plain"))
os.mkdir(os.path.join(before, "graphlib"))
importlib.invalidate_caches()
where("folders of that name before", "plain", "graphlib", "shadowed")
write("before/plain/inside.py", "where = 'inside'\n")
where("a namespace that does not count", "plain", "plain.inside")
shutil.rmtree(before)
os.mkdir(before)
os.symlink(os.path.join(PACKAGES, "shadowed.py"), os.path.join(before, "shadowed.py"))
os.symlink(os.path.join(PACKAGES, "package"), os.path.join(before, "package"))
importlib.invalidate_caches()
where("symbolic links before", "shadowed", "package.first", "package.inner.deep")
shutil.rmtree(before)
os.mkdir(before)
write("before/plain.so", "not a shared object")
write("before/sched/__init__.pyc", "")
import py_compile

sys.dont_write_bytecode = True
py_compile.compile(write("before/x.py", "where = 'only bytecode'\n"), os.path.join(before, "shadowed.pyc"), dfile="shadowed.py")
importlib.invalidate_caches()
where("bytecode without source, a bad shared object", "shadowed", "plain", "sched")
sys.path.remove(before)

# The same directory under other names.
link = os.path.join(folder, "link")
os.symlink(PACKAGES, link)
for what, entry in {
    "slash at the end": PACKAGES + "/",
    "two slashes": PACKAGES.replace("/packages", "//packages"),
    "dots": os.path.join(PACKAGES, "..", "packages"),
    "link": link,
    "relative": os.path.relpath(PACKAGES),
    "bytes": os.fsencode(PACKAGES),
    "path object": __import__("pathlib").Path(PACKAGES),
    "number": 3,
    "empty": "",
    "missing": "/there/is/no/such/folder",
    "file": __file__,
    "str subclass": type("S", (str,), {})(PACKAGES),
    "nul": PACKAGES + "\0",
    "surrogate": "/\udc80",
}.items():
    sys.path[0] = entry
    sys.path_importer_cache.clear()
    for name in FEW[:3]:
        forget()
        run(f"{what}: {name}", f"import {name}, sys\nm = sys.modules[{name!r}]\nresult = m.__file__, m.__spec__.origin, m.__cached__, m.__loader__.path, [f.__code__.co_filename for f in vars(m).values() if hasattr(f, '__code__')]")
sys.path[0] = PACKAGES

# The current directory.
sys.path[0] = ""
for place in (PACKAGES, folder, PACKAGES):
    os.chdir(place)
    where(f"'' in {os.path.basename(place) if place == PACKAGES else 'tmp'}", *FEW[:3])
sys.path[0] = "."
where(". in packages", *FEW[:3])
os.chdir(folder)
where(". in tmp", *FEW[:3])
gone = os.path.join(folder, "gone")
os.mkdir(gone)
os.chdir(gone)
os.rmdir(gone)
for entry in ("", "."):
    sys.path[0] = entry
    where(f"{entry!r} in a folder that is gone", *FEW)
os.chdir("/")
sys.path[0] = PACKAGES

# Order, doubles, a path that is no list.
standard = next(entry for entry in sys.path if os.path.exists(os.path.join(entry, "graphlib.py")))
write("first/graphlib.py", "where = 'first'\n")
first = os.path.join(folder, "first")
sys.path.append(first)
where("behind", "graphlib")
sys.path.remove(first)
sys.path.insert(0, first)
where("before", "graphlib")
sys.path.remove(standard)
sys.path.insert(0, standard)
where("standard library first", "graphlib")
sys.path.remove(standard)
sys.path.remove(first)
where("no standard library", "graphlib", "plain")
sys.path.append(standard)
usual = sys.path
sys.path = tuple(usual)
where("a tuple", *FEW)
sys.path = [*usual]
where("another list", *FEW)
sys.path = None
where("none", "plain")
sys.path = usual

# Caches.
sys.path_importer_cache.clear()
where("cleared", *FEW)
tell("finders", [repr(finder) for entry, finder in sys.path_importer_cache.items() if entry in (PACKAGES, standard)])
sys.path_importer_cache[PACKAGES] = None
where("None as finder", "plain", "package.first")
sys.path_importer_cache.pop(PACKAGES)
cache = sys.path_importer_cache
sys.path_importer_cache = type("D", (dict,), {})()
where("a subclass of dict", *FEW)
sys.path_importer_cache = cache
where("the usual caches", *FEW)
for entry in (PACKAGES, standard):
    finder = sys.path_importer_cache[entry]
    tell("a finder", [finder.path == entry, finder._path_mtime == os.stat(entry).st_mtime, sorted(vars(finder))])

# Entries of a finder's list that it stumbles over when it comes to them.
odd = os.path.join(folder, "odd")
os.mkdir(odd)
sys.path.insert(0, odd)
for entry in (None, 7, ("x",), (7, 8), ("", None), [".zz", None]):
    forget()
    finder = sys.path_importer_cache[odd] = importlib.machinery.FileFinder(odd)
    finder._loaders = [*sys.path_importer_cache[standard]._loaders, entry]
    finder._fill_cache()
    finder._path_mtime = os.stat(odd).st_mtime
    for name in ("graphlib", "plain"):
        try:
            exec(f"import {name}")
            found = sys.modules[name].__file__
        except Exception as error:
            found = [type(error).__name__, str(error)]
        tell(f"loaders with {entry!r}: {name}", found)
sys.path.remove(odd)

# Packages whose __path__ is another one.
write("elsewhere/package/first.py", "where = 'elsewhere'\n")
write("elsewhere/package/other.py", "where = 'elsewhere'\n")
elsewhere = os.path.join(folder, "elsewhere", "package")
for what, change in {
    "before": lambda path: path.insert(0, elsewhere),
    "behind": lambda path: path.append(elsewhere),
    "only": lambda path: path.__setitem__(slice(None), [elsewhere]),
    "empty": lambda path: path.clear(),
}.items():
    forget()
    import package

    change(package.__path__)
    for name in ("package.first", "package.other", "package.second"):
        run(f"__path__ {what}: {name}", f"import {name}, sys\nresult = sys.modules[{name!r}].__file__")
for what, value in {"tuple": (elsewhere,), "str": elsewhere, "None": None, "number": 3}.items():
    forget()
    import package

    package.__path__ = value
    for name in ("package.first", "package.other", "package.second"):
        run(f"__path__ {what}: {name}", f"import {name}, sys\nresult = sys.modules[{name!r}].__file__")
forget()
import package

del package.__path__
run("no __path__", "import package.first")
forget()
import package

del package.__spec__
run("no __spec__", "import package.first, sys\nresult = sys.modules['package.first'].__file__")
forget()
import package

package.__spec__ = None
run("__spec__ None", "import package.first, sys\nresult = sys.modules['package.first'].__file__")

# Namespace packages with a portion elsewhere; extend_path.
write("more/spaces/other.py", "where = 'more'\n")
write("more/extended/far.py", "where = 'more'\n")
write("more/spaces/below/branch.py", "where = 'more'\n")
more = os.path.join(folder, "more")
for position in (0, len(sys.path)):
    sys.path.insert(position, more)
    where(f"portions at {min(position, 1)}", "spaces.no_package", "spaces.other", "spaces.below.leaf", "spaces.below.branch", "extended.near", "extended.far")
    sys.path.remove(more)
forget()
import spaces.no_package

sys.path.append(more)
run("a portion appears", "import spaces.other\nresult = spaces.other.__file__, repr(spaces.__path__)")
sys.path.remove(more)
run("it disappears", "import spaces.below.branch")
write("before/spaces/__init__.py", "where = 'regular'\n")
sys.path.insert(0, before)
importlib.invalidate_caches()
where("a regular package instead", "spaces", "spaces.no_package")
sys.path.remove(before)

# Sources found under other names, and modules made from specs.
for name, path in (("other_name", "plain.py"), ("plain", "plain.py"), ("package", "package/first.py"), ("package.first", "package/first.py")):
    forget()
    spec = importlib.util.spec_from_file_location(name, os.path.join(PACKAGES, path))
    module = importlib.util.module_from_spec(spec)
    attempt(f"{path} as {name}", lambda: spec.loader.exec_module(module) or sorted(vars(module)))
    tell("its code", sorted({f.__code__.co_filename for f in vars(module).values() if hasattr(f, "__code__")}))

# The files themselves change.
copy = os.path.join(folder, "copy")
shutil.copytree(PACKAGES, copy, ignore=shutil.ignore_patterns("__pycache__"))
sys.path[0] = copy
where("a copy", *FEW, "package.inner.deep")
write("copy/fresh.py", "value = 1\n")
run("fresh", "import fresh\nresult = fresh.value")
write("copy/fresh.py", "value = 22\n")
run("fresh reloaded", "import fresh, importlib\nresult = importlib.reload(fresh).value")
