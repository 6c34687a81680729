"""A Python that rules_python unpacks and makes a toolchain of. Its archive takes the place of one that is downloaded."""

load("@rules_python//python:repositories.bzl", "python_register_toolchains")
load(":archive.bzl", "SHA256", "URL", "VERSION")

def _archived_python_impl(_module_ctx):
    python_register_toolchains(
        name = "python_of_archive",
        python_version = VERSION,
        tool_versions = {VERSION: {
            "sha256": {"x86_64-unknown-linux-gnu": SHA256},
            "strip_prefix": "python",
            "url": URL,
        }},
        # As the extension of rules_python does it.
        bzlmod = True,
        ignore_root_user_error = True,
        register_toolchains = False,
    )

archived_python = module_extension(implementation = _archived_python_impl)
