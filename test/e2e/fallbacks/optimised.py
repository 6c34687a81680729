"""Code is that of the options given: -O, -OO, -X no_debug_ranges."""

import hashlib
import importlib
import marshal

from scenario import MODULES, all_code, answer, module_code

found = {}
pieces = []
for name in MODULES:
    module = importlib.import_module(name)
    top = module_code(name)
    positions = [list(code.co_positions()) for code in all_code(top)] if hasattr(top, "co_positions") else None
    found[name] = [
        hashlib.sha256(marshal.dumps(top, 2)).hexdigest(),
        hashlib.sha256(repr(positions).encode()).hexdigest(),
        module.__doc__ and module.__doc__[:20],
    ]
    pieces.append(top)
answer([found, __debug__], pieces)
