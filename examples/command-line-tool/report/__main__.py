"""Reports on tables of numbers: `report summary FILE`, `report json FILE`, `report lines FILE`."""

import argparse
import importlib
import os
import sys

# `python FOLDER` puts the folder itself on sys.path; the package is beside it.
sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main() -> int:
    parser = argparse.ArgumentParser(prog="report")
    parser.add_argument("command", choices=["summary", "json", "lines"])
    parser.add_argument("file")
    arguments = parser.parse_args()
    command = importlib.import_module(f"report.commands.{arguments.command}")
    with open(arguments.file, newline="") as file:
        sys.stdout.write(command.render(file))
    return 0


sys.exit(main())
