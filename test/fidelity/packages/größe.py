"""A module with a name that is not ASCII."""

länge = "größe"


def fehler():
    raise ValueError(länge)
