"""Makes a trace name the modules of the programs, without running them:  freeze.py LIST

LIST holds pairs of a name and a path, as JSON. What the probe and the programs import of the standard library is imported.
"""

import sys

sys.dont_write_bytecode = True

import ast, asyncio, copy, dataclasses, enum, importlib.abc, importlib.metadata, importlib.resources, importlib.util, inspect
import json, linecache, pickle, pkgutil, runpy, site, string, tempfile, textwrap, threading, traceback, types, typing
import warnings, weakref, zipimport
import colorsys, fractions, html, keyword, statistics, xml.dom.minidom

with open(sys.argv[1], encoding="utf-8") as _file:
    _wanted = json.load(_file)
for _name, _path in _wanted:
    try:
        with open(_path, "rb") as _source:
            compile(_source.read(), _path, "exec", dont_inherit=True)
    except Exception:  # what this Python cannot compile is left to fail when it is imported
        continue
    _spec = importlib.util.spec_from_file_location(_name, _path)
    _module = types.ModuleType(_name)
    _module.__spec__ = _spec
    sys.modules[_name] = _module
