import csv
import json


def render(file) -> str:
    return json.dumps(list(csv.DictReader(file))) + "\n"
