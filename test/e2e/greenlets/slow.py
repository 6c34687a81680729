import sys
import time

sys.loaded.append(__name__)
getattr(sys, "slow_started", int)()
time.sleep(0.05)
value = "slow"
