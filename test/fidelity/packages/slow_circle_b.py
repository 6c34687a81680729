import time

time.sleep(0.1)
import slow_circle_a

value = 1
