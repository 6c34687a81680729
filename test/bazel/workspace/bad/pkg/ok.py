WORD = "pkg/ok.py"
