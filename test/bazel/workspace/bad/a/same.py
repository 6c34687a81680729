WORD = "a/same.py"
