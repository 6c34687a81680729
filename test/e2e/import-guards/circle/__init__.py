from . import first

value = first.value
