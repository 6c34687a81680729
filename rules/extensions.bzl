"""For MODULE.bazel: makes a repository with a toolchain from an installed Python."""

load("//rules/private:python_repository.bzl", "PYTHON_ATTRS", "python_repository")

def _flashfreeze_impl(module_ctx):
    owners = {}
    for module in module_ctx.modules:
        for tag in module.tags.python:
            if tag.name in owners:
                fail("flashfreeze.python(name = \"%s\") is declared twice, in the modules %s and %s" %
                     (tag.name, owners[tag.name], module.name))
            owners[tag.name] = module.name
            python_repository(name = tag.name, python = tag.python, interpreter = tag.interpreter, node = tag.node, cc = tag.cc)

flashfreeze = module_extension(
    implementation = _flashfreeze_impl,
    doc = "Finds installed Pythons. Each `python` tag becomes a repository with a toolchain.",
    tag_classes = {
        "python": tag_class(
            attrs = dict(PYTHON_ATTRS, name = attr.string(doc = "The name of the repository.", mandatory = True)),
            doc = "An installed Python. Register its toolchain with `register_toolchains(\"@NAME//:toolchain\")`.",
        ),
    },
)
