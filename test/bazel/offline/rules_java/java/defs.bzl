"""Stands in for rules_java, which Bazel 4.2.3 would download to read its own tools."""

java_binary = native.java_binary
java_import = native.java_import
java_library = native.java_library
java_runtime = native.java_runtime
java_toolchain = native.java_toolchain
java_plugin = native.java_plugin
java_test = native.java_test
java_package_configuration = native.java_package_configuration
