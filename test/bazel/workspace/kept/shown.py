"""Says how it was started."""

import json
import sys

import columns.summary

held = "csv" in sys.modules
if "a table" in sys.argv:
    import csv
else:
    import _flashfreeze

    print(
        json.dumps(
            {
                "snapshot": _flashfreeze.info()["snapshot"],
                "held": held,
                "argv": sys.argv[1:],
                "path": [each.rpartition(".runfiles/")[2] for each in sys.path[:2]],
                "file": columns.summary.__file__.rpartition(".runfiles/")[2],
            }
        )
    )
