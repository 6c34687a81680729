import sys

if not hasattr(sys, "tracing"):
    del sys.modules["deleting_parent"]
