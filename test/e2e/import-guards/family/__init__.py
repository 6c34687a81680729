import sys

sys.seen(__name__)
import family.sibling
from family import sibling

value = "family"
