"""CPython's test runner, without what would make its processes ordinary starts: -u for its workers, and a variable PYTHONREGRTEST_....

Called like `python -m test`. The workers of `--python "PYTHON run_suite.py"` run it, too, and append what their start was to the file of the
variable SUITE_STARTS.
"""

import os
import sys


def run_worker(main):
    try:
        from _flashfreeze import info
    except ImportError:
        found = "unmodified"
    else:
        found = info()["snapshot"]
        del sys.modules["_flashfreeze"]
    with open(os.environ.pop("SUITE_STARTS"), "a", encoding="utf-8") as report:
        report.write(found + "\n")
    sys.stdout.reconfigure(line_buffering=True)
    main()


def run():
    sys.path[0] = os.getcwd()  # as with -m
    from test.libregrtest import setup

    setup.UNICODE_GUARD_ENV = "REGRTEST_UNICODE_GUARD"
    from test.libregrtest.main import main

    if "test.libregrtest.worker" in sys.argv:
        from test.libregrtest import worker

        sys.argv[1:] = sys.argv[-1:]
        run_worker(worker.main)
    elif "--worker-args" in sys.argv:  # up to 3.11
        sys.argv[1:] = sys.argv[-2:]
        run_worker(main)
    elif sys.version_info >= (3, 12):
        main(_add_python_opts=True)
    else:
        main()


# Tests look at the names that the main program has: those of no function are in their way.
if __name__ == "__main__":
    run()
