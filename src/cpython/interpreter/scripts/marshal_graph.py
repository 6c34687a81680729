"""Compares marshal data of two code objects, whatever references it has."""

import marshal
import sys


class Graph:
    """Marshal data as one number: without references, which depend on reference counts, and with frozensets in an order
    that does not depend on their tables. Graphs that share `numbers` give equal objects, of any depth, the same number."""

    def __init__(self, data, numbers):
        self.data, self.at, self.references, self.numbers = data, 0, [], numbers

    def take(self, size):
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size=4, signed=True):
        return int.from_bytes(self.take(size), "little", signed=signed)

    def read(self):
        """The number of the next object. What is open lies on a list, not on the stack: code may be nested deep."""
        pending, number = [self.object()], None
        while pending:
            try:
                pending[-1].send(number)
            except StopIteration as end:
                pending.pop()
                number = end.value
            else:
                pending.append(self.object())
                number = None
        return number

    def object(self):
        """Yields for the number of each object in it."""
        byte = self.number(1, False)
        index = len(self.references)
        if byte & 0x80:
            self.references.append(None)
        kind = chr(byte & 0x7F)
        if kind == "r":
            return self.references[self.number(4, False)]
        value = yield from self.value(kind)
        number = self.numbers.setdefault(value, len(self.numbers))
        if byte & 0x80:
            self.references[index] = number
        return number

    def objects(self, count):
        found = []
        for _ in range(count):
            found.append((yield))
        return tuple(found)

    def value(self, kind):
        if kind in "NTFS.0":
            return kind
        if kind == "i":
            return "int", self.number()
        if kind == "l":
            # By its digits: an int has only one form, and to compute its value from them takes quadratic time.
            count = self.number()
            return "int", count, self.take(2 * abs(count))
        if kind in "gy":
            return kind, self.take({"g": 8, "y": 16}[kind])
        if kind in "sutaA":
            return "bytes" if kind == "s" else "str", self.take(self.number())
        if kind in "zZ":
            return "str", self.take(self.number(1, False))
        if kind in "()":
            return "(", (yield from self.objects(self.number(*(1, False) if kind == ")" else (4,))))
        if kind == ">":
            return kind, tuple(sorted((yield from self.objects(self.number()))))
        if kind == ":":
            return kind, (yield from self.objects(3))
        if kind == "c":
            # argcount to flags; code to name; firstlineno; the tables (Python/marshal.c, w_complex_object())
            numbers, objects, tables = (6, 8, 1) if sys.version_info < (3, 11) else (5, 8, 2)
            counts = tuple(self.number() for _ in range(numbers))
            parts = yield from self.objects(objects)
            line = self.number()
            return kind, counts, parts, line, (yield from self.objects(tables))
        raise ValueError(f"unknown kind of constants: {kind!r}")


def is_marshalled_alike(static, fresh):
    try:
        # Versions from 3 on write references.
        if marshal.dumps(static, 2) == marshal.dumps(fresh, 2):
            return True
    except ValueError:
        pass  # slices exist from version 5 on
    numbers = {}
    return Graph(marshal.dumps(static), numbers).read() == Graph(marshal.dumps(fresh), numbers).read()
