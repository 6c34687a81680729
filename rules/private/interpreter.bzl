"""The rule frozen_interpreter: a Python with the modules of its deps."""

load(":actions.bzl", "compile_c", "environment", "run_step")
load(":launcher.bzl", "FIND_RUNFILES", "REFUSE_COLONS", "quoted")
load(":modules.bzl", "check_deps", "runfiles_path")
load(":names.bzl", "complain", "shown")
load(":providers.bzl", "FrozenInterpreterInfo", "FrozenModulesInfo")
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

def _index(ctx, toolchain, modules, kind):
    """The tables through which the runtime finds images."""
    name = ctx.label.name
    plan = ctx.actions.declare_file(name + ".frozen/plan.json")
    ctx.actions.write(plan, json.encode({
        "kind": kind,
        "modules": [{"name": each.name, "isPackage": each.is_package, "root": each.root} for each in modules],
    }))
    c = ctx.actions.declare_file(name + ".frozen/index.c")
    words = ctx.actions.args()
    words.add("--target", toolchain.target)
    words.add("--plan", plan)
    words.add("--c", c)
    run_step(ctx, toolchain, "index", words, [plan, toolchain.target, toolchain.layout], [c], "FreezeIndex", "Indexing %s" % ctx.label)
    return compile_c(ctx, toolchain, c, "index", "data", kind != "relink")

def _link(ctx, toolchain, command, parts, inputs, libraries, out):
    flags = ctx.actions.args()
    flags.add_all(command)
    flags.add("-o", out)
    listed = ctx.actions.args()
    listed.set_param_file_format("shell")
    listed.use_param_file("@%s", use_always = True)
    listed.add_all(parts)
    rest = ctx.actions.args()
    rest.add_all(libraries)
    ctx.actions.run(
        executable = toolchain.facts["cc"]["path"],
        arguments = [flags, listed, rest],
        inputs = inputs,
        outputs = [out],
        env = environment(toolchain),
        mnemonic = "FreezeLink",
        progress_message = "Linking %s" % ctx.label,
    )

def _check(ctx, toolchain, words, inputs, compared):
    """Checks that the new interpreter starts, uses its images, and that these equal a fresh compile of their sources."""
    name = ctx.label.name
    out = ctx.actions.declare_file(name + ".frozen/checked")
    images = ctx.actions.declare_file(name + ".frozen/images.json")
    checked = compared if ctx.attr.verify else []
    ctx.actions.write(images, json.encode({
        "force": False,
        "images": [{"module": each.name, "source": each.source.path} for each in checked],
    }))
    words.add("--images", images)
    words.add("--advice", _ADVICE)
    words.add("--out", out)
    run_step(
        ctx,
        toolchain,
        "check",
        words,
        inputs + [images] + toolchain.checker + [each.source for each in checked],
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
    objects = [each.object for each in modules] + [_index(ctx, toolchain, modules, "relink")] + linked.objects
    parts = [linked.main] + objects + ["-Wl,--whole-archive", linked.archive, "-Wl,--no-whole-archive"]
    out = ctx.actions.declare_file(ctx.label.name)
    _link(ctx, toolchain, static["command"], parts, [linked.main, linked.archive] + objects, static["libraries"], out)
    words = ctx.actions.args()
    words.add("--python", out)
    checked = _check(ctx, toolchain, words, [out], linked.modules + modules)
    return struct(executable = out, images = out, checked = checked, runfiles = [])

def _graft(ctx, toolchain, modules):
    if toolchain.not_graftable:
        complain(ctx.label, "kind", "\"graft\" is not possible: " + toolchain.not_graftable)
    grafted = toolchain.grafted
    out = ctx.actions.declare_file(ctx.label.name)

    # The executable looks for it by this name, in its own directory.
    library = ctx.actions.declare_file(ctx.label.name + "-images.so")
    objects = [each.pic_object for each in modules] + [_index(ctx, toolchain, modules, "graft")] + grafted.objects
    parts = objects + [grafted.hidden]
    _link(ctx, toolchain, toolchain.facts["overlay"]["command"], parts, parts, [], library)
    words = ctx.actions.args()
    words.add("--target", toolchain.target)
    words.add("--original", grafted.original)
    words.add("--library", library)
    words.add("--out", out)
    run_step(ctx, toolchain, "graft", words, [toolchain.target, grafted.original], [out], "FreezeGraft", "Grafting %s" % ctx.label)
    words = ctx.actions.args()
    words.add("--python", out)
    words.add("--grafted")
    checked = _check(ctx, toolchain, words, [out, library], grafted.modules + modules)
    return struct(executable = out, images = library, checked = checked, runfiles = [library])

def _overlay(ctx, toolchain, modules):
    if not modules:
        complain(ctx.label, "deps", "an overlay needs a module that CPython does not freeze itself")
    name = ctx.label.name
    objects = [each.pic_object for each in modules] + [_index(ctx, toolchain, modules, "overlay")] + toolchain.overlay.objects
    exports = toolchain.overlay.exports
    extension = ctx.actions.declare_file("%s.site/_flashfreeze%s" % (name, toolchain.facts["extensionSuffix"]))
    _link(ctx, toolchain, toolchain.facts["overlay"]["command"], objects + [exports], objects + [exports], [], extension)
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
    words.add("--module", modules[0].name)
    checked = _check(ctx, toolchain, words, [toolchain.interpreter, hook, extension], modules)
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
        "verify": VERIFY_ATTR,
    },
    executable = True,
    toolchains = toolchain_types(),
)
