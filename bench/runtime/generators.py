"""Trees walked by generators that call each other, and a pipeline of them."""


class Node:
    def __init__(self, left, value, right):
        self.left, self.value, self.right = left, value, right

    def __iter__(self):
        if self.left is not None:
            yield from self.left
        yield self.value
        if self.right is not None:
            yield from self.right


def tree(values):
    if not values:
        return None
    middle = len(values) // 2
    return Node(tree(values[:middle]), values[middle], tree(values[middle + 1 :]))


def pairs(values):
    before = None
    for value in values:
        yield before, value
        before = value


def averages():
    total = count = 0
    average = None
    while True:
        value = yield average
        total += value
        count += 1
        average = total / count


def main():
    root = tree(range(3000))
    meter = averages()
    next(meter)
    last = 0
    for _ in range(80):
        steps = (after - before for before, after in pairs(root) if before is not None)
        for step in steps:
            last = meter.send(step)
    return last
