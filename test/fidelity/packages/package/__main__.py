import sys

print("main of", __package__, __name__, __spec__.name, __file__ == __spec__.origin, sys.argv[1:])
