"""A point that jumps half the way to a corner chosen at random: operators of our own, and a generator of random numbers."""


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        return Point(self.x + other.x, self.y + other.y)

    def __mul__(self, factor):
        return Point(self.x * factor, self.y * factor)

    @property
    def cell(self):
        return int(self.x * 64), int(self.y * 64)


class Random:
    def __init__(self, seed):
        self.state = seed

    def below(self, end):
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.state >> 16) % end


def main():
    corners = [Point(0.0, 0.0), Point(1.0, 0.0), Point(0.5, 0.87)]
    random = Random(1)
    grid = {}
    point = Point(0.3, 0.3)
    for _ in range(100_000):
        point = (point + corners[random.below(3)]) * 0.5
        grid[point.cell] = grid.get(point.cell, 0) + 1
    return len(grid), max(grid.values())
