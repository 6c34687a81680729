import plain

value = "child"
