import circle.second

value = 1
