"""Module objects of `_flashfreeze`: nothing of one is left when it is gone."""

import gc
import sys
import weakref

import json
from scenario import answer

left = []
if "_flashfreeze" in sys.builtin_module_names or "_flashfreeze" in sys.modules:
    for _ in range(3):
        sys.modules.pop("_flashfreeze", None)
        import _flashfreeze

        left.append(weakref.ref(_flashfreeze.Module))
        del _flashfreeze
    # A module of an extension is kept, with its type, until the interpreter ends.
    sys.modules.pop("_flashfreeze", None)
    gc.collect()
answer(sum(reference() is not None for reference in left), [json.loads.__code__])
