import sys

if not hasattr(sys, "tracing"):
    del sys.modules[__name__]
    raise RuntimeError("gone")
