"""Rules that freeze modules of `py_library` and `py_binary` targets, through PyInfo."""

load("@rules_python//python:py_info.bzl", "PyInfo")
load(":binary.bzl", "declare_program", "label_text", frozen_own_binary = "frozen_python_binary")
load(":modules.bzl", "MODULES_ATTRS", "declare_modules", "freeze", "frozen_modules_of", "modules_of_library", "runfiles_path")
load(":names.bzl", "complain", "is_module_name")
load(":providers.bzl", "FrozenModulesInfo", "FrozenProgramInfo")
load(":toolchain.bzl", "PYTHON_ATTR", "toolchain_of", "toolchain_types")

_MainInfo = provider(doc = "The source that a py_binary runs.", fields = {"file": "The source, or None."})

def _main_impl(target, ctx):
    """PyInfo does not have it: it is an attribute, or the source with the target's name."""
    if getattr(ctx.rule.file, "main", None) != None:
        return [_MainInfo(file = ctx.rule.file.main)]
    wanted = target.label.name.split("/")[-1] + ".py"
    sources = [file for file in getattr(ctx.rule.files, "srcs", []) if file.basename == wanted]
    return [_MainInfo(file = sources[0] if sources else None)]

_main_aspect = aspect(implementation = _main_impl)

def _folder_of(path):
    return path.rpartition("/")[0]

def _name_below(folder, path):
    """The name by which a source is imported from a directory: struct(name, is_package), or None."""
    if not path.startswith(folder + "/"):
        return None
    place = path[len(folder) + 1:-len(".py")]
    is_package = place.endswith("/__init__")
    name = (place[:-len("/__init__")] if is_package else place).replace("/", ".")
    return struct(name = name, is_package = is_package) if is_module_name(name) and "." not in place else None

def _importable(ctx, toolchain, infos, first):
    """The modules that targets with PyInfo give, each by one name, and the directories from which they are imported.

    Args:
      ctx: the context of the rule
      toolchain: FlashfreezeToolchainInfo
      infos: their PyInfo
      first: directories that come before the others on the program's sys.path
    Returns:
      struct(modules, folders)
    """
    sources = [
        file
        for file in depset(transitive = [info.transitive_sources for info in infos]).to_list()
        if file.extension == "py"
    ]
    ordered = first + depset(transitive = [info.imports for info in infos]).to_list()
    ordered += [runfiles_path(ctx, file).partition("/")[0] for file in sources]
    folders = {folder: True for folder in ordered if folder}.keys()
    rank = {folder: number for number, folder in enumerate(folders)}
    own = {}
    before = {name: True for name in toolchain.startup}
    for file in sources:
        path = runfiles_path(ctx, file)
        # The innermost directory: what it contains is rarely imported as a part of another package.
        chosen = None
        for folder in folders:
            if path.startswith(folder + "/") and (chosen == None or len(folder) > len(chosen)):
                chosen = folder
        found = _name_below(chosen, path)
        # Not importable, or imported before the program has its path.
        if found == None or found.name in before or found.name in toolchain.frozen_names:
            continue
        first_found = own.get(found.name)
        if first_found == None or rank[chosen] < rank[first_found.root]:
            own[found.name] = struct(name = found.name, is_package = found.is_package, root = chosen, source = file)
    return struct(modules = own.values(), folders = list(folders))

def _files_of(deps):
    """The runfiles of targets, with `data`."""
    return [dep[DefaultInfo].default_runfiles.files for dep in deps]

def _frozen_py_impl(ctx):
    toolchain = toolchain_of(ctx)
    main = None
    if ctx.attr.is_program:
        main = ctx.attr.deps[0][_MainInfo].file
        if main == None:
            complain(ctx.attr.for_label, "binary", "no main source found")

    # As on the program's sys.path: `imports`, then the repositories. Bazel's launcher keeps the main source's directory out
    # (PYTHONSAFEPATH), which Python knows since 3.11.
    first = [_folder_of(runfiles_path(ctx, main))] if main and toolchain.series == "3.10" else []
    found = _importable(ctx, toolchain, [dep[PyInfo] for dep in ctx.attr.deps], first)
    own = {module.name: module for module in found.modules}
    program = []
    if main:
        names = [module.name for module in own.values() if module.source == main]
        if not names:
            complain(ctx.attr.for_label, "binary", "%s cannot be imported by its name" % main.short_path)
        program = [FrozenProgramInfo(main = names[0], folders = ["."] + found.folders)]
    for module in modules_of_library(ctx, toolchain, (toolchain.startup if ctx.attr.startup else []) + ctx.attr.stdlib, "stdlib"):
        if module.name not in own:
            own[module.name] = module
    frozen = [freeze(ctx, toolchain, module) for module in own.values()]
    return program + [
        FrozenModulesInfo(
            modules = depset(frozen, order = "postorder"),
            sources = depset(transitive = _files_of(ctx.attr.deps)),
            toolchain = toolchain.label,
        ),
        DefaultInfo(files = depset([module.pic_object if toolchain.not_linkable else module.object for module in frozen])),
    ]

_ATTRS = {
    "stdlib": attr.string_list(doc = "Modules of the standard library to freeze, as for `frozen_modules`."),
    "startup": attr.bool(doc = "Whether to freeze the modules that every start of the target imports."),
    "python": PYTHON_ATTR,
    "for_label": attr.string(doc = "Internal: the target that errors name."),
    "is_program": attr.bool(doc = "Internal: whether `deps` is a `py_binary`."),
}

frozen_py_library = rule(
    doc = "Freezes the modules of `py_library` targets and of everything that they depend on. Each is frozen by the name by which it is " +
          "imported from the innermost directory of `imports`, else from its repository. Targets of the other rules take it in `deps`.",
    implementation = _frozen_py_impl,
    attrs = dict(
        _ATTRS,
        deps = attr.label_list(
            doc = "Targets that provide `PyInfo`.",
            aspects = [_main_aspect],
            mandatory = True,
            providers = [PyInfo],
        ),
    ),
    toolchains = toolchain_types(),
)

def _mixed_impl(ctx):
    deps = [dep for dep in ctx.attr.deps if PyInfo in dep]
    found = _importable(ctx, toolchain_of(ctx), [dep[PyInfo] for dep in deps], [])
    return frozen_modules_of(ctx, found.modules, _files_of(deps))

_mixed_modules = rule(
    implementation = _mixed_impl,
    attrs = dict(MODULES_ATTRS, deps = attr.label_list(providers = [[FrozenModulesInfo], [PyInfo]])),
    toolchains = toolchain_types(),
)

def frozen_modules(name, **kwargs):
    """Freezes modules as `frozen_modules` of `defs.bzl` does, and takes targets that provide `PyInfo` in `deps`, too.

    The modules of these, and of everything that they depend on, are frozen by the names that `frozen_py_library` would give them.

    Args:
      name: the name of the target
      **kwargs: as for `frozen_modules` of `defs.bzl`
    """
    declare_modules(_mixed_modules, name, **kwargs)

def frozen_python_binary(name, main, **kwargs):
    """Makes a program as `frozen_python_binary` of `defs.bzl` does, and takes targets that provide `PyInfo` in `deps`, too.

    Args:
      name: the name of the target
      main: the name of the module to run as `__main__`, as for `python -m`
      **kwargs: as for `frozen_python_binary` of `defs.bzl`
    """
    frozen_own_binary(name, main, freeze = frozen_modules, **kwargs)

def frozen_py_binary(name, binary, stdlib = [], startup = True, traces = [], kind = "relink", python = None, verify = True, **kwargs):
    """Makes a program of a `py_binary`, with an interpreter that has all its modules frozen.

    The program has the runfiles of the `py_binary`, and the same directories on `sys.path`. As with `frozen_python_binary`, there are also
    the targets NAME.modules and NAME.python.

    Args:
      name: the name of the target
      binary: a `py_binary`
      stdlib: modules of the standard library to freeze, as for `frozen_modules`
      startup: whether to freeze the modules that every start of the Python imports
      traces: as for `frozen_python_binary`
      kind: as for `frozen_interpreter`
      python: the toolchain, if not the registered one
      verify: as for `frozen_interpreter`
      **kwargs: attributes common to all rules (`visibility`, `tags`, …)
    """
    declare_program(
        name = name,
        freeze = frozen_py_library,
        modules = dict(deps = [binary], for_label = label_text(name), is_program = True, startup = startup, stdlib = stdlib),
        program = dict(data = [binary], traces = traces),
        kind = kind,
        python = python,
        verify = verify,
        common = kwargs,
    )
