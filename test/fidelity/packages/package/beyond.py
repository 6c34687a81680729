def beyond():
    from ... import nothing


def missing_name():
    from .second import nothing


def missing_module():
    from . import nothing


def missing_submodule():
    import package.nothing


def below_a_module():
    import package.second.nothing
