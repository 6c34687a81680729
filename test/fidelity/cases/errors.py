"""Imports that fail: what is raised, its text and fields, the lines of its traceback, and what is left in sys.modules."""

import importlib
import sys

from observe import PACKAGES, run, tell

sys.path.insert(0, PACKAGES)


def leftovers():
    return [name for name in sys.modules if name in NAMES or name.partition(".")[0] in NAMES]


NAMES = {
    *("raising", "raising_import", "raising_chain", "raising_package", "raising_child", "deleting", "replacing"),
    *("deleting_and_raising", "deleting_parent", "replacing_parent", "exiting", "circle_a", "circle_b", "package"),
    *("json", "plain"),
}
STATEMENTS = [
    "import there_is_no_such_module",
    "import there_is_no_such_module.child",
    "from there_is_no_such_module import child",
    "import raising",
    "import raising",
    "import raising.child",
    "import raising_import",
    "import raising_chain",
    "import raising_package",
    "import raising_package.child",
    "from raising_package import child",
    "import raising_child.child",
    "import raising_child.child",
    "from raising_child import child",
    "import raising_child.nothing",
    "import deleting",
    "from deleting import anything",
    "import deleting_and_raising",
    "import deleting_parent.child",
    "import replacing_parent.child",
    "from replacing_parent import child",
    "import exiting",
    "import circle_a; result = circle_a.after, __import__('circle_b').message, __import__('circle_b').refused",
    "import circle_b; result = circle_b.value",
    "import json.nothing",
    "import json.decoder.nothing",
    "from json import nothing",
    "from json.decoder import nothing",
    "from json.nothing import nothing",
    "import plain.nothing",
    "from plain import *; result = sorted(name for name in globals() if name != '__builtins__')",
    "from package import made_up; import package; result = made_up, package.asked",
    "from package import nothing",
    "import package.nothing",
    "import package.beyond; package.beyond.beyond()",
    "import package.beyond; package.beyond.missing_name()",
    "import package.beyond; package.beyond.missing_module()",
    "import package.beyond; package.beyond.missing_submodule()",
    "import package.beyond; package.beyond.below_a_module()",
    "from . import plain",
    "from .plain import value",
    "import replacing; result = replacing.value",
    "__import__('')",
    "__import__('.plain')",
    "__import__('json/decoder')",
    "__import__('json.')",
    "__import__('json..decoder')",
    "__import__('.')",
    "__import__('plain.py')",
    "__import__('pl\\0ain')",
    "__import__('\\ud800')",
    "__import__(b'plain')",
    "__import__(3)",
    "__import__('plain', level=-1)",
    "__import__('plain', level=1)",
    "import sys; sys.modules['plain'] = None; import plain",
    "import sys; sys.modules['json.decoder'] = None; import json.decoder",
    "import sys; sys.modules['package'] = None; import package.first",
    "import sys; sys.modules['package'] = 3; import package.first",
]
FUNCTIONS = [
    "import importlib; importlib.import_module('raising')",
    "import importlib; importlib.import_module('raising_package.child')",
    "import importlib; importlib.import_module('raising_child.child')",
    "import importlib; importlib.import_module('raising_import')",
    "import importlib; importlib.import_module('there_is_no_such_module')",
    "import importlib; importlib.import_module('package.nothing')",
    "import importlib; importlib.import_module('plain.nothing')",
    "import importlib; importlib.import_module('deleting')",
    "import importlib; importlib.import_module('.first')",
    "import importlib; importlib.import_module('....first', 'package')",
    "import importlib; result = importlib.import_module('.first', 'package')",
    "import importlib; importlib.__import__('raising')",
    "import importlib; importlib.__import__('raising_child.child')",
    "import importlib.util; result = importlib.util.find_spec('raising_package.child')",
    "import importlib.util; result = importlib.util.find_spec('nothing.nothing')",
    "import pkgutil; result = pkgutil.resolve_name('raising:nothing')",
    "import importlib; importlib.reload(3)",
    "import importlib, plain; del __import__('sys').modules['plain']; importlib.reload(plain)",
]


def clear():
    for name in leftovers():
        del sys.modules[name]


kept = dict(sys.modules)
for text in STATEMENTS:
    for is_clean in (True, False):
        if is_clean:
            clear()
        run(text + ("" if is_clean else " (again)"), text)
        tell("left", leftovers())
for text in FUNCTIONS:
    clear()
    run(text, text)
    tell("left", leftovers())

# Inside a handler, an exception has a context.
for name in ("raising", "there_is_no_such_module", "raising_package.child", "deleting"):
    clear()
    run(f"while handling: {name}", f"try:\n    1 / 0\nexcept ZeroDivisionError:\n    import {name}\n")
    clear()
    run(f"finally: {name}", f"try:\n    import {name}\nfinally:\n    import plain\n")
