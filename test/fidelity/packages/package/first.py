from . import second
from .second import value as other

value = "first", second.value, other
