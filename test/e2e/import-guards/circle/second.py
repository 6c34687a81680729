import circle.first

value = 2
