"""A submodule whose parent may have put something else in its place."""
