"""What an import leaves: sys.modules and its order, attributes of parents and their order, what a module sees of itself."""

import sys

from observe import PACKAGES, module_facts, run, tell

sys.path.insert(0, PACKAGES)
before = set(sys.modules)


def new():
    return [name for name in sys.modules if name not in before]


import telling

tell("telling", telling.seen)
tell("telling afterwards", module_facts(telling))
import package.inner.deep

tell("package.inner.deep", new())
tell("names of package", [name for name in vars(package)])
tell("names of package.inner", [name for name in vars(package.inner)])
import circle_a

tell("circle", new())
import replacing

tell("replacing", [new(), type(replacing).__name__, [type(m).__name__ for n, m in sys.modules.items() if n == "replacing"]])
import spaces.below.leaf

tell("spaces", [new(), list(vars(spaces)), list(vars(spaces.below)), repr(spaces), repr(spaces.__path__), repr(spaces.__spec__)])
import extended.near

tell("extended", [module_facts(extended), module_facts(extended.near)])
import größe

tell("größe", module_facts(größe))
for name in ("array", "_struct", "_heapq", "_json", "_bisect", "binascii", "math", "_csv", "atexit", "errno", "_queue"):
    sys.modules.pop(name, None)
    module = __import__(name)
    tell(f"built in or shared: {name}", [module_facts(module), list(sys.modules)[-1] == name])
for name in ("xml.etree.ElementTree", "email.mime.text", "concurrent.futures.thread", "importlib.resources", "logging.handlers"):
    run(name, f"import {name}, sys; result = [each for each in sys.modules]")
    tell(name, module_facts(sys.modules[name]))
import json.decoder

parent, child = sys.modules["json"], sys.modules["json.decoder"]
del sys.modules["json.decoder"]
import json.decoder as again

tell("json.decoder again", [again is child, parent.decoder is again, again.__spec__ == child.__spec__, new()[-1]])
del parent.decoder
run("a submodule that its parent lost", "import json.decoder\nresult = hasattr(json, 'decoder')")
run("the same, from", "from json import decoder\nresult = decoder.__name__")
run("from something that is not there as an attribute", "from json import scanner, tool\nresult = scanner.__name__, tool.__name__")
tell("uninitialized submodules", [getattr(m.__spec__, "_uninitialized_submodules", None) for m in (package, package.inner, json)])
tell("initializing", [n for n, m in sys.modules.items() if getattr(getattr(m, "__spec__", None), "_initializing", False)])
import _frozen_importlib

tell("locks", list(_frozen_importlib._module_locks))
