"""The rule frozen_interpreter: a Python with the modules of its deps."""

load(":actions.bzl", "compile_c", "environment", "run_step")
load(":launcher.bzl", "FIND_RUNFILES", "REFUSE_COLONS", "quoted")
load(":modules.bzl", "check_deps", "runfiles_path")
load(":names.bzl", "complain", "shown")
load(":providers.bzl", "FrozenInterpreterInfo", "FrozenModulesInfo", "FrozenStartInfo")
load(":toolchain.bzl", "PYTHON_ATTR", "toolchain_of", "toolchain_types")

_OVERLAY = """\
#!/bin/sh
# Runs Python with frozen modules.
%s
%s
PYTHONPATH=$runfiles/%s${PYTHONPATH:+":$PYTHONPATH"}
export PYTHONPATH
exec "$runfiles"/%s "$@"
"""

_ADVICE = ("this is an error of flashfreeze, or a wrong result in a cache: please report it; " +
           "verify = False builds without this check")

def _closure(ctx, toolchain):
    """The modules of all deps, each once."""
    check_deps(ctx, toolchain)
    found = {}
    for module in depset(transitive = [dep[FrozenModulesInfo].modules for dep in ctx.attr.deps], order = "postorder").to_list():
        first = found.get(module.name)
        if first == None:
            found[module.name] = module
        elif first.source != module.source:
            complain(ctx.label, "deps", "two modules are called %s: %s of %s and %s of %s" % (
                module.name,
                first.source.short_path,
                shown(first.label),
                module.source.short_path,
                shown(module.label),
            ))
    return found.values()

def _plan(ctx, toolchain, modules, kind, frozen_modules):
    """What is frozen, in order: all of the modules, or those that the traced program imports.

    Args:
      ctx: the context of the rule
      toolchain: FlashfreezeToolchainInfo
      modules: the modules that may be frozen
      kind: as the attribute
      frozen_modules: those that CPython freezes itself, which are compared, too
    Returns:
      struct(file, list, objects, images): the plan for the index, the linker's arguments if not all objects are linked, the objects,
      and what is compared
    """
    place = ctx.label.name + ".frozen/"
    plan = ctx.actions.declare_file(place + "plan.json")
    images = ctx.actions.declare_file(place + "images.json")
    objects = [each.object if kind == "relink" else each.pic_object for each in modules]
    start = ctx.attr.start[FrozenStartInfo] if ctx.attr.start else None
    if start == None or not start.traces:
        checked = frozen_modules + modules if ctx.attr.verify else []
        ctx.actions.write(plan, json.encode({"kind": kind, "modules": [_entry(each) for each in modules]}))
        ctx.actions.write(images, json.encode({"force": False, "images": [_image(each) for each in checked]}))
        return struct(file = plan, list = None, objects = objects, images = images)
    request = ctx.actions.declare_file(place + "trace.json")
    ctx.actions.write(request, json.encode({
        "kind": kind,
        "candidates": [
            dict(_entry(each), source = each.source.path, object = object.path)
            for each, object in zip(modules, objects)
        ],
        "images": [_image(each) for each in frozen_modules],
        "verify": ctx.attr.verify,
        "program": {
            "runfiles": start.places,
            "directory": ctx.workspace_name,
            "start": runfiles_path(ctx, start.script),
            "traces": start.traces,
        },
    }))
    listed = ctx.actions.declare_file(place + "objects")
    words = ctx.actions.args()
    words.add("--target", toolchain.target)
    words.add("--python", toolchain.interpreter)
    words.add("--request", request)
    words.add("--plan", plan)
    words.add("--objects", listed)
    words.add("--images", images)
    run_step(
        ctx,
        toolchain,
        "trace",
        words,
        [request, toolchain.target, toolchain.layout, toolchain.interpreter] + toolchain.tracer,
        [plan, listed, images],
        "FreezeTrace",
        "Tracing the program of %s" % ctx.label,
        start.files,
    )
    return struct(file = plan, list = listed, objects = objects, images = images)

def _entry(module):
    return {"name": module.name, "isPackage": module.is_package, "root": module.root}

def _image(module):
    return {"module": module.name, "source": module.source.path}

def _index(ctx, toolchain, plan, kind):
    """The tables through which the runtime finds images."""
    c = ctx.actions.declare_file(ctx.label.name + ".frozen/index.c")
    words = ctx.actions.args()
    words.add("--target", toolchain.target)
    words.add("--plan", plan.file)
    words.add("--c", c)
    run_step(ctx, toolchain, "index", words, [plan.file, toolchain.target, toolchain.layout], [c], "FreezeIndex", "Indexing %s" % ctx.label)
    return compile_c(ctx, toolchain, c, "index", "data", kind != "relink")

def _link(ctx, toolchain, command, before, plan, after, inputs, libraries, out):
    """Links the objects of a plan, between other parts: they begin with the modules, in the order of imports."""
    flags = ctx.actions.args()
    flags.add_all(command)
    flags.add("-o", out)
    flags.add_all(before)
    if plan.list:
        flags.add(plan.list, format = "@%s")
    listed = ctx.actions.args()
    listed.set_param_file_format("shell")
    listed.use_param_file("@%s", use_always = True)
    if not plan.list:
        listed.add_all(plan.objects)
    listed.add_all(after)
    rest = ctx.actions.args()
    rest.add_all(libraries)
    ctx.actions.run(
        executable = toolchain.facts["cc"]["path"],
        arguments = [flags, listed, rest],
        inputs = inputs + plan.objects + ([plan.list] if plan.list else []),
        outputs = [out],
        env = environment(toolchain),
        mnemonic = "FreezeLink",
        progress_message = "Linking %s" % ctx.label,
    )

def _check(ctx, toolchain, words, inputs, plan, compared):
    """Checks that the new interpreter starts, uses its images, and that these equal a fresh compile of their sources."""
    out = ctx.actions.declare_file(ctx.label.name + ".frozen/checked")
    words.add("--plan", plan.file)
    words.add("--images", plan.images)
    words.add("--advice", _ADVICE)
    words.add("--out", out)
    sources = [each.source for each in compared] if ctx.attr.verify else []
    run_step(
        ctx,
        toolchain,
        "check",
        words,
        inputs + [plan.file, plan.images] + toolchain.checker + sources,
        [out],
        "FreezeCheck",
        "Checking %s" % ctx.label,
    )
    return out

def _relink(ctx, toolchain, modules):
    if toolchain.not_linkable:
        complain(ctx.label, "kind", "\"relink\" is not possible: " + toolchain.not_linkable)
    static = toolchain.facts["static"]
    linked = toolchain.linked
    plan = _plan(ctx, toolchain, modules, "relink", linked.modules)
    objects = [_index(ctx, toolchain, plan, "relink")] + linked.objects
    parts = objects + ["-Wl,--whole-archive", linked.archive, "-Wl,--no-whole-archive"]
    out = ctx.actions.declare_file(ctx.label.name)
    _link(ctx, toolchain, static["command"], [linked.main], plan, parts, [linked.main, linked.archive] + objects, static["libraries"], out)
    words = ctx.actions.args()
    words.add("--python", out)
    checked = _check(ctx, toolchain, words, [out], plan, linked.modules + modules)
    return struct(executable = out, images = out, checked = checked, runfiles = [])

def _graft(ctx, toolchain, modules):
    if toolchain.not_graftable:
        complain(ctx.label, "kind", "\"graft\" is not possible: " + toolchain.not_graftable)
    grafted = toolchain.grafted
    out = ctx.actions.declare_file(ctx.label.name)

    # The executable looks for it by this name, in its own directory.
    library = ctx.actions.declare_file(ctx.label.name + "-images.so")
    plan = _plan(ctx, toolchain, modules, "graft", grafted.modules)
    parts = [_index(ctx, toolchain, plan, "graft")] + grafted.objects + [grafted.hidden]
    _link(ctx, toolchain, toolchain.facts["overlay"]["command"], [], plan, parts, parts, [], library)
    words = ctx.actions.args()
    words.add("--target", toolchain.target)
    words.add("--original", grafted.original)
    words.add("--library", library)
    words.add("--out", out)
    run_step(ctx, toolchain, "graft", words, [toolchain.target, grafted.original], [out], "FreezeGraft", "Grafting %s" % ctx.label)
    words = ctx.actions.args()
    words.add("--python", out)
    checked = _check(ctx, toolchain, words, [out, library], plan, grafted.modules + modules)
    return struct(executable = out, images = library, checked = checked, runfiles = [library])

def _overlay(ctx, toolchain, modules):
    if not modules:
        complain(ctx.label, "deps", "an overlay needs a module that CPython does not freeze itself")
    name = ctx.label.name
    plan = _plan(ctx, toolchain, modules, "overlay", [])
    parts = [_index(ctx, toolchain, plan, "overlay")] + toolchain.overlay.objects + [toolchain.overlay.exports]
    extension = ctx.actions.declare_file("%s.site/_flashfreeze%s" % (name, toolchain.facts["extensionSuffix"]))
    _link(ctx, toolchain, toolchain.facts["overlay"]["command"], [], plan, parts, parts, [], extension)
    hook = ctx.actions.declare_file(name + ".site/sitecustomize.py")
    words = ctx.actions.args()
    words.add("--target", toolchain.target)
    words.add("--extension", extension.basename)
    words.add("--out", hook)
    run_step(ctx, toolchain, "hook", words, [toolchain.target], [hook], "FreezeHook", "Writing the hook of %s" % ctx.label)
    launcher = ctx.actions.declare_file(name)
    site = runfiles_path(ctx, hook).rpartition("/")[0]
    python = quoted(runfiles_path(ctx, toolchain.interpreter))
    ctx.actions.write(launcher, _OVERLAY % (FIND_RUNFILES, REFUSE_COLONS, quoted(site), python), is_executable = True)
    words = ctx.actions.args()
    words.add("--python", toolchain.interpreter)
    words.add_all("--site", [hook], map_each = _folder)
    checked = _check(ctx, toolchain, words, [toolchain.interpreter, hook, extension], plan, modules)
    return struct(executable = launcher, images = extension, checked = checked, runfiles = [hook, extension, toolchain.interpreter])

def _folder(file):
    return file.dirname

_KINDS = {
    "graft": _graft,
    "overlay": _overlay,
    "relink": _relink,
}

def _frozen_interpreter_impl(ctx):
    toolchain = toolchain_of(ctx)
    modules = _closure(ctx, toolchain)
    made = _KINDS[ctx.attr.kind](ctx, toolchain, modules)
    files = [made.executable] + [file for file in made.runfiles if file != toolchain.interpreter]
    return [
        FrozenInterpreterInfo(
            executable = made.executable,
            kind = ctx.attr.kind,
            modules = depset(modules),
            images = made.images,
            version = toolchain.version,
        ),
        # Building the target also runs the check.
        DefaultInfo(
            executable = made.executable,
            files = depset(files + [made.checked]),
            runfiles = ctx.runfiles(files = files + made.runfiles),
        ),
    ]

VERIFY_ATTR = attr.bool(
    doc = "Whether the new interpreter compares each of its images with a fresh compile of the source.",
    default = True,
)

INTERPRETER_KIND = attr.string(
    doc = "`relink` links a new executable from the target's static archive. `graft` makes a copy of the target's executable that " +
          "needs a library of images, by `patchelf`. `overlay` makes an extension module that the target loads when it starts, " +
          "and needs only its headers.",
    default = "relink",
    values = sorted(_KINDS),
)

frozen_interpreter = rule(
    implementation = _frozen_interpreter_impl,
    doc = "Makes a Python that contains the frozen modules of its deps and behaves like the target. The build starts it once, " +
          "checks that it uses its images, and compares these with a fresh compile of their sources. Provides `FrozenInterpreterInfo`.",
    attrs = {
        "deps": attr.label_list(doc = "The modules, as `frozen_modules` targets.", providers = [FrozenModulesInfo]),
        "kind": INTERPRETER_KIND,
        "python": PYTHON_ATTR,
        "start": attr.label(doc = "Internal: the program that decides which of the modules are frozen.", providers = [FrozenStartInfo]),
        "verify": VERIFY_ATTR,
    },
    executable = True,
    toolchains = toolchain_types(),
)
