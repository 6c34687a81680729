"""Imports the module that imports it, after threads were renamed there."""

import renaming

value = renaming.before
