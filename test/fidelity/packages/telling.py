"""What a module sees of itself while it is imported."""

import sys

seen = {
    "names": list(globals()),
    "initializing": __spec__._initializing,
    "in modules": sys.modules.get(__name__) is not None,
    "last": list(sys.modules)[-1] == __name__,
}
