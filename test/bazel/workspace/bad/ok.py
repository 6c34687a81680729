WORD = "ok.py"
