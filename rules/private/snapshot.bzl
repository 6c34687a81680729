"""The rule frozen_python_snapshot: a program that starts from a snapshot of its imports."""

load(":launcher.bzl", "FIND_RUNFILES", "quoted")
load(":modules.bzl", "runfiles_path")
load(":names.bzl", "complain")
load(":providers.bzl", "FrozenModulesInfo", "FrozenStartInfo")
load(":toolchain.bzl", "PYTHON_ATTR", "toolchain_of", "toolchain_types")

_MAKER = """\
#!/bin/sh
# Makes an environment whose program starts from a snapshot of its imports.
%s
if [ $# -lt 1 ]; then
  echo "usage: $0 DIRECTORY [OPTION OF flashfreeze snapshot]..." >&2
  exit 2
fi
case $1 in
/*) environment=$1 ;;
*) environment=${BUILD_WORKING_DIRECTORY:-$PWD}/$1 ;;
esac
shift
set -e
%s -m venv --without-pip "$environment"
"$environment"/bin/python -c %s "$runfiles" %s
cd "$runfiles"/%s
exec "$runfiles"/%s "$runfiles"/%s snapshot --python "$environment"/bin/python --entry %s --out "$environment"/bin/%s %s "$@"
"""

# The program's directories come first on sys.path, as Bazel's launcher has them.
_PUT_FIRST = """\
import sys, sysconfig

folders = ["/".join([sys.argv[1], each]) for each in sys.argv[2:]]
with open(sysconfig.get_path("purelib") + "/flashfreeze-program.pth", "w", encoding="ascii") as file:
    file.write("import sys; sys.path[:0] = %a\\n" % (folders,))
"""

def _frozen_python_snapshot_impl(ctx):
    toolchain = toolchain_of(ctx)
    program = ctx.attr.program
    if program[FrozenModulesInfo].toolchain != toolchain.label:
        complain(ctx.label, "program", "%s is frozen for another Python, of %s" % (program.label, program[FrozenModulesInfo].toolchain))
    start = program[FrozenStartInfo]
    maker = ctx.actions.declare_file(ctx.label.name)
    traces = ["--trace " + quoted("-m %s %s" % (start.main, trace)) for trace in start.traces]
    ctx.actions.write(maker, _MAKER % (
        FIND_RUNFILES,
        quoted(toolchain.facts["python"]),
        quoted(_PUT_FIRST),
        " ".join([quoted(folder) for folder in start.folders]),
        quoted(ctx.workspace_name),
        quoted(runfiles_path(ctx, toolchain.node)),
        quoted(runfiles_path(ctx, ctx.file._tool)),
        quoted(start.main),
        quoted(program.label.name),
        " ".join(traces),
    ), is_executable = True)
    runfiles = ctx.runfiles(files = [toolchain.node] + ctx.files._tool_files).merge(start.runfiles)
    return [DefaultInfo(executable = maker, runfiles = runfiles)]

frozen_python_snapshot = rule(
    implementation = _frozen_python_snapshot_impl,
    doc = "Makes a program that starts from a [snapshot](snapshots.md) of its imports, for Python 3.10 to 3.13. `bazel run //:NAME -- DIRECTORY` " +
          "makes a virtual environment there with the program as `bin/PROGRAM`, and its modules where they are: in the runfiles of this " +
          "target. That is no action, because a snapshot belongs to the machine, the user and the paths of its starts, and an action has " +
          "others. Further arguments are options of `flashfreeze snapshot`.",
    attrs = {
        "program": attr.label(
            doc = "The program, a `frozen_python_binary` or `frozen_py_binary`. Its `traces` are imported, too.",
            mandatory = True,
            providers = [FrozenStartInfo, FrozenModulesInfo],
        ),
        "python": PYTHON_ATTR,
        "_tool": attr.label(default = "//:bin/flashfreeze.mjs", allow_single_file = True),
        "_tool_files": attr.label(default = "//:command"),
    },
    executable = True,
    toolchains = toolchain_types(),
)
