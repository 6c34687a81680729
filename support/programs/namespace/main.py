"""A program whose package has no __init__.py and lies in two folders; its plugins are found by what is in them."""

import importlib
import os
import pkgutil
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(here, "one"), os.path.join(here, "two")]

import tools
import tools.formats

plugins = sorted(each.name for each in pkgutil.iter_modules(tools.formats.__path__))
print(plugins, [os.path.relpath(folder, here) for folder in tools.__path__])
for name in sys.argv[1:] or plugins:
    module = importlib.import_module(f"tools.formats.{name}")
    print(name, module.render({"a": 1}), os.path.relpath(module.__file__, here), module.__spec__.parent)
