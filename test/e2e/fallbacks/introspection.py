"""Whoever only looks at importlib and `re` changes nothing: modules that are imported afterwards are static code."""

import inspect
import pydoc
import sys
import typing

import importlib._bootstrap as bootstrap
import importlib._bootstrap_external as external
import re

from scenario import answer

compiler = getattr(re, "_compiler", None) or re.sre_compile
looked = []
for module in (bootstrap, external, compiler):
    for name, value in sorted(vars(module).items()):
        if inspect.isclass(value) and value.__module__.startswith(("_frozen_importlib", "re.", "sre_")):
            getattr(value, "__annotations__", None)
            typing.get_type_hints(value)
            looked.append([name, len(inspect.getmembers(value)) > 10, len(pydoc.render_doc(value)) > 50])
        elif inspect.isfunction(value):
            value.__annotations__, value.__doc__, value.__dict__
for name in ("json", "json.decoder", "json.scanner", "json.encoder"):
    sys.modules.pop(name, None)
import json.decoder

answer(looked, [json.decoder.JSONDecoder.decode.__code__])
