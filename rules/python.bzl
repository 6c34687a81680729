"""Freezes what the rules of rules_python declare: docs/bazel.md. It is the only file that loads rules_python."""

load(
    "//rules/private:py.bzl",
    _frozen_modules = "frozen_modules",
    _frozen_py_binary = "frozen_py_binary",
    _frozen_py_library = "frozen_py_library",
    _frozen_python_binary = "frozen_python_binary",
)

frozen_py_binary = _frozen_py_binary
frozen_py_library = _frozen_py_library
frozen_modules = _frozen_modules
frozen_python_binary = _frozen_python_binary
