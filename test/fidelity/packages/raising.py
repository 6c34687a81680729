"""A module that raises in a function of its own, so that a traceback has two of its lines."""

import sys


def fail(what):
    raise ValueError("raised by " + what)


# Only a module that was loaded to its end is recorded by a trace (everything.py).
if not hasattr(sys, "tracing"):
    fail(__name__)
