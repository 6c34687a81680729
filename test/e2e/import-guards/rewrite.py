"""Writes the file of stamps in place, as a copy of a file does, while a child imports: python rewrite.py STAMPS"""

import os
import sys

with open(sys.argv[1], "rb") as file:
    data = file.read()
import circle

with open(sys.argv[1], "r+b") as file:
    file.truncate(0)
    file.flush()
    child = os.fork()
    if child == 0:
        import plain, argparse

        os._exit(0 if plain.value == "plain" else 1)
    print("ended with", os.waitpid(child, 0)[1])
    file.write(data)
