WORD = "csv.py"
