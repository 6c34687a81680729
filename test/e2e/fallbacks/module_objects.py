"""Module objects of `_flashfreeze`: nothing of one is left when it is gone."""

import gc
import importlib.util
import weakref

import json
from scenario import answer

left = []
try:
    import _flashfreeze
except ImportError:  # the unmodified interpreter
    pass
else:
    for is_cleared in (False, True):
        module = importlib.util.module_from_spec(_flashfreeze.__spec__)
        _flashfreeze.__spec__.loader.exec_module(module)
        assert module is not _flashfreeze and module.Module is not _flashfreeze.Module
        left.append(weakref.ref(module.Module))
        if is_cleared:  # as at the end of an interpreter: nothing refers to the module then
            vars(module).clear()
        del module
    gc.collect()
answer(sum(reference() is not None for reference in left), [json.loads.__code__])
