"""Planets that attract each other: floating-point arithmetic on attributes."""

from math import sqrt


class Body:
    __slots__ = ("place", "speed", "mass")

    def __init__(self, place, speed, mass):
        self.place, self.speed, self.mass = place, speed, mass


def make_bodies():
    return [
        Body([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], 39.5),
        Body([4.8, -1.2, -0.1], [0.6, 2.8, -0.02], 0.038),
        Body([8.3, 4.1, -0.4], [-1.0, 1.8, 0.008], 0.011),
        Body([12.9, -15.1, -0.2], [1.1, 0.9, -0.01], 0.0017),
        Body([15.4, -25.9, 0.2], [1.0, 0.6, -0.03], 0.002),
    ]


def advance(bodies, step):
    for i, one in enumerate(bodies):
        for other in bodies[i + 1 :]:
            apart = [a - b for a, b in zip(one.place, other.place)]
            square = apart[0] * apart[0] + apart[1] * apart[1] + apart[2] * apart[2]
            pull = step / (square * sqrt(square))
            for axis in range(3):
                one.speed[axis] -= apart[axis] * other.mass * pull
                other.speed[axis] += apart[axis] * one.mass * pull
    for body in bodies:
        for axis in range(3):
            body.place[axis] += step * body.speed[axis]


def main():
    bodies = make_bodies()
    for _ in range(9000):
        advance(bodies, 0.01)
    return sum(body.place[0] for body in bodies)
