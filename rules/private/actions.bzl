"""The actions of one module, and of its target: each reads only its declared inputs."""

_PLACEMENTS = {False: "absolute", True: "position-independent"}

def environment(toolchain):
    """The environment of every action. The FLASHFREEZE variables change an action's key when an installed tool changes."""
    return {
        "LC_ALL": "C.UTF-8",
        "PATH": "/usr/bin:/bin",
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": "315532800",
        "FLASHFREEZE_TARGET": toolchain.facts["identity"],
        "FLASHFREEZE_CC": toolchain.facts["cc"]["identity"],
    }

def run_step(ctx, toolchain, step, arguments, inputs, outputs, mnemonic, message, more = depset()):
    """Runs `flashfreeze step …`; `more` are further inputs."""
    words = ctx.actions.args()
    words.add(toolchain.tool)
    words.add(step)
    ctx.actions.run(
        executable = toolchain.node,
        arguments = [words, arguments],
        inputs = depset(inputs, transitive = [toolchain.tool_files, more]),
        outputs = outputs,
        env = environment(toolchain),
        mnemonic = mnemonic,
        progress_message = message,
    )

def compile_c(ctx, toolchain, source, name, kind, pic):
    """Compiles one C file.

    Args:
      ctx: the context of the rule
      toolchain: FlashfreezeToolchainInfo
      source: the C file
      name: the name of the object in the directory of the target
      kind: `data` for initialised data (a probe), `code` for functions
      pic: whether the object is for the position-independent model
    Returns:
      the object file
    """
    out = ctx.actions.declare_file("%s.frozen/%s%s" % (ctx.label.name, name, ".pic.o" if pic else ".o"))
    flags = toolchain.facts["cc"]["flags"][_PLACEMENTS[pic]][kind]
    words = ctx.actions.args()
    words.add_all(flags)
    words.add_all(toolchain.includes, before_each = "-I")
    words.add("-c", source)
    words.add("-o", out)
    ctx.actions.run(
        executable = toolchain.facts["cc"]["path"],
        arguments = [words],
        inputs = depset([source], transitive = [toolchain.headers]),
        outputs = [out],
        env = environment(toolchain),
        mnemonic = "FreezeCc",
        progress_message = "Compiling %s" % name,
    )
    return out

def freeze_module(ctx, toolchain, module, filename, cpython_frozen = False):
    """Declares the action of one module, for each address model. Bazel runs only those whose outputs are needed.

    Args:
      ctx: the context of the rule
      toolchain: FlashfreezeToolchainInfo
      module: struct(name, source)
      filename: the co_filename of its code
      cpython_frozen: whether CPython freezes the module itself
    Returns:
      struct(object, pic_object)
    """
    place = "%s.frozen/%s" % (ctx.label.name, module.name)
    objects = {}
    for pic, layout in toolchain.image_layouts.items():
        object = ctx.actions.declare_file(place + (".pic.o" if pic else ".o"))
        words = _series_words(ctx, toolchain, pic)
        words.add("--python", toolchain.interpreter)
        words.add("--source", module.source)
        words.add("--module", module.name)
        words.add("--filename", filename)
        words.add("--layout", layout)
        words.add("--object", object)
        if cpython_frozen:
            words.add("--cpython-frozen")
        run_step(
            ctx,
            toolchain,
            "freeze",
            words,
            [module.source, toolchain.interpreter, toolchain.layout, layout] + toolchain.worker,
            [object],
            "FreezeModule",
            "Freezing %s for Python %s" % (module.name, toolchain.series),
        )
        objects[pic] = object
    return struct(object = objects[False], pic_object = objects[True])

def image_layout(ctx, toolchain, pic):
    """Declares the actions that say how objects look in a target: its compiler compiles a probe.

    Args:
      ctx: the context of the rule
      toolchain: the fields of FlashfreezeToolchainInfo that are known
      pic: whether it is for the position-independent model
    Returns:
      a file
    """
    place = "%s.frozen/layout%s" % (ctx.label.name, ".pic" if pic else "")
    c = ctx.actions.declare_file(place + ".c")
    words = _series_words(ctx, toolchain, pic)
    words.add("--c", c)
    headers = [toolchain.layout] + _add_strings(words, toolchain)
    run_step(ctx, toolchain, "probe", words, headers, [c], "FreezeProbe", "Writing the probe of Python %s" % toolchain.series)
    object = compile_c(ctx, toolchain, c, "layout", "data", pic)
    layout = ctx.actions.declare_file(place + ".json")
    words = _series_words(ctx, toolchain, pic)
    words.add("--object", object)
    words.add("--layout", layout)
    _add_strings(words, toolchain)
    run_step(ctx, toolchain, "read-probe", words, headers + [object], [layout], "FreezeLayout", "Reading the layout of Python %s" % toolchain.series)
    return layout

def _series_words(ctx, toolchain, pic):
    words = ctx.actions.args()
    words.add("--series", toolchain.series)
    if pic:
        words.add("--position-independent")
    return words

def _add_strings(words, toolchain):
    if toolchain.strings == None:
        return []
    words.add("--strings", toolchain.strings)
    return [toolchain.strings]
