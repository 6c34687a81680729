import time

time.sleep(0.02)
value = "child"
