import sys

value = "told"
sys.told()
