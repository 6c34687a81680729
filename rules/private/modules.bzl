"""The rule frozen_modules: each module has actions of its own."""

load(":actions.bzl", "freeze_module")
load(":names.bzl", "complain", "is_module_name", "near", "shown")
load(":providers.bzl", "FrozenModulesInfo")
load(":toolchain.bzl", "PYTHON_ATTR", "toolchain_of", "toolchain_types")

def runfiles_path(ctx, file):
    """The path of a file in a program's runfiles directory."""
    path = file.short_path
    return path[3:] if path.startswith("../") else "%s/%s" % (ctx.workspace_name, path)

def import_folder(ctx):
    """The sys.path entry of a target's sources, as a path in a program's runfiles directory."""
    root = ctx.attr.import_root
    if root.startswith("/"):
        parts = root.split("/")
    else:
        parts = ctx.label.package.split("/") + root.split("/")
    parts = [part for part in parts if part not in ["", "."]]
    if ".." in parts:
        complain(ctx.label, "import_root", "%s is outside of the package" % repr(root))
    repository = ctx.label.workspace_root.rpartition("/")[2] or ctx.workspace_name
    return "/".join([repository] + parts)

def _own(ctx):
    """The modules in `srcs`."""
    folder = import_folder(ctx)
    found = []
    for file in ctx.files.srcs:
        path = runfiles_path(ctx, file)
        if file.is_source and file.owner.package == ctx.label.package and file.owner.name in ctx.attr.unseen:
            complain(ctx.label, "srcs", "no such file: %s" % file.short_path)
        if not path.startswith(folder + "/"):
            complain(ctx.label, "srcs", "%s is not in the directory of import_root, %s" % (path, folder))
        place = path[len(folder) + 1:-len(".py")]
        is_package = place.endswith("/__init__")
        name = (place[:-len("/__init__")] if is_package else place).replace("/", ".")
        if not is_module_name(name) or "." in place:
            complain(ctx.label, "srcs", "%s would be the module %s, which cannot be imported by that name" % (path, repr(name)))
        found.append(struct(name = name, is_package = is_package, root = folder, source = file))
    return found

def modules_of_library(ctx, toolchain, names, attribute):
    """Modules of the standard library; `json.*` is a package with all its modules."""
    found = []
    for wanted in names:
        all = wanted.endswith(".*")
        name = wanted[:-2] if all else wanted
        if name not in toolchain.stdlib and name not in toolchain.frozen_names:
            if not is_module_name(name):
                complain(ctx.label, attribute, "%s is not a valid module name" % repr(wanted))
            complain(ctx.label, attribute, "no source found for the module %s in the standard library of Python %s%s" % (
                repr(name),
                toolchain.version,
                near(name, toolchain.stdlib),
            ))
        for each in [name] + ([other for other in toolchain.stdlib if other.startswith(name + ".")] if all else []):
            # The toolchain handles the modules that CPython freezes itself.
            if each not in toolchain.frozen_names:
                module = toolchain.stdlib[each]
                found.append(struct(name = each, is_package = module.is_package, root = "stdlib", source = module.source))
    return found

def freeze(ctx, toolchain, module):
    """Declares the actions of a module, and describes it as `FrozenModulesInfo` does."""
    filename = module.name.replace(".", "/") + ("/__init__.py" if module.is_package else ".py")
    made = freeze_module(ctx, toolchain, module, filename)
    return struct(
        name = module.name,
        is_package = module.is_package,
        root = module.root,
        source = module.source,
        object = made.object,
        pic_object = made.pic_object,
        label = ctx.label,
    )

def frozen_deps(ctx):
    """The deps that are frozen modules."""
    return [dep for dep in ctx.attr.deps if FrozenModulesInfo in dep]

def check_deps(ctx, toolchain):
    """Rejects deps that were frozen with another toolchain: their code is for another Python."""
    for dep in frozen_deps(ctx):
        other = dep[FrozenModulesInfo].toolchain
        if other != toolchain.label:
            complain(ctx.label, "deps", "%s is frozen with %s, this with %s" % (shown(dep.label), shown(other), shown(toolchain.label)))

def frozen_modules_of(ctx, more, files):
    """What `frozen_modules` provides.

    Args:
      ctx: the context of the rule, with MODULES_ATTRS
      more: modules besides those of its attributes
      files: depsets of files that these need at run time
    Returns:
      a list of providers
    """
    toolchain = toolchain_of(ctx)
    check_deps(ctx, toolchain)
    wanted = modules_of_library(ctx, toolchain, (toolchain.startup if ctx.attr.startup else []) + ctx.attr.stdlib, "stdlib") + _own(ctx) + more
    own = {}
    for module in wanted:
        first = own.get(module.name)
        if first == None:
            own[module.name] = module
        elif first.source != module.source:
            complain(ctx.label, "srcs", "two modules are called %s: %s and %s" % (
                module.name,
                first.source.short_path,
                module.source.short_path,
            ))
    frozen = [freeze(ctx, toolchain, module) for module in own.values()]
    sources = [module.source for module in own.values() if module.root != "stdlib"]
    deps = [dep[FrozenModulesInfo] for dep in frozen_deps(ctx)]
    return [
        FrozenModulesInfo(
            modules = depset(frozen, transitive = [dep.modules for dep in deps], order = "postorder"),
            sources = depset(sources, transitive = [dep.sources for dep in deps] + files),
            toolchain = toolchain.label,
        ),
        DefaultInfo(files = depset([module.pic_object if toolchain.not_linkable else module.object for module in frozen])),
        OutputGroupInfo(
            pic_objects = depset([module.pic_object for module in frozen]),
        ),
    ]

def _frozen_modules_impl(ctx):
    return frozen_modules_of(ctx, [], [])

MODULES_ATTRS = {
    "srcs": attr.label_list(allow_files = [".py"]),
    "deps": attr.label_list(providers = [FrozenModulesInfo]),
    "stdlib": attr.string_list(),
    "startup": attr.bool(),
    "import_root": attr.string(default = "."),
    "python": PYTHON_ATTR,
    # Files of srcs that do not exist when the package is loaded: generated, or missing.
    "unseen": attr.string_list(),
}

_frozen_modules = rule(implementation = _frozen_modules_impl, attrs = MODULES_ATTRS, toolchains = toolchain_types())

def declare_modules(rule, name, srcs = [], **kwargs):
    """Declares a target of a rule with MODULES_ATTRS.

    Args:
      rule: the rule
      name: the name of the target
      srcs: sources of modules
      **kwargs: all other attributes
    """

    # Bazel itself reports a missing file only when it compiles the file.
    unseen = []
    if type(srcs) == "list":
        own = [str(src).lstrip(":") for src in srcs if not str(src).startswith("@") and not str(src).startswith("//")]
        there = native.glob(own, allow_empty = True) if own else []
        unseen = [src for src in own if src not in there]
    rule(name = name, srcs = srcs, unseen = unseen, **kwargs)

def frozen_modules(name, srcs = [], deps = [], stdlib = [], startup = False, import_root = ".", python = None, **kwargs):
    """Freezes modules as static data.

    Each module becomes an object file (`FreezeModule`: the target Python compiles it). These actions read no other module. Provides `FrozenModulesInfo`.

    Args:
      name: the name of the target
      srcs: sources of modules; the name of a module is its path relative to `import_root`
      deps: other `frozen_modules` that belong to the program
      stdlib: modules of the target's standard library, by name; `json.*` is a package with all its modules
      startup: whether to freeze the modules that every start of the target imports
      import_root: the directory from which modules are imported, relative to the package, or with a leading slash to the repository
      python: the toolchain, if not the registered one: `@NAME//:python`
      **kwargs: attributes common to all rules (`visibility`, `tags`, …)
    """
    declare_modules(
        _frozen_modules,
        name,
        srcs = srcs,
        deps = deps,
        stdlib = stdlib,
        startup = startup,
        import_root = import_root,
        python = python,
        **kwargs
    )
