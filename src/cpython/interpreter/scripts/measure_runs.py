"""Measures how long commands take: starts each of them in turn, round after round, so that all see the same machine.

    python -I -S -B measure_runs.py ANSWER REQUEST

The request is {"commands": [{"words": [word, …], "environment": {name: value}}, …], "rounds": N, "cwd": path}. The answer
is {"milliseconds": [[…], …], "faults": [[…], …]}: a list for each command, an item for
each round; `faults` are minor page faults. One more round before the first is not counted.
"""

import sys

# This script's directory is on the path for its helper only.
sys.path.insert(0, __file__.rpartition("/")[0])
from request_files import answer_with, read_request

del sys.path[0]

import os
from time import perf_counter_ns


def run(command, environment, silence):
    files = [(os.POSIX_SPAWN_DUP2, silence, fd) for fd in (0, 1, 2)]
    begin = perf_counter_ns()
    pid = os.posix_spawn(command[0], command, environment, file_actions=files)
    _, status, usage = os.wait4(pid, 0)
    end = perf_counter_ns()
    if status != 0:
        sys.exit(f"{' '.join(command)} ended with exit code {os.waitstatus_to_exitcode(status)}")
    return (end - begin) / 1e6, usage.ru_minflt


def main():
    request = read_request()
    os.chdir(request["cwd"])
    silence = os.open(os.devnull, os.O_RDWR)
    milliseconds = [[] for _ in request["commands"]]
    faults = [[] for _ in request["commands"]]
    for turn in range(request["rounds"] + 1):
        for index, command in enumerate(request["commands"]):
            took, pages = run(command["words"], command["environment"], silence)
            if turn > 0:
                milliseconds[index].append(took)
                faults[index].append(pages)
    answer_with({"milliseconds": milliseconds, "faults": faults})


main()
