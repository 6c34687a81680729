"""What lies around a program: its own folder, PYTHONPATH, .pth files, virtual environments, the user's site, editable
installs, other homes, zipped libraries. What each says of the modules that it gets."""

import os
import subprocess
import sys
import sysconfig
import zipfile

from observe import PACKAGES, name_path, tell, temporary_folder

folder = temporary_folder()
name_path(sys.executable, "<python>")
PROBE = """
import sys
names = ("json", "json.decoder", "graphlib", "plain", "package.first", "spaces.no_package", "sched", "added", "added.part")
for name in names:
    try:
        __import__(name)
    except ImportError as error:
        print(name, error)
        continue
    module = sys.modules[name]
    codes = {value.__code__.co_filename for value in vars(module).values() if hasattr(value, "__code__") and value.__module__ == name}
    print(name, module.__file__, module.__spec__.cached, sorted(codes), getattr(module, "where", None), type(module.__loader__).__name__)
"""


def write(path, text):
    path = os.path.join(folder, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    return path


def python(what, *arguments, executable=sys.executable, **variables):
    environment = {**os.environ, **variables}
    done = subprocess.run([executable, *arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    tell(what, [done.returncode, done.stdout.splitlines(), done.stderr.splitlines()])


program = write("program/main.py", PROBE)
python("as it is", program)
python("with the path", program, PYTHONPATH=PACKAGES)
for name in ("json.py", "graphlib.py", "sched/__init__.py", "plain.py", "package/__init__.py"):
    write(f"program/{name}", f"where = 'program'\n")
python("shadowed by the script's folder", program, PYTHONPATH=PACKAGES)
python("shadowed, isolated", "-I", program, PYTHONPATH=PACKAGES)
python("shadowed, ignoring the environment", "-E", program, PYTHONPATH=PACKAGES)
write("here/graphlib.py", "where = 'here'\n")
write("here/sched.py", "where = 'here'\n")
python("the current folder by -c", "-c", "import os; os.chdir('here')\n" + PROBE, PYTHONPATH=PACKAGES)
python("the current folder by -m", "-m", "program.main", PYTHONPATH=PACKAGES)
python("a folder", os.path.join(folder, "program"), PYTHONPATH=PACKAGES)
python("PYTHONPATH before", "-c", PROBE, PYTHONPATH=os.pathsep.join([os.path.join(folder, "program"), PACKAGES]))
python("PYTHONPATH behind", "-c", PROBE, PYTHONPATH=os.pathsep.join([PACKAGES, os.path.join(folder, "program")]))
python("PYTHONPATH with strange entries", "-c", PROBE, PYTHONPATH=os.pathsep.join(["", ".", PACKAGES + "/", "/nothing"]))
with zipfile.ZipFile(os.path.join(folder, "program.zip"), "w") as archive:
    archive.writestr("__main__.py", PROBE)
    archive.writestr("graphlib.py", "where = 'zip'\n")
    archive.writestr("added/__init__.py", "")
    archive.writestr("added/part.py", "where = 'zip'\n")
python("a zipped program", os.path.join(folder, "program.zip"), PYTHONPATH=PACKAGES)

# The user's site.
base = os.path.join(folder, "user")
library = os.path.relpath(sysconfig.get_path("purelib", f"{os.name}_user", {"userbase": "."}), ".")
write(f"user/{library}/added/__init__.py", "where = 'user'\n")
write(f"user/{library}/added/part.py", "where = 'user'\n")
write(f"user/{library}/graphlib.py", "where = 'user'\n")
write(f"user/{library}/usercustomize.py", "import graphlib; print('customized', graphlib.__file__)\n")
write(f"user/{library}/paths.pth", PACKAGES + "\nimport sched; print('pth', sched.__file__)\n")
python("user site", "-c", PROBE, PYTHONUSERBASE=base)
python("user site, off", "-s", "-c", PROBE, PYTHONUSERBASE=base)
python("without site", "-S", "-c", PROBE, PYTHONUSERBASE=base)
write("customize/sitecustomize.py", "import sys, json.decoder\nsys.path.insert(0, sys.path[0] + '/first')\n")
write("customize/first/graphlib.py", "where = 'sitecustomize'\n")
python("sitecustomize", "-c", PROBE, PYTHONPATH=os.path.join(folder, "customize"))

# A virtual environment, with packages, path files, and editable installs of both kinds.
environment = os.path.join(folder, "venv")
python("venv", "-m", "venv", "--without-pip", environment)
inside = os.path.join(environment, "bin", "python")
site = subprocess.run([inside, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], stdout=subprocess.PIPE, text=True).stdout.strip()
python("in the environment", "-c", "import sys; print(sys.prefix, sys.base_prefix, sys.path)\n" + PROBE, executable=inside)
write(os.path.join(site, "added/__init__.py"), "where = 'environment'\n")
write(os.path.join(site, "added/part.py"), "where = 'environment'\n")
write(os.path.join(site, "graphlib.py"), "where = 'environment'\n")
write(os.path.join(site, "editable.pth"), PACKAGES + "\n")
python("packages of the environment", "-c", PROBE, executable=inside)
python("its program", program, executable=inside)
write(os.path.join(site, "__editable___plain_finder.py"), f"""
import sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
MAPPING = {{"plain": {os.path.join(PACKAGES, 'plain.py')!r}, "package": {os.path.join(PACKAGES, 'package')!r}, "sched": "/nowhere"}}
class _EditableFinder:
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        if fullname in MAPPING:
            place = MAPPING[fullname]
            for file in (place, place + "/__init__.py"):
                if file.endswith(".py") and __import__("os").path.isfile(file):
                    return spec_from_file_location(fullname, file)
def install():
    sys.meta_path.append(_EditableFinder)
""")
write(os.path.join(site, "editable.pth"), "import __editable___plain_finder; __editable___plain_finder.install()\n")
python("an editable install by a finder", "-c", PROBE, executable=inside)
write(os.path.join(site, "__editable___plain_finder.py"), open(os.path.join(site, "__editable___plain_finder.py")).read().replace("append(", "insert(0, "))
python("the same, asked first", "-c", PROBE, executable=inside)

# The library under another name.
home = os.path.join(folder, "home")
os.symlink(sys.base_prefix, home)
python("another home", "-c", "import sys; print(sys.prefix, sys.path)\n" + PROBE, PYTHONHOME=home, PYTHONPATH=PACKAGES)
standard = os.path.join(folder, "library")
os.symlink(os.path.dirname(os.__file__), standard)
python("the library twice", "-c", PROBE, PYTHONPATH=standard)

# The library in a zip before the real one.
archive = os.path.join(folder, "library.zip")
with zipfile.ZipFile(archive, "w") as file:
    for name in ("graphlib.py", "json/__init__.py", "json/decoder.py", "json/scanner.py", "json/encoder.py"):
        file.write(os.path.join(os.path.dirname(os.__file__), name), name)
python("a zipped library", "-c", PROBE, PYTHONPATH=archive)
