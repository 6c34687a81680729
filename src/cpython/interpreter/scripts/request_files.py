"""How the scripts of this directory exchange data with flashfreeze: the command line names two files of JSON, ANSWER and REQUEST.

In files, because standard input and output belong to the code of other people that scripts import or run.
"""

import json
import sys


def read_request():
    with open(sys.argv[2], encoding="utf-8") as file:
        return json.load(file)


def answer_with(value):
    with open(sys.argv[1], "w", encoding="ascii") as file:
        json.dump(value, file)
