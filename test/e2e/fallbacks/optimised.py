"""Code is that of the options given: -O, -OO, -X no_debug_ranges."""

import importlib

from scenario import MODULES, answer, described, module_code

found = {}
pieces = []
for name in MODULES:
    module = importlib.import_module(name)
    top = module_code(name)
    found[name] = [described(top), module.__doc__ and module.__doc__[:20]]
    pieces.append(top)
answer([found, __debug__], pieces)
