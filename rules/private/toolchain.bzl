"""The toolchain: a target Python and the tools that freeze modules for it."""

load(":actions.bzl", "compile_c", "freeze_module", "image_layout")
load(":names.bzl", "complain")
load(":providers.bzl", "FlashfreezeToolchainInfo")

TOOLCHAIN_TYPE = str(Label("//rules:toolchain_type"))

def toolchain_types():
    """What a rule that needs a toolchain declares. It is optional, so that `toolchain_of` can report a missing one better."""
    if hasattr(config_common, "toolchain_type"):
        return [config_common.toolchain_type(TOOLCHAIN_TYPE, mandatory = False)]
    return [TOOLCHAIN_TYPE]

def toolchain_of(ctx):
    """The toolchain of a target: that of its attribute `python`, else the registered one."""
    if ctx.attr.python:
        return ctx.attr.python[FlashfreezeToolchainInfo]
    found = ctx.toolchains[TOOLCHAIN_TYPE]
    if found == None:
        complain(ctx.label, "python", "no toolchain found: register one (register_toolchains(\"@NAME//:toolchain\")) " +
                                      "or name one here (python = \"@NAME//:python\")")
    return found.flashfreeze

PYTHON_ATTR = attr.label(
    doc = "The toolchain, if not the registered one: `@NAME//:python`.",
    providers = [FlashfreezeToolchainInfo],
)

def _below(file, label):
    """The path of a file relative to the package of a label."""
    package = file.owner.package
    path = file.owner.name
    if package == label.package:
        return path
    return "%s/%s" % (package, path)

def _library(ctx, facts):
    """The standard library's modules by name, and its files by their path in it."""
    prefix = ctx.attr.stdlib_root + "/"
    files = {}
    for file in ctx.files.stdlib:
        path = _below(file, ctx.label)
        if path.startswith(prefix):
            files[path[len(prefix):]] = file
    modules = {}
    for record in facts["modules"]:
        file = files.get(record["path"])
        if file:
            modules[record["name"]] = struct(name = record["name"], is_package = record["isPackage"], source = file)
    return modules, files

def _folder_of(files, name):
    for file in files:
        if file.basename == name:
            return file.dirname
    fail("no such file: %s" % name)

def _includes(ctx, facts):
    roots = ["/".join([part for part in [ctx.label.workspace_root, ctx.label.package, root] if part]) for root in ctx.attr.header_roots]
    folders = [_folder_of(ctx.files._runtime_headers, "flashfreeze.h"), _folder_of(ctx.files._layouts, "common.h")]
    for include in facts["includes"]:
        root = roots[include["headers"]]
        folders.append(root + "/" + include["below"] if include["below"] else root)
    return folders

def _frozen_by_cpython(ctx, toolchain, files):
    """The modules that CPython freezes itself, which get images where an executable is made."""
    if toolchain.not_linkable and toolchain.not_graftable:
        return []
    done = {}
    modules = []
    for row in toolchain.facts["frozen"]:
        origin = row["origin"]
        if origin in done:
            continue
        done[origin] = True
        source = files.get(row["path"])
        if source == None:
            complain(ctx.label, "stdlib", "%s not found: it is the source of the frozen module %s" % (row["path"], origin))
        made = freeze_module(ctx, toolchain, struct(name = origin, source = source), "<frozen %s>" % origin, cpython_frozen = True)
        modules.append(struct(name = origin, source = source, object = made.object, pic_object = made.pic_object))
    return modules

def _linked(ctx, toolchain, frozen):
    """The objects that an executable is linked from."""
    if toolchain.not_linkable:
        return None
    runtime = [compile_c(ctx, toolchain, file, "runtime." + file.basename, "code", False) for file in ctx.files._runtime_linked]
    return struct(
        main = ctx.file.static_main,
        archive = ctx.file.static_archive,
        objects = runtime + [each.object for each in frozen],
        modules = frozen,
    )

def _pic_runtime(ctx, toolchain):
    """The position-independent objects of the runtime, by source: libraries of grafts and extension modules share most of them."""
    sources = {file: True for file in ctx.files._runtime_graft + ctx.files._runtime_overlay}
    return {file: compile_c(ctx, toolchain, file, "runtime." + file.basename, "code", True) for file in sources}

def _grafted(ctx, toolchain, frozen, runtime):
    """The objects of a library that a copy of the executable needs."""
    if toolchain.not_graftable:
        return None
    return struct(
        original = ctx.file.graft_original,
        hidden = ctx.file._hidden,
        objects = [runtime[file] for file in ctx.files._runtime_graft] + [each.pic_object for each in frozen],
        modules = frozen,
    )

def _flashfreeze_toolchain_impl(ctx):
    facts = json.decode(ctx.attr.facts)
    series = facts["series"]
    layouts = {file.basename: file for file in ctx.files._layouts}
    layout = layouts.get("python%s.h" % series)
    if layout == None:
        known = sorted([name[len("python"):-len(".h")] for name in layouts if name.startswith("python")])
        complain(ctx.label, "facts", "CPython %s is not supported (supported versions: %s)" % (series, ", ".join(known)))
    not_linkable = ""
    if type(facts["static"]) == "string":
        not_linkable = facts["static"]
    elif ctx.file.static_main == None or ctx.file.static_archive == None:
        not_linkable = "%s has no static_main and static_archive" % ctx.label
    not_graftable = ""
    if type(facts["graft"]) == "string":
        not_graftable = facts["graft"]
    elif ctx.file.graft_original == None:
        not_graftable = "%s has no graft_original" % ctx.label
    target = ctx.actions.declare_file(ctx.label.name + ".target.json")
    ctx.actions.write(target, ctx.attr.facts)
    modules, files = _library(ctx, facts)
    strings = [file for file in ctx.files.headers if file.path.endswith("/internal/pycore_global_strings.h")]
    fields = dict(
        label = ctx.label,
        version = facts["version"],
        series = series,
        facts = facts,
        target = target,
        interpreter = ctx.file.interpreter,
        node = ctx.file.node,
        tool = ctx.file._tool,
        tool_files = depset(ctx.files._tool_files),
        worker = ctx.files._worker,
        checker = ctx.files._checker,
        tracer = ctx.files._tracer,
        layout = layout,
        strings = strings[0] if strings else None,
        headers = depset(ctx.files.headers + ctx.files._runtime_headers + ctx.files._layouts),
        includes = _includes(ctx, facts),
        stdlib = modules,
        frozen_names = {name: True for name in facts["frozenNames"]},
        startup = [name for name in facts["startup"] if name in modules],
        not_linkable = not_linkable,
        not_graftable = not_graftable,
    )
    fields["image_layouts"] = {pic: image_layout(ctx, struct(**fields), pic) for pic in (False, True)}
    tools = struct(**fields)
    frozen = _frozen_by_cpython(ctx, tools, files)
    runtime = _pic_runtime(ctx, tools)
    fields["linked"] = _linked(ctx, tools, frozen)
    fields["grafted"] = _grafted(ctx, tools, frozen, runtime)
    fields["overlay"] = struct(
        exports = ctx.file._exports,
        objects = [runtime[file] for file in ctx.files._runtime_overlay],
    )
    info = FlashfreezeToolchainInfo(**fields)
    return [info, platform_common.ToolchainInfo(flashfreeze = info), DefaultInfo(files = depset([target]))]

flashfreeze_toolchain = rule(
    implementation = _flashfreeze_toolchain_impl,
    doc = "A target Python with the tools that freeze modules for it. `python_repository` declares one for an installed Python. " +
          "Declare one by hand if the Python is itself part of the workspace, and wrap it in `toolchain()` to register it.",
    attrs = {
        "facts": attr.string(
            doc = "The JSON that `flashfreeze step target --python EXE --out FILE` writes for the Python.",
            mandatory = True,
        ),
        "interpreter": attr.label(
            doc = "The executable of the Python, which compiles modules.",
            allow_single_file = True,
            mandatory = True,
        ),
        "node": attr.label(
            doc = "The executable of Node.js, 20.19 or newer.",
            allow_single_file = True,
            mandatory = True,
        ),
        "stdlib": attr.label_list(doc = "The sources of the standard library.", allow_files = [".py"]),
        "stdlib_root": attr.string(doc = "The directory of `stdlib` in this package.", default = "lib"),
        "headers": attr.label_list(doc = "CPython's headers, including the internal ones.", allow_files = [".h"]),
        "header_roots": attr.string_list(doc = "The directories of the headers in this package, in the order of `headers` in the facts."),
        "static_main": attr.label(doc = "`python.o`, for `kind = \"relink\"`.", allow_single_file = [".o"]),
        "static_archive": attr.label(doc = "The static archive of the interpreter, for `kind = \"relink\"`.", allow_single_file = [".a"]),
        "graft_original": attr.label(doc = "The executable to copy, for `kind = \"graft\"`.", allow_single_file = True),
        "_tool": attr.label(default = "//:dist/cli/run-step.js", allow_single_file = True),
        "_tool_files": attr.label(default = "//:tool"),
        "_worker": attr.label(default = "//:worker"),
        "_checker": attr.label(default = "//:checker"),
        "_tracer": attr.label(default = "//:tracer"),
        "_layouts": attr.label(default = "//:layouts"),
        "_runtime_headers": attr.label(default = "//:runtime_headers"),
        "_runtime_linked": attr.label(default = "//:runtime_linked"),
        "_runtime_overlay": attr.label(default = "//:runtime_overlay"),
        "_runtime_graft": attr.label(default = "//:runtime_graft"),
        "_hidden": attr.label(default = "//:src/runtime/graft/hidden.ld", allow_single_file = True),
        "_exports": attr.label(default = "//:src/runtime/overlay/exports.ld", allow_single_file = True),
    },
)
