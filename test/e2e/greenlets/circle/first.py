import time

import circle.second

time.sleep(0.01)
value = 1
