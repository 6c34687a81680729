def render(value):
    return ", ".join(f"{key}={each}" for key, each in value.items())
