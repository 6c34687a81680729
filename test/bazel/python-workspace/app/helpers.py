"""Imported by the name from the workspace, and beside the program."""

import csv
import io
import pathlib

import far.near.there
import tools
from app.version import VERSION
from pip._vendor.rich.console import Console
from pip._vendor.rich.panel import Panel
from pip._vendor.rich.table import Table


def show():
    text = (pathlib.Path(__file__).parent / "table.csv").read_text()
    header, *rows = csv.reader(io.StringIO(text))
    table = Table(*header)
    for row in rows:
        table.add_row(*row)
    out = io.StringIO()
    console = Console(file=out, width=60)
    console.print(table)
    console.print(Panel("%s %s" % (tools.NAME, VERSION)))
    print(out.getvalue() + far.near.there.WORD)
