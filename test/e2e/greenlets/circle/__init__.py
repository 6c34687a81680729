import sys

sys.loaded.append(__name__)
from . import first
