def look():
    return value


value = "plain"
