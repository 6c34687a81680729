"""Measures what processes that run at the same time take of the memory, each of them held at its end.

    python -I -S -B memory.py     (a JSON object on standard input)

The request is {"words": [word, ...], "environment": {name: value}, "cwd": path, "processes": N}: a Python, its options, and
`-c CODE`, `-m MODULE` or a script, with arguments. The answer is {"pss": [...]}: kilobytes by /proc/PID/smaps_rollup, where a page
that several processes map counts for each of them in part (Linux 4.14, Documentation/ABI/testing/procfs-smaps_rollup).
"""

import json
import os
import signal
import sys

READY, GO = 200, 201
HOLD = f"import atexit, os; atexit.register(lambda: (os.write({READY}, b'.'), os.read({GO}, 1)))"


def held(words):
    """The same program, except that it says when it is done, and then waits. A script is run as __main__, without any import."""
    if "-c" in words:
        at = words.index("-c") + 1
        return words[:at] + [f"{HOLD}; {words[at]}"] + words[at + 1 :]
    if "-m" in words:
        at = words.index("-m")
        code = f"import runpy; runpy._run_module_as_main({words[at + 1]!r})"
        return words[:at] + ["-c", f"{HOLD}; {code}"] + words[at + 2 :]
    at = next(i for i, word in enumerate(words) if i > 0 and not word.startswith("-"))
    script, folder = words[at], os.path.dirname(words[at])
    code = (
        f"import sys; sys.argv[:] = {words[at:]!r}; sys.path[0] = {folder!r}; __file__ = {script!r}; "
        f"exec(compile(open({script!r}, 'rb').read(), {script!r}, 'exec'))"
    )
    return words[:at] + ["-c", f"{HOLD}; {code}"]


def pss(pid):
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))


def main():
    request = json.load(sys.stdin)
    os.chdir(request["cwd"])
    words = held(request["words"])
    silence = os.open(os.devnull, os.O_RDWR)
    ready, ready_end = os.pipe()
    go_end, go = os.pipe()
    files = [(os.POSIX_SPAWN_DUP2, silence, fd) for fd in (0, 1, 2)]
    files += [(os.POSIX_SPAWN_DUP2, ready_end, READY), (os.POSIX_SPAWN_DUP2, go_end, GO)]
    pids = []
    for _ in range(request["processes"]):
        pids.append(os.posix_spawn(words[0], words, request["environment"], file_actions=files))
    os.close(ready_end)
    try:
        for waiting in range(request["processes"]):
            # Nobody is left who could write: they have ended without waiting.
            if os.read(ready, 1) == b"":
                sys.exit(f"{' '.join(words)}: only {waiting} of {len(pids)} came to their end")
        print(json.dumps({"pss": [pss(pid) for pid in pids]}))
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


main()
