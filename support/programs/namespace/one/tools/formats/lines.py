from .text import render as on_one_line


def render(value):
    return on_one_line(value).split(", ")
