"""Measures how long commands take: starts each of them in turn, round after round, so that all see the same machine.

    python -I -S -B measure_runs.py ANSWER REQUEST

The request is {"commands": [{"file": path, "words": [word, …], "environment": {name: value}}, …], "rounds": N, "cwd": path,
"evicted": [path, …]}. The answer is {"milliseconds": [[…], …], "faults": [[…], …], "reads": [[…], …], "peaks": [[…], …]}: a list
for each command, an item for each round; `faults` are minor page faults, `reads` major ones, which waited for a file, and `peaks`
are kilobytes of resident memory. One more round before the first is not counted. Before each run, the pages of the evicted files
are dropped from the page cache, except for those that a process has mapped.
"""

import sys

# This script's directory is on the path for its helper only.
sys.path.insert(0, __file__.rpartition("/")[0])
from request_files import answer_with, read_request

del sys.path[0]

import os
from time import perf_counter_ns


def run(file, command, environment, silence):
    files = [(os.POSIX_SPAWN_DUP2, silence, fd) for fd in (0, 1, 2)]
    begin = perf_counter_ns()
    pid = os.posix_spawn(file, command, environment, file_actions=files)
    _, status, usage = os.wait4(pid, 0)
    end = perf_counter_ns()
    if status != 0:
        sys.exit(f"{' '.join(command)} ended with exit code {os.waitstatus_to_exitcode(status)}")
    return (end - begin) / 1e6, usage.ru_minflt, usage.ru_majflt, usage.ru_maxrss


def evict(paths, write):
    for path in paths:
        try:
            file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            # Only what is on the disk can be dropped.
            if write:
                os.fsync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(file)


def main():
    request = read_request()
    os.chdir(request["cwd"])
    silence = os.open(os.devnull, os.O_RDWR)
    commands = request["commands"]
    figures = [[[] for _ in commands] for _ in range(4)]
    for turn in range(request["rounds"] + 1):
        for index, command in enumerate(commands):
            words = command["words"]
            evict(request["evicted"], write=turn == 0)
            measured = run(command["file"], words, command["environment"], silence)
            if turn > 0:
                for kind, figure in zip(figures, measured):
                    kind[index].append(figure)
    answer_with(dict(zip(("milliseconds", "faults", "reads", "peaks"), figures)))


main()
