"""The rule frozen_python_binary: a program with all its modules, and the interpreter that contains them."""

load(":interpreter.bzl", "frozen_interpreter")
load(":launcher.bzl", "FIND_RUNFILES", "quoted")
load(":modules.bzl", "frozen_modules", "runfiles_path")
load(":names.bzl", "complain", "near")
load(":providers.bzl", "FrozenInterpreterInfo", "FrozenModulesInfo", "FrozenProgramInfo", "FrozenStartInfo")

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

def _start_impl(ctx):
    own = ctx.attr.modules[FrozenModulesInfo]
    modules = {module.name: module for module in own.modules.to_list()}
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
    script = ctx.actions.declare_file(ctx.label.name + ".py")
    ctx.actions.write(script, _START % (repr(runfiles_path(ctx, script)), repr(ordered), repr(main)))
    runfiles = ctx.runfiles(files = [script] + ctx.files.data, transitive_files = own.sources)
    for data in ctx.attr.data:
        runfiles = runfiles.merge(data[DefaultInfo].default_runfiles)
    traces = [ctx.expand_location(trace, ctx.attr.data) for trace in ctx.attr.traces]
    places, files = _places(ctx, runfiles) if traces else ({}, depset())
    return [FrozenStartInfo(
        script = script,
        main = main,
        folders = ordered,
        runfiles = runfiles,
        traces = traces,
        places = places,
        files = files,
    )]

def _places(ctx, runfiles):
    """The files of a program, by the path that each has in the runfiles directory, as Bazel lays it out."""
    places = {"%s/%s" % (ctx.workspace_name, path): None for path in runfiles.empty_filenames.to_list()}
    links = {"%s/%s" % (ctx.workspace_name, link.path): link.target_file for link in runfiles.symlinks.to_list()}
    links.update({link.path: link.target_file for link in runfiles.root_symlinks.to_list()})
    places.update({path: file.path for path, file in links.items()})
    places.update({runfiles_path(ctx, file): file.path for file in runfiles.files.to_list()})
    return places, depset(links.values(), transitive = [runfiles.files])

_program_start = rule(
    implementation = _start_impl,
    attrs = {
        "data": attr.label_list(allow_files = True),
        "for_label": attr.string(),
        # Only where `modules` does not have it.
        "main": attr.string(),
        "modules": attr.label(providers = [FrozenModulesInfo]),
        "traces": attr.string_list(),
    },
)

def _launcher_impl(ctx):
    interpreter = ctx.attr.interpreter
    info = interpreter[FrozenInterpreterInfo]
    start = ctx.attr.start[FrozenStartInfo]
    launcher = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(
        launcher,
        _LAUNCHER % (FIND_RUNFILES, quoted(runfiles_path(ctx, info.executable)), quoted(runfiles_path(ctx, start.script))),
        is_executable = True,
    )
    runfiles = ctx.runfiles(files = [launcher]).merge(start.runfiles).merge(interpreter[DefaultInfo].default_runfiles)
    return [
        info,
        start,
        ctx.attr.modules[FrozenModulesInfo],
        DefaultInfo(
            executable = launcher,
            files = depset([launcher], transitive = [interpreter[DefaultInfo].files]),
            runfiles = runfiles,
        ),
    ]

_LAUNCHER_ATTRS = {
    "interpreter": attr.label(providers = [FrozenInterpreterInfo]),
    "modules": attr.label(providers = [FrozenModulesInfo]),
    "start": attr.label(providers = [FrozenStartInfo]),
}

_launcher = rule(implementation = _launcher_impl, attrs = _LAUNCHER_ATTRS, executable = True)

_launcher_test = rule(implementation = _launcher_impl, attrs = _LAUNCHER_ATTRS, test = True)

def declare_program(name, freeze, modules, program, kind, python, verify, common, is_test = False):
    """Declares a program: NAME.modules, NAME.start, NAME.python, and NAME, which runs the program in that interpreter.

    Args:
      name: the name of the target
      freeze: the rule of NAME.modules
      modules: what that rule has of its own
      program: what NAME.start has of its own
      kind: as for `frozen_interpreter`
      python: the toolchain, if not the registered one
      verify: as for `frozen_interpreter`
      common: attributes common to all rules; `visibility` is that of NAME only
      is_test: whether NAME is a test
    """
    inner = {key: common[key] for key in common if key in ["tags", "testonly", "target_compatible_with"]}
    if is_test:
        # Bazel takes it for granted of tests only.
        inner["testonly"] = True
    inner["visibility"] = ["//visibility:private"]
    freeze(
        name = name + ".modules",
        python = python,
        **dict(modules, **inner)
    )
    _program_start(
        name = name + ".start",
        for_label = label_text(name),
        modules = ":" + name + ".modules",
        **dict(program, **inner)
    )
    frozen_interpreter(
        name = name + ".python",
        deps = [":" + name + ".modules"],
        kind = kind,
        python = python,
        start = ":" + name + ".start",
        verify = verify,
        **inner
    )
    launch = _launcher_test if is_test else _launcher
    launch(
        name = name,
        interpreter = ":" + name + ".python",
        modules = ":" + name + ".modules",
        start = ":" + name + ".start",
        **common
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
        traces = [],
        import_root = ".",
        kind = "relink",
        python = None,
        verify = True,
        freeze = frozen_modules,
        is_test = False,
        **kwargs):
    """Makes a Python program with all its modules, and an interpreter that has them frozen.

    It declares NAME.modules (`frozen_modules`), NAME.start, which says how the program starts, NAME.python (`frozen_interpreter`), and NAME,
    which runs the program in that interpreter. The sources of the modules are in the program's runfiles, and tracebacks name them.

    Args:
      name: the name of the target
      main: the name of the module to run as `__main__`, as for `python -m`
      srcs: sources of modules, as for `frozen_modules`
      deps: `frozen_modules` that the program imports
      data: files that the program reads at run time
      stdlib: modules of the standard library to freeze, as for `frozen_modules`
      startup: whether to freeze the modules that every start of the Python imports
      traces: the arguments of runs that say what the program imports, each as in a shell. Of `srcs`, `deps` and `stdlib`, only that is
        frozen, in that order, with the regular expressions and the source text that the program compiles. `$(rootpath LABEL)` stands for the
        path of a file of `data`
      import_root: as for `frozen_modules`
      kind: as for `frozen_interpreter`
      python: the toolchain, if not the registered one
      verify: as for `frozen_interpreter`
      freeze: internal: the rule of NAME.modules
      is_test: internal: `frozen_python_test`
      **kwargs: attributes common to all rules (`visibility`, `tags`, …)
    """
    declare_program(
        name = name,
        freeze = freeze,
        modules = dict(srcs = srcs, deps = deps, import_root = import_root, startup = startup, stdlib = stdlib),
        program = dict(data = data, main = main, traces = traces),
        kind = kind,
        python = python,
        verify = verify,
        common = kwargs,
        is_test = is_test,
    )

def frozen_python_test(name, main, **kwargs):
    """Makes a `frozen_python_binary` that is a test: `bazel test` runs it, and it fails with any exit code but 0.

    Args:
      name: the name of the target, which ends in `_test` by convention
      main: the name of the module to run as `__main__`
      **kwargs: as for `frozen_python_binary`, and attributes common to all tests (`size`, `timeout`, `args`, …)
    """
    frozen_python_binary(name, main, is_test = True, **kwargs)
