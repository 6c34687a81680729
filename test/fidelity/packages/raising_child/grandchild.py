import sys

1 / hasattr(sys, "tracing")
