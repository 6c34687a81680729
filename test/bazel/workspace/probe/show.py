"""What a frozen program finds: its own modules, a library's, and the standard library's, in static code or not."""

import json
import sys

import _flashfreeze
from columns import summary

info = _flashfreeze.info()
print(
    json.dumps(
        {
            "python": "%d.%d" % sys.version_info[:2],
            "modules": info["modules"],
            "used": info["used"],
            "reason": info["inactive_because"],
            "own": _flashfreeze.is_static(sys._getframe().f_code),
            "library": _flashfreeze.is_static(summary.summarise.__code__),
            "stdlib": _flashfreeze.is_static(json.loads.__code__),
            "file": __file__[-13:],
            "argv": sys.argv[1:],
            "path": [entry for entry in sys.path if "probe" in entry][0][-12:],
        }
    )
)
