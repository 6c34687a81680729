"""Where a program is that runs, what it got, and whether its code is static."""

import sys

import _flashfreeze

CODE = (lambda: None).__code__
print(_flashfreeze.is_static(CODE), sys.argv[1:])
