import circle.alone

circle.alone.nothing
