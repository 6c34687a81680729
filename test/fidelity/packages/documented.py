# -*- coding: latin-1 -*-
"""A docstring, a coding cookie, annotations and classes."""

from __future__ import annotations

number: int = 1
name: "str"


def function(a, /, b: int = 2, *args: str, c=3, **keywords) -> None:
    """The function."""

    def inner():
        return a, b

    return inner


class Thing:
    """The class."""

    attribute: float = 1.5

    def method(self):
        return [x for x in range(3)]

    @property
    def computed(self):
        return lambda: self


async def coroutine():
    async for x in y:
        yield x
