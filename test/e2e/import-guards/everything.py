"""Imports all modules beside it, so that a trace of it freezes them."""

import sys

sys.told = sys.parent = sys.meet = int
sys.seen = lambda name: None
import circle, crossing.one, documented, family.branch.leaf, parent.child, plain, told

try:
    import circle.alone
except AttributeError:
    pass
