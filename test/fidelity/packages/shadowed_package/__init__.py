where = "packages"
