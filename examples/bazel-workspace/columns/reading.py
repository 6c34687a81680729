"""From a file of comma-separated values to columns."""

import csv


def read(file):
    """The columns of a table by name: numbers where all cells are, else texts."""
    rows = list(csv.DictReader(file))
    names = rows[0].keys() if rows else ()
    return {name: _numbers([row[name] for row in rows]) for name in names}


def _numbers(cells):
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return cells
