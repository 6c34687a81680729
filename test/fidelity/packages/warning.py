import warnings

warnings.warn("level 1", UserWarning)
warnings.warn("level 2", UserWarning, stacklevel=2)
warnings.warn("level 3", UserWarning, stacklevel=3)
warnings.warn("deprecated", DeprecationWarning, stacklevel=2)
