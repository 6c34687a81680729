"""Imports each module that a file names, one a line, and uses the code of those that must not be imported.

    python import_everything.py LIST
"""

import importlib
import sys
import warnings

# A browser, windows, programs that run when they are imported, and what replaces streams of this process.
UNWELCOME = ("antigravity", "idlelib", "turtledemo", "this", "_aix_support", "test", "tkinter.__main__")

warnings.simplefilter("ignore")
with open(sys.argv[1]) as file:
    names = [line.strip() for line in file]
imported, failed = 0, []
for name in names:
    if name.split(".")[0] in UNWELCOME or name.endswith("__main__") or name == "getpath":
        continue
    try:
        importlib.import_module(name)
        imported += 1
    except BaseException as error:  # other systems' modules, and libraries that this build does not have
        failed.append(name)
try:
    import _flashfreeze
except ImportError:
    pass
else:
    for module in _flashfreeze.modules():
        _flashfreeze.code(module.name)
print(imported, "modules imported,", len(failed), "cannot be:", " ".join(failed))
