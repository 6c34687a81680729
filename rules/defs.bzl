"""The public rules and providers: docs/bazel.md."""

load("//rules/private:binary.bzl", _frozen_python_binary = "frozen_python_binary", _frozen_python_test = "frozen_python_test")
load("//rules/private:interpreter.bzl", _frozen_interpreter = "frozen_interpreter")
load("//rules/private:modules.bzl", _frozen_modules = "frozen_modules")
load(
    "//rules/private:providers.bzl",
    _FlashfreezeToolchainInfo = "FlashfreezeToolchainInfo",
    _FrozenInterpreterInfo = "FrozenInterpreterInfo",
    _FrozenModulesInfo = "FrozenModulesInfo",
)
load("//rules/private:snapshot.bzl", _frozen_python_snapshot = "frozen_python_snapshot")
load("//rules/private:toolchain.bzl", _flashfreeze_toolchain = "flashfreeze_toolchain")

frozen_modules = _frozen_modules
frozen_interpreter = _frozen_interpreter
frozen_python_binary = _frozen_python_binary
frozen_python_test = _frozen_python_test
frozen_python_snapshot = _frozen_python_snapshot
flashfreeze_toolchain = _flashfreeze_toolchain
FrozenModulesInfo = _FrozenModulesInfo
FrozenInterpreterInfo = _FrozenInterpreterInfo
FlashfreezeToolchainInfo = _FlashfreezeToolchainInfo
