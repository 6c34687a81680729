import sys

if not hasattr(sys, "tracing"):
    import there_is_no_such_module
