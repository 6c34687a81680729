"""The rule frozen_python_binary: a program with all its modules, and the interpreter that contains them."""

load(":interpreter.bzl", "frozen_interpreter")
load(":launcher.bzl", "FIND_RUNFILES", "quoted")
load(":modules.bzl", "frozen_modules", "runfiles_path")
load(":names.bzl", "complain", "near")
load(":providers.bzl", "FrozenInterpreterInfo", "FrozenModulesInfo", "FrozenProgramInfo")

_LAUNCHER = """\
#!/bin/sh
# Runs a program in a Python that contains its modules.
%s
FLASHFREEZE_ROOT=$runfiles
export FLASHFREEZE_ROOT
exec "$runfiles"/%s "$runfiles"/%s "$@"
"""

_START = """\
import sys

# The program's directories replace the directory of this file.
if not getattr(sys.flags, "safe_path", False):
    del sys.path[0]
_base = __file__[: -len(%s)]
sys.path[:0] = [_base + _folder for _folder in %s]

import runpy

runpy._run_module_as_main(%s)
"""

def _launcher_impl(ctx):
    interpreter = ctx.attr.interpreter
    info = interpreter[FrozenInterpreterInfo]
    own = ctx.attr.modules[FrozenModulesInfo]
    modules = {module.name: module for module in info.modules.to_list()}
    if FrozenProgramInfo in ctx.attr.modules:
        program = ctx.attr.modules[FrozenProgramInfo]
        main, ordered = program.main, program.folders
    else:
        main = ctx.attr.main
        if main not in modules:
            complain(ctx.attr.for_label, "main", "no module %s in srcs and deps%s" % (repr(main), near(main, modules)))
        # The directory of the main module's target comes first.
        ordered = [modules[main].root]
        for module in modules.values():
            if module.root != "stdlib" and module.root not in ordered:
                ordered.append(module.root)
    start = ctx.actions.declare_file(ctx.label.name + ".start.py")
    ctx.actions.write(start, _START % (repr(runfiles_path(ctx, start)), repr(ordered), repr(main)))
    launcher = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(
        launcher,
        _LAUNCHER % (FIND_RUNFILES, quoted(runfiles_path(ctx, info.executable)), quoted(runfiles_path(ctx, start))),
        is_executable = True,
    )
    runfiles = ctx.runfiles(files = [start, launcher] + ctx.files.data, transitive_files = own.sources)
    for data in ctx.attr.data + [interpreter]:
        runfiles = runfiles.merge(data[DefaultInfo].default_runfiles)
    return [
        info,
        own,
        DefaultInfo(
            executable = launcher,
            files = depset([launcher], transitive = [interpreter[DefaultInfo].files]),
            runfiles = runfiles,
        ),
    ]

launcher = rule(
    implementation = _launcher_impl,
    attrs = {
        "data": attr.label_list(allow_files = True),
        "for_label": attr.string(),
        "interpreter": attr.label(providers = [FrozenInterpreterInfo]),
        # Only where `modules` does not have it.
        "main": attr.string(),
        "modules": attr.label(providers = [FrozenModulesInfo]),
    },
    executable = True,
)

def declare_program(name, freeze, modules, program, kind, python, verify, common):
    """Declares a program: NAME.modules, NAME.python, and NAME, which runs the program in that interpreter.

    Args:
      name: the name of the target
      freeze: the rule of NAME.modules
      modules: what that rule has of its own
      program: what the launcher has of its own
      kind: as for `frozen_interpreter`
      python: the toolchain, if not the registered one
      verify: as for `frozen_interpreter`
      common: attributes common to all rules; `visibility` is that of NAME only
    """
    inner = {key: common[key] for key in common if key in ["tags", "testonly", "target_compatible_with"]}
    freeze(
        name = name + ".modules",
        python = python,
        visibility = ["//visibility:private"],
        **dict(modules, **inner)
    )
    frozen_interpreter(
        name = name + ".python",
        deps = [":" + name + ".modules"],
        kind = kind,
        python = python,
        verify = verify,
        visibility = ["//visibility:private"],
        **inner
    )
    launcher(
        name = name,
        for_label = label_text(name),
        interpreter = ":" + name + ".python",
        modules = ":" + name + ".modules",
        **dict(program, **common)
    )

def declare_own_program(
        name,
        freeze,
        main,
        srcs = [],
        deps = [],
        data = [],
        stdlib = [],
        startup = True,
        import_root = ".",
        kind = "relink",
        python = None,
        verify = True,
        **kwargs):
    """Declares a program whose sources are attributes: `frozen_python_binary`, with the rule of NAME.modules as `freeze`."""
    declare_program(
        name = name,
        freeze = freeze,
        modules = dict(srcs = srcs, deps = deps, import_root = import_root, startup = startup, stdlib = stdlib),
        program = dict(data = data, main = main),
        kind = kind,
        python = python,
        verify = verify,
        common = kwargs,
    )

def label_text(name):
    """The label that errors name, of a target of this package."""
    return "//%s:%s" % (native.package_name(), name)

def frozen_python_binary(
        name,
        main,
        srcs = [],
        deps = [],
        data = [],
        stdlib = [],
        startup = True,
        import_root = ".",
        kind = "relink",
        python = None,
        verify = True,
        **kwargs):
    """Makes a Python program with all its modules, and an interpreter that has them frozen.

    It declares three targets: NAME.modules (`frozen_modules`), NAME.python (`frozen_interpreter`), and NAME, which runs the
    program in that interpreter. The sources of the modules are in the program's runfiles, and tracebacks name them.

    Args:
      name: the name of the target
      main: the name of the module to run as `__main__`, as for `python -m`
      srcs: sources of modules, as for `frozen_modules`
      deps: `frozen_modules` that the program imports
      data: files that the program reads at run time
      stdlib: modules of the standard library to freeze, as for `frozen_modules`
      startup: whether to freeze the modules that every start of the Python imports
      import_root: as for `frozen_modules`
      kind: as for `frozen_interpreter`
      python: the toolchain, if not the registered one
      verify: as for `frozen_interpreter`
      **kwargs: attributes common to all rules (`visibility`, `tags`, …)
    """
    declare_own_program(
        name,
        frozen_modules,
        main,
        srcs = srcs,
        deps = deps,
        data = data,
        stdlib = stdlib,
        startup = startup,
        import_root = import_root,
        kind = kind,
        python = python,
        verify = verify,
        **kwargs
    )
