import textwrap


def render(file) -> str:
    return textwrap.indent(file.read(), "| ")
