"""One of two modules that import each other."""

before = 1
import circle_b

after = circle_b.value
