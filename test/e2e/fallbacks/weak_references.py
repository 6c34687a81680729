"""Weak references to code objects, with callbacks, and in dictionaries."""

import gc
import weakref

import json.decoder
import textwrap

from scenario import all_code, answer, module_code

called = []
tops = [module_code("json.decoder"), module_code("textwrap")]
pieces = [code for top in tops for code in all_code(top)]
dictionary = weakref.WeakKeyDictionary()
references = []
for i, code in enumerate(pieces):
    references += [weakref.ref(code), weakref.ref(code, called.append), weakref.proxy(code)]
    dictionary[code] = i
found = [
    all(reference() is code for reference, code in zip(references[::3], pieces)),
    [weakref.getweakrefcount(code) for code in pieces],
    [dictionary[code] for code in pieces],
    [proxy.co_name for proxy in references[2::3]],
]
finalizer = weakref.finalize(pieces[1], called.append, "finalized")
found.append(finalizer.alive)
assert finalizer.detach() is not None
gc.collect()
found.append(textwrap.fill("some words", 5))
del references[::2]
gc.collect()
found.append([weakref.getweakrefcount(code) for code in pieces])
del references[:], dictionary
gc.collect()
found.append([weakref.getweakrefcount(code) for code in pieces])
# These are there when the interpreter ends.
kept = [weakref.ref(code, called.append) for code in pieces]
answer([found, len(called)], pieces)
