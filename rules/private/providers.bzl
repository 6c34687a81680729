"""What the rules tell each other, and anybody who builds on them."""

FlashfreezeToolchainInfo = provider(
    doc = "A target Python, with the tools that freeze modules for it.",
    fields = {
        "label": "The label of the toolchain.",
        "version": "Of the target Python, such as `3.14.8`.",
        "series": "The same without the last number: `3.14`.",
        "facts": "All that is known of the target: a dict, what `flashfreeze step target` writes.",
        "target": "The same as a file.",
        "interpreter": "The target Python's executable, a file.",
        "node": "Node.js, a file that can be run.",
        "tool": "The file that Node.js runs.",
        "tool_files": "A depset of all files of the tool.",
        "worker": "The script that compiles modules in the target Python.",
        "layout": "The layout file of the target's version.",
        "strings": "The header that names the interpreter's own strings, or None.",
        "headers": "A depset of headers: of the target Python and of the runtime.",
        "includes": "Folders of headers, in order.",
        "stdlib": "A dict from each module of the standard library to `struct(name, is_package, source)`.",
        "frozen_names": "A dict with the names of the modules that CPython freezes itself.",
        "startup": "The modules of the standard library that every start imports, in order.",
        "linked": "`struct(main, archive, objects)` for an executable linked anew, or None.",
        "not_linkable": "Why there is no `linked`, or an empty text.",
        "overlay": "`struct(exports, objects)` for an extension module.",
    },
)

FrozenModulesInfo = provider(
    doc = "Modules that are frozen, each of them with what its actions make.",
    fields = {
        "modules": "A depset, those of deps before those that need them, of structs: `name`, `is_package`, `root` (the folder of " +
                   "`sys.path` that it is found from: `stdlib`, or one in the runfiles), `source`, `unit`, `object` and " +
                   "`pic_object` (files), `label` (of the target that it is of).",
        "sources": "A depset of the sources, without those of the standard library: a program's runfiles.",
        "toolchain": "The label of the toolchain that they are frozen with.",
    },
)

FrozenInterpreterInfo = provider(
    doc = "An interpreter with frozen modules.",
    fields = {
        "executable": "What is to be run.",
        "kind": "`relink` or `overlay`.",
        "modules": "A depset of the modules, as `FrozenModulesInfo` has them.",
        "images": "The file that holds the images: an executable or an extension module.",
        "version": "Of the Python, such as `3.14.8`.",
    },
)
