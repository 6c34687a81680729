"""Has threads renamed while it is imported, as a module does that calls gevent.monkey.patch_all()."""

import sys

if hasattr(sys, "rename_threads"):
    sys.rename_threads()
before = 1
import renamed

value = renamed.value
