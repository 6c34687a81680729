"""A module that deletes itself."""

import sys

if not hasattr(sys, "tracing"):
    del sys.modules[__name__]
