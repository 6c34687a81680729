import sys

import circle
from . import first

sys.patch()
from . import second
import json.decoder
