import sys

sys.meet()
import crossing.two

value = 1
