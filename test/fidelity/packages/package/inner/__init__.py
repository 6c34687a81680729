from ..second import value
from . import deep
