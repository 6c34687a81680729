import _flashfreeze
import sys
del sys.modules['_flashfreeze'], sys.modules['encodings']
import encodings
