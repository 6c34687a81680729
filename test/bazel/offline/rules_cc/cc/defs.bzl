"""Stands in for rules_cc, which Bazel 4.2.3 would download to read its own tools."""

cc_library = native.cc_library
cc_binary = native.cc_binary
cc_import = native.cc_import
cc_test = native.cc_test
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
