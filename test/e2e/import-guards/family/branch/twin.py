import sys

sys.seen(__name__)
value = "twin"
