"""For a WORKSPACE file (docs/bazel.md). With MODULE.bazel, use extensions.bzl instead."""

load("//rules/private:python_repository.bzl", _python_repository = "python_repository")

python_repository = _python_repository
