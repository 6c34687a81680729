"""For MODULE.bazel: an installed Python becomes a repository with a toolchain."""

load("//rules/private:python_repository.bzl", "PYTHON_ATTRS", "python_repository")

def _flashfreeze_impl(module_ctx):
    owners = {}
    for module in module_ctx.modules:
        for tag in module.tags.python:
            if tag.name in owners:
                fail("flashfreeze.python(name = \"%s\") is there twice, in the modules %s and %s" %
                     (tag.name, owners[tag.name], module.name))
            owners[tag.name] = module.name
            python_repository(name = tag.name, python = tag.python, node = tag.node, cc = tag.cc)

flashfreeze = module_extension(
    implementation = _flashfreeze_impl,
    doc = "Finds installed Pythons: each `python` tag becomes a repository with a toolchain in it.",
    tag_classes = {
        "python": tag_class(
            attrs = dict(PYTHON_ATTRS, name = attr.string(doc = "The repository's name.", mandatory = True)),
            doc = "An installed Python. Register its toolchain with `register_toolchains(\"@NAME//:toolchain\")`.",
        ),
    },
)
