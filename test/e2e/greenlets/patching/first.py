import patching

value = "first"
