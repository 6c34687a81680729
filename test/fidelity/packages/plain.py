"""Nothing special."""


def value():
    return __name__


def fail():
    raise KeyError(__name__)
