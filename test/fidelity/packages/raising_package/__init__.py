import sys

if not hasattr(sys, "tracing"):
    raise LookupError("raised by a package")
