# Read after CPython's Makefile: prints `name=value` for each of the names in FLASHFREEZE_VARIABLES, and makes nothing.
.PHONY: flashfreeze-variables
flashfreeze-variables: ; @:
$(foreach name,$(FLASHFREEZE_VARIABLES),$(info $(name)=$($(name))))
