from .. import second
from ..first import value
