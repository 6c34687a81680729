"""`tally FILE`: numbers about the columns of a table. `tally --json FILE` for programs."""

import argparse
import dataclasses
import json
import sys

from columns import reading, summary


def main():
    parser = argparse.ArgumentParser(prog="tally", description="Numbers about the columns of a table.")
    parser.add_argument("file")
    parser.add_argument("--json", action="store_true", help="as JSON")
    arguments = parser.parse_args()
    with open(arguments.file, newline="") as file:
        found = {name: summary.summarise(column) for name, column in reading.read(file).items()}
    numbers = {name: dataclasses.asdict(each) for name, each in found.items() if each is not None}
    if arguments.json:
        json.dump(numbers, sys.stdout)
        print()
    else:
        for name, each in numbers.items():
            print(f"{name}: {each['count']} values, mean {each['mean']:g}, median {each['median']:g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
