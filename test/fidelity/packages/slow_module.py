"""Takes its time, so that other threads come across it."""

import sys
import time

for started in getattr(sys, "slow_module_started", []):
    started.set()
time.sleep(0.3)
value = 1
