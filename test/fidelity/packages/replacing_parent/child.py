import sys


class Closed:
    __slots__ = ()


sys.modules["replacing_parent"] = Closed()
