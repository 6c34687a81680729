import time

time.sleep(0.1)
import slow_circle_b

value = 1
