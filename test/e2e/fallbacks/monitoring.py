"""sys.monitoring, for all code and for single code objects, and taken back (3.12 and newer)."""

import os
import sys

from scenario import all_code, answer, module_code

events = []
if hasattr(sys, "monitoring"):
    m = sys.monitoring
    import json.decoder
    import textwrap

    WATCHED = ("decoder.py", "scanner.py", "textwrap.py")
    KINDS = [name for name in vars(m.events) if name.isupper() and name not in ("NO_EVENTS", "C_RETURN", "C_RAISE")]

    def listener(kind):
        def listen(*arguments):
            # Events that belong to no code (exceptions' in some versions) have none as their first argument.
            name = os.path.basename(getattr(arguments[0], "co_filename", ""))
            if name in WATCHED:
                # Of the objects only integers, which are offsets and lines.
                events.append([kind, name, arguments[0].co_qualname, *(a for a in arguments[1:] if type(a) is int)])
            if kind == "LINE" and len(events) % 3 == 0:
                return m.DISABLE

        return listen

    def use():
        json.decoder.JSONDecoder().decode('{"a": [1, 2.5, "x"], "b": {"c": null}}')
        textwrap.fill("some words that are long enough to be wrapped", 20)

    for _ in range(100):
        use()
    m.use_tool_id(2, "scenario")
    for kind in KINDS:
        m.register_callback(2, getattr(m.events, kind), listener(kind))
    every = 0
    for kind in KINDS:
        try:
            m.set_events(2, every | getattr(m.events, kind))
            every |= getattr(m.events, kind)
        except ValueError:
            events.append(["refused", kind])
    use()
    m.restart_events()
    use()
    m.set_events(2, 0)
    use()
    some = [json.decoder.JSONDecoder.decode.__code__, textwrap.TextWrapper.wrap.__code__]
    for code in some:
        m.set_local_events(2, code, m.events.LINE | m.events.INSTRUCTION | m.events.PY_START | m.events.PY_RETURN)
    use()
    for code in some:
        m.set_local_events(2, code, 0)
    m.free_tool_id(2)
    use()
    tops = [module_code("json.decoder"), module_code("textwrap")]
    answer([events, [[c.co_name, c.co_code.hex()] for top in tops for c in all_code(top)]], tops + some)
else:
    answer("no sys.monitoring", [module_code("textwrap")])
