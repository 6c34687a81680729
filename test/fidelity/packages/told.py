"""Runs the code that a test gives it."""

import sys

exec(getattr(sys, "told_code", "pass"))
