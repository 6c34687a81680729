"""A chain of imports that is longer than the limit of recursion, in threads with little room on their stacks."""

import os
import sys
import tempfile
import threading

import json
from scenario import answer

LENGTH = 400
# Where little of the stack is left, 3.14's parser raises MemoryError (docs/guide.md, known differences).
LITTLE = 512 if sys.version_info < (3, 14) else 1024


def write_chain(folder, name, first):
    """Modules that import each the next one; they count in `sys.depth`."""
    for i in range(LENGTH):
        with open(os.path.join(folder, f"{name}{i}.py"), "w") as file:
            file.write(f"import sys\nsys.depth += 1\nimport {first}{name}{i + 1}\n")


def run(module, kilobytes):
    found = []

    def target():
        sys.depth = 0
        try:
            __import__(module)
        except BaseException as error:
            found.extend([type(error).__name__, sys.depth])

    threading.stack_size(kilobytes * 1024)
    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    return found


with tempfile.TemporaryDirectory() as folder:
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True
    write_chain(folder, "link", "")
    package = os.path.join(folder, "chained")
    os.mkdir(package)
    open(os.path.join(package, "__init__.py"), "w").close()
    write_chain(package, "part", "chained.")
    same = [run(module, size) for module in ("link0", "chained.part0") for size in (8192, LITTLE)]
answer(same, [json.loads.__code__])
