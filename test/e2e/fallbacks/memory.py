"""tracemalloc, gc.freeze and the rest of gc, with static code among the objects."""

import gc
import importlib
import importlib.util
import sys
import tracemalloc

from scenario import MODULES, all_code, answer, module_code

tracemalloc.start(5)
modules = [importlib.import_module(name) for name in MODULES]
snapshot = tracemalloc.take_snapshot()
tops = [module_code(module.__name__) for module in modules]
pieces = [code for top in tops for code in all_code(top)]
traces = [tracemalloc.get_object_traceback(each) for each in pieces]
for code in pieces:
    for each in (code, code.co_consts, code.co_names, code.co_name, code.co_filename, code.co_code):
        tracemalloc.get_object_traceback(each)
found = [len(traces) == len(pieces), len(snapshot.statistics("lineno")) > 100, tracemalloc.get_traced_memory()[0] > 0]
tracemalloc.stop()

gc.collect()
gc.freeze()
frozen = gc.get_freeze_count()
for _ in range(3):
    gc.collect()
    gc.get_referrers(pieces[0], pieces[0].co_consts)
    gc.get_referents(*pieces, *(code.co_consts for code in pieces))
gc.unfreeze()
gc.collect()
objects = gc.get_objects()
found += [frozen > 1000, gc.get_freeze_count(), any(each is modules for each in objects), len(gc.garbage)]
# Collections in the middle of imports, whose callbacks import as well. Up to 3.11 an import in the middle of another one
# can break that in any interpreter (gh-91351): there they only ask for the code.
callbacks = []
fetch = importlib.import_module if sys.version_info >= (3, 12) else module_code


def collecting(phase, info):
    if phase == "start" and len(callbacks) < 40:
        callbacks.append(phase)
        for name in ("colorsys", "csv", "zipfile", "statistics"):
            fetch(name)


gc.set_threshold(20)
gc.callbacks.append(collecting)
import csv, multiprocessing, statistics, zipfile  # noqa: E401

gc.callbacks.clear()
gc.set_threshold(700)
found += [len(callbacks) > 0, statistics.mean([1, 2, 6]), zipfile.ZIP_STORED, csv.list_dialects()]
answer(found, tops + [module_code(name) for name in ("csv", "zipfile", "statistics")])
