import sys

sys.parent()
value = "parent"
