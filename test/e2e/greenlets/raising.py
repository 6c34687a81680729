import time

import slow

time.sleep(0.01)
raise ValueError("no")
