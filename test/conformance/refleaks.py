"""CPython's own runner with its -R, in an interpreter that does not count references: memory blocks and file descriptors
that a test leaks are still counted. (Only debug builds count references rightly, and those cannot have static code.)

    python refleaks.py -R 3:3 test_code
"""

import sys

if not hasattr(sys, "gettotalrefcount"):
    sys.gettotalrefcount = lambda: 0

from test.libregrtest.main import main

main()
