"""Module names, and error messages for invalid ones."""

# A name may contain any non-ASCII letter here: Python rejects the invalid ones when it compiles.
_ASCII_OTHERS = "\t\n\r !\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~"

def is_identifier(word):
    """Whether a word can be (part of) the name of a module in an import statement."""
    if word == "" or word[0].isdigit():
        return False
    for char in word.elems():
        if char in _ASCII_OTHERS:
            return False
    return True

def is_module_name(name):
    """Whether a text is a sequence of identifiers separated by dots."""
    for word in name.split("."):
        if not is_identifier(word):
            return False
    return True

def complain(label, attribute, sentence):
    """Fails the analysis with an error that names the target and its attribute."""
    fail("%s: %s: %s" % (shown(label), attribute, sentence))

def shown(label):
    """A label without the leading @ or @@ that Bazel 6 and newer put before those of the main repository."""
    text = str(label)
    short = text.lstrip("@")
    return short if short.startswith("//") else text

def near(name, known):
    """A hint at a similar name: one that differs in one letter, or in the order of two."""
    for other in known:
        if _is_near(name, other):
            return " (did you mean %s?)" % other
    return ""

def _is_near(one, other):
    if abs_difference(len(one), len(other)) > 1:
        return False
    short, long = (one, other) if len(one) <= len(other) else (other, one)
    same = 0
    for i in range(len(short)):
        if short[i] != long[i]:
            break
        same += 1
    if len(short) < len(long):
        return short[same:] == long[same + 1:]
    return one[same + 1:] == other[same + 1:] or (
        sorted(one[same:same + 2].elems()) == sorted(other[same:same + 2].elems()) and one[same + 2:] == other[same + 2:]
    )

def abs_difference(one, other):
    """The distance between two numbers."""
    return one - other if one > other else other - one
