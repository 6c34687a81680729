import sys

try:
    import raising

    1 / (not hasattr(sys, "tracing"))
except ValueError as error:
    raise ImportError("chained", name="raising_chain") from error
except ZeroDivisionError:
    pass
