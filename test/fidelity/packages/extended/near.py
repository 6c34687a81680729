value = "near"
