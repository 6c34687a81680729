"""What an optimised compilation leaves out."""

value = __doc__
