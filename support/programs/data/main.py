"""A program that brings data files along, and reads them in every way there is."""

import sys

import app

print(app.VERSION)
for name in sys.argv[1:] or app.templates():
    print(app.render(name))
