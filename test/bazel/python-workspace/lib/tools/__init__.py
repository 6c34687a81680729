NAME = "Tools"
