import time

time.sleep(0.01)
import circle.first

value = 2
