import sys
import time

sys.loaded.append(__name__)
time.sleep(0.02)
import slow
