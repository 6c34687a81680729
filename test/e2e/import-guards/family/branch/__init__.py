import sys

sys.seen(__name__)
import family.branch.twin

value = "branch"
