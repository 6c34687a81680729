"""sys.settrace, with lines and opcodes, and sys.setprofile see static code run as they see any other."""

import os
import sys

from scenario import all_code, answer, module_code

events = []
WATCHED = ("decoder.py", "scanner.py", "textwrap.py")


def note(frame, event):
    name = os.path.basename(frame.f_code.co_filename)
    if name in WATCHED:
        events.append([event, name, frame.f_lineno, frame.f_lasti, getattr(frame.f_code, "co_qualname", frame.f_code.co_name)])


def tracer(frame, event, argument):
    frame.f_trace_opcodes = True
    note(frame, event)
    return tracer


def use():
    import json.decoder
    import textwrap

    json.decoder.JSONDecoder().decode('{"a": [1, 2.5, "x"], "b": {"c": null}}')
    try:
        json.decoder.JSONDecoder(strict=True).decode('{"a"')
    except ValueError:
        pass
    textwrap.fill("some words that are long enough to be wrapped", 20)
    return json.decoder, textwrap


sys.settrace(tracer)
modules = use()
sys.settrace(None)
for _ in range(100):  # warm, and so specialised
    use()
sys.settrace(tracer)
use()
sys.settrace(None)
traced = len(events)
sys.setprofile(lambda frame, event, argument: note(frame, event))
use()
sys.setprofile(None)
use()
# Instructions are as they were: tracing has rewritten them in place, and back.
code = [module_code(module.__name__) for module in modules]
answer([events, traced, [[c.co_name, c.co_code.hex()] for top in code for c in all_code(top)]], code)
