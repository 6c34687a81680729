WORD = "b/same.py"
