"""Runs a command and says what it and everything that it started took.

    python -I -S -B usage.py COMMAND...

The last line of standard output is {"exitCode", "wall" and "cpu": seconds, "peak": kilobytes of the largest process}.
"""

import json
import resource
import subprocess
import sys
import time

began = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)
sys.stdout.buffer.write(done.stdout)
wall = time.perf_counter() - began
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu = usage.ru_utime + usage.ru_stime
print(json.dumps({"exitCode": done.returncode, "wall": wall, "cpu": cpu, "peak": usage.ru_maxrss}))
