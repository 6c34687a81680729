"""Puts the pointers of images into the file of a library that was loaded into this process before main().

    python -I -S -B fix_addresses.py ANSWER REQUEST

The request is a JSON object: `library`, the path; `objects` and `fixed`, where the objects of all images and the section ff_fixed lie in the
file (`offset` and `size`) and, of the former, in memory (`address`). The library need not lie there now. The answer is true.
"""

import sys

# This script's directory is on the path for its helper only.
sys.path.insert(0, __file__.rpartition("/")[0])
from request_files import answer_with, read_request

del sys.path[0]

import _flashfreeze


def main():
    request = read_request()
    objects, fixed = request["objects"], request["fixed"]
    with open(request["library"], "r+b") as file:
        file.seek(objects["offset"])
        copy = bytearray(file.read(objects["size"]))
        addresses = _flashfreeze._fix_addresses(copy, objects["address"])
        if len(addresses) != fixed["size"]:
            raise SystemExit(f"{len(addresses)} bytes instead of {fixed['size']}")
        file.seek(objects["offset"])
        file.write(copy)
        file.seek(fixed["offset"])
        file.write(addresses)
    answer_with(True)


main()
