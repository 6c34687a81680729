import sys

sys.meet()
import crossing.one

value = 2
