import csv
import statistics
from collections import defaultdict
from importlib import resources


def render(file) -> str:
    visitors = defaultdict(list)
    for row in csv.DictReader(file):
        visitors[row["city"]].append(int(row["visitors"]))
    line = (resources.files("report") / "summary.txt").read_text()
    return "".join(line.format(city=city, mean=statistics.mean(numbers)) for city, numbers in visitors.items())
