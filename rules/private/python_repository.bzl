"""An installed Python as a repository: its headers, standard library and tools as files, and a toolchain."""

PYTHON_ATTRS = {
    "python": attr.string(doc = "The Python: a path, or a name on `PATH`. It is never written to."),
    "interpreter": attr.label(
        doc = "In place of `python`: the executable in another repository, such as that of a toolchain of rules_python " +
              "(`@python_3_13_x86_64-unknown-linux-gnu//:bin/python3`).",
        allow_single_file = True,
    ),
    "node": attr.string(doc = "Node.js: a path, or a name on `PATH`.", default = "node"),
    "cc": attr.string(doc = "The C compiler: a path, or a name on `PATH`; by default the one that compiled the Python."),
}

_BUILD = """\
# Written by flashfreeze for {python}.
load("{defs}", "flashfreeze_toolchain", "frozen_modules")
load(":facts.bzl", "FACTS")
load(":modules.bzl", "LIBRARY")

package(default_visibility = ["//visibility:public"])

exports_files(["bin/python", "bin/node"] + {library})

filegroup(
    name = "stdlib",
    srcs = {library},
)

filegroup(
    name = "headers",
    srcs = glob(["headers/**/*.h"]),
)

flashfreeze_toolchain(
    name = "python",
    facts = FACTS,
    header_roots = {header_roots},
    headers = [":headers"],
    interpreter = "bin/python",
    node = "bin/node",
{parts}    stdlib = [":stdlib"],
)

frozen_modules(
    name = "library",
    python = ":python",
    stdlib = LIBRARY,
)

toolchain(
    name = "toolchain",
    toolchain = ":python",
    toolchain_type = "{type}",
)
"""

_MODULES = '''\
"""Facts about {python}."""

# The modules that every start imports.
STARTUP = {startup}

# The modules of the standard library.
LIBRARY = {library}
'''

def _find(rctx, attribute, name):
    path = rctx.path(name) if name.startswith("/") else rctx.which(name)
    if path == None or not path.exists:
        fail("repository %s: %s: %s: command not found" % (rctx.name, attribute, name))
    return path

def _find_python(rctx):
    if bool(rctx.attr.python) == bool(rctx.attr.interpreter):
        fail("repository %s: python: name a Python by one of python and interpreter" % rctx.name)
    if rctx.attr.interpreter:
        return rctx.path(rctx.attr.interpreter)
    return _find(rctx, "python", rctx.attr.python)

def _lines(words):
    return "[\n" + "".join(["        %s,\n" % repr(word) for word in words]) + "    ]"

def _python_repository_impl(rctx):
    node = _find(rctx, "node", rctx.attr.node)
    python = _find_python(rctx)
    tool = rctx.path(Label("//:bin/flashfreeze.mjs"))
    command = [node, tool, "step", "target", "--python", str(python), "--out", "target.json"]
    if rctx.attr.cc:
        command += ["--cc", str(_find(rctx, "cc", rctx.attr.cc))]
    done = rctx.execute(command, timeout = 300)
    if done.return_code != 0:
        fail("repository %s: python: cannot freeze modules for %s\n%s%s" % (rctx.name, python, done.stdout, done.stderr))
    if hasattr(rctx, "watch"):
        rctx.watch(python)
    text = rctx.read("target.json")
    facts = json.decode(text)

    rctx.symlink(facts["python"], "bin/python")
    rctx.symlink(node, "bin/node")
    rctx.symlink(facts["stdlib"], "lib")
    header_roots = []
    for i, folder in enumerate(facts["headers"]):
        header_roots.append("headers/%d" % i)
        rctx.symlink(folder, header_roots[i])
    parts = ""
    if type(facts["static"]) != "string":
        rctx.symlink(facts["static"]["main"], "static/python.o")
        rctx.symlink(facts["static"]["archive"], "static/libpython.a")
        parts = '    static_archive = "static/libpython.a",\n    static_main = "static/python.o",\n'
    if type(facts["graft"]) != "string":
        rctx.symlink(facts["graft"]["original"], "graft/python")
        parts = '    graft_original = "graft/python",\n' + parts

    # Entries that are aliases share a source, and most are also modules of the library.
    sources = {record["path"]: True for record in facts["modules"]}
    sources.update({row["path"]: True for row in facts["frozen"]})
    there = {path: True for path in sorted(sources) if rctx.path("lib/" + path).exists}
    library = ["lib/" + path for path in there]
    rctx.file("facts.bzl", "FACTS = %s\n" % repr(text), executable = False)
    rctx.file("modules.bzl", _MODULES.format(
        python = python,
        startup = repr(facts["startup"]),
        library = repr([record["name"] for record in facts["modules"] if record["path"] in there]),
    ), executable = False)
    rctx.file("BUILD.bazel", _BUILD.format(
        python = python,
        defs = str(Label("//rules:defs.bzl")),
        type = str(Label("//rules:toolchain_type")),
        library = _lines(library),
        header_roots = repr(header_roots),
        parts = parts,
    ), executable = False)

python_repository = repository_rule(
    implementation = _python_repository_impl,
    doc = "Makes a repository for an installed Python: `@NAME//:toolchain` to register, `@NAME//:python` for the attribute " +
          "`python` of rules, `@NAME//:library` with all modules of the standard library, from which traced programs choose, and " +
          "`@NAME//:modules.bzl` with `STARTUP`, the modules that every start imports, and `LIBRARY`, those of the standard library.",
    attrs = PYTHON_ATTRS,
    configure = True,
    environ = ["PATH"],
    local = True,
)
