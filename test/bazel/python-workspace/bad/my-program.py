print("a name that no import statement can have")
