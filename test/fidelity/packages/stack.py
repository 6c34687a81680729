"""Who imports, as far as frames tell."""

import sys

frame = sys._getframe()
files = []
while frame is not None:
    files.append((frame.f_code.co_name, "importlib" in frame.f_code.co_filename))
    frame = frame.f_back
callers = [name for name, is_importlib in files if not is_importlib]
