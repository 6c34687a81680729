"""The providers of the rules, also for rules that build on them."""

FlashfreezeToolchainInfo = provider(
    doc = "A target Python, with the tools that freeze modules for it.",
    fields = {
        "label": "The label of the toolchain.",
        "version": "The version of the target Python, such as `3.14.8`.",
        "series": "The version without the last number: `3.14`.",
        "facts": "The facts about the target that `flashfreeze step target` writes: a dict.",
        "target": "The facts as a file.",
        "interpreter": "The target Python's executable, a file.",
        "node": "The executable of Node.js, a file.",
        "tool": "The program that Node.js runs, a file.",
        "tool_files": "A depset of all files of the tool.",
        "worker": "The script that compiles modules in the target Python, with what it imports.",
        "tracer": "The scripts that trace a program and compile what it compiles, with what they import.",
        "checker": "The script that checks a new interpreter, with what it imports.",
        "layout": "The layout file of the target's version.",
        "image_layouts": "How images look in the target, as files: by whether they are position-independent.",
        "strings": "The header with the interpreter's own strings, or None.",
        "headers": "A depset of the headers of the target Python and of the runtime.",
        "includes": "The include directories, in order.",
        "stdlib": "A dict from each module of the standard library to `struct(name, is_package, source)`.",
        "frozen_names": "A dict with the names of the modules that CPython freezes itself.",
        "startup": "The modules of the standard library that every start imports, in order.",
        "linked": "`struct(main, archive, objects, modules)` for a relinked executable, or None. `modules` are those that CPython " +
                  "freezes itself: `struct(name, source)`.",
        "grafted": "`struct(original, hidden, objects, modules)` for a copy of the target's executable, or None. `modules` as in `linked`.",
        "not_graftable": "The reason why `grafted` is None, or an empty string.",
        "not_linkable": "The reason why `linked` is None, or an empty string.",
        "overlay": "`struct(exports, objects)` for an extension module.",
    },
)

FrozenModulesInfo = provider(
    doc = "Frozen modules, each with the outputs of its actions.",
    fields = {
        "modules": "A depset of structs, dependencies first: `name`, `is_package`, `root` (the `sys.path` entry from which the " +
                   "module is imported: `stdlib`, or a directory in the runfiles), `source`, `object` and " +
                   "`pic_object` (files), `label` (of the target that the module belongs to).",
        "sources": "A depset of the sources without those of the standard library: the runfiles of a program.",
        "toolchain": "The label of the toolchain that froze them.",
    },
)

FrozenProgramInfo = provider(
    doc = "How a program starts.",
    fields = {
        "main": "The name of the module to run as `__main__`.",
        "folders": "What comes first on its `sys.path`, in order: directories in the runfiles.",
    },
)

FrozenStartInfo = provider(
    doc = "The script that starts a program, with the files of the program.",
    fields = {
        "script": "The script, a file.",
        "main": "The name of the module that it runs as `__main__`.",
        "folders": "What comes first on the program's `sys.path`, in order: directories in the runfiles.",
        "runfiles": "The runfiles of the program.",
        "traces": "The command lines with which the program is traced: its arguments, as in a shell.",
        "places": "A dict from the path of each file in the runfiles directory to where an action has it; None stands for an empty file.",
        "files": "A depset of these files.",
    },
)

FrozenInterpreterInfo = provider(
    doc = "An interpreter with frozen modules.",
    fields = {
        "executable": "The file to run.",
        "kind": "`relink`, `graft` or `overlay`.",
        "modules": "A depset of the modules, as in `FrozenModulesInfo`; of a traced program, those that may be frozen.",
        "images": "The file that holds the images: an executable, a library or an extension module.",
        "version": "The version of the Python, such as `3.14.8`.",
    },
)
