import sys

if not hasattr(sys, "tracing"):
    sys.exit(3)
