import json
import os
import pkgutil
from importlib import resources

VERSION = pkgutil.get_data(__name__, "VERSION").decode().strip()


def templates():
    return sorted(each.name for each in (resources.files(__name__) / "templates").iterdir() if each.is_file())


def render(name):
    with resources.as_file(resources.files(__name__).joinpath("templates", name)) as path:
        text = path.read_text()
    with open(os.path.join(os.path.dirname(__file__), "words.json")) as file:
        words = json.load(file)
    return text.format_map(words).strip()
