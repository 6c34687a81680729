"""A package with an attribute hook."""

asked = []


def __getattr__(name):
    asked.append(name)
    if name == "made_up":
        return 42
    raise AttributeError(f"package has no {name}")
