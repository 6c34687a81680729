end = True
