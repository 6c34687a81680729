WORD = "there"
