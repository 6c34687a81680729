WORD = "my-tool.py"
