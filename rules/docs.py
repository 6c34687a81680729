"""Writes the reference in docs/bazel.md from the doc strings of the rules.

    python3 rules/docs.py [--check]

Python's own parser reads Starlark, which is a subset of Python. --check writes nothing, and fails if the page is out of date.
"""

import ast
import pathlib
import sys

PACKAGE = pathlib.Path(__file__).resolve().parent.parent
PAGE = PACKAGE / "docs" / "bazel.md"
BEGIN = "<!-- generated from the doc strings of rules/ by rules/docs.py -->\n"
END = "<!-- end of the generated part -->\n"
PUBLIC = ["defs.bzl", "python.bzl", "extensions.bzl", "repositories.bzl"]


class File:
    """A Starlark file: its top-level definitions and its loads."""

    def __init__(self, path):
        self.path = path
        self.tree = ast.parse(path.read_text())
        self.defined = {}
        self.loaded = {}
        for node in self.tree.body:
            if isinstance(node, ast.Assign):
                self.defined[node.targets[0].id] = node.value
            elif isinstance(node, ast.FunctionDef):
                self.defined[node.name] = node
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and node.value.func.id == "load":
                source, *names = [each.value for each in node.value.args]
                for name in names:
                    self.loaded[name] = (source, name)
                for keyword in node.value.keywords:
                    self.loaded[keyword.arg] = (source, keyword.value.value)

    def resolve(self, node):
        """The definition of a name, and the file that has it."""
        if not isinstance(node, ast.Name):
            return self, node
        if node.id in self.defined:
            return self.resolve(self.defined[node.id])
        if node.id not in self.loaded:
            return self, node
        label, name = self.loaded[node.id]
        package, _, base = label.rpartition(":")
        folder = PACKAGE / package.lstrip("/") if package else self.path.parent
        return File(folder / base).resolve(ast.Name(name))


def text(node):
    """A string, possibly concatenated with +."""
    if isinstance(node, ast.BinOp):
        return text(node.left) + text(node.right)
    return node.value


def arguments(call):
    return {each.arg: each.value for each in call.keywords}


def dict_items(file, node):
    """The items of a dict: a literal, a name of one, or dict(another, name = …)."""
    file, node = file.resolve(node)
    if isinstance(node, ast.Dict):
        return [(key.value, file, value) for key, value in zip(node.keys, node.values)]
    items = [item for each in node.args for item in dict_items(file, each)]
    return items + [(each.arg, file, each.value) for each in node.keywords]


def attributes(file, node, always):
    """A table of attributes."""
    rows = [(name, *file.resolve(value)) for name, file, value in dict_items(file, node)]
    lines = ["| attribute | type or default | description |", "| --- | --- | --- |"]
    for name, kind, about in always:
        lines.append(f"| `{name}` | {kind} | {about} |")
    for name, _, value in rows:
        if name.startswith("_"):
            continue
        given = arguments(value)
        kind = value.func.attr.replace("_", " ")
        if "mandatory" in given:
            kind += ", required"
        elif "default" in given:
            kind += f", `{ast.unparse(given['default'])}`".replace("'", '"')
        lines.append(f"| `{name}` | {kind} | {text(given['doc'])} |")
    return "\n".join(lines)


def section(name, file, node):
    """The section on a public name."""
    if isinstance(node, ast.FunctionDef):
        lines = ast.get_docstring(node).split("\n")
        at = lines.index("Args:")
        rows = []
        for line in lines[at + 1 :]:
            # What goes on is indented further than what begins.
            if line.startswith("    ") and rows:
                rows[-1] += " " + line.strip()
            else:
                rows.append(line.strip())
        defaults = dict(zip([arg.arg for arg in node.args.args][::-1], [ast.unparse(each) for each in node.args.defaults][::-1]))
        table = ["| argument | default | description |", "| --- | --- | --- |"]
        for row in rows:
            arg, _, about = row.partition(": ")
            default = f"`{defaults[arg]}`".replace("'", '"') if arg in defaults else ""
            table.append(f"| `{arg}` | {default} | {about} |")
        return f"#### `{name}`\n\n" + "\n".join(lines[:at]).strip() + "\n\n" + "\n".join(table)
    given = arguments(node)
    head = f"#### `{name}`\n\n{text(given['doc'])}\n\n"
    kind = node.func.id
    if kind == "provider":
        rows = [f"| `{key}` | {text(value)} |" for key, _, value in dict_items(file, given["fields"])]
        return head + "\n".join(["| field | description |", "| --- | --- |", *rows])
    if kind == "module_extension":
        parts = []
        for tag, where, value in dict_items(file, given["tag_classes"]):
            about = arguments(value)
            parts.append(f"`{name}.{tag}(…)`: {text(about['doc'])}\n\n" + attributes(where, about["attrs"], []))
        return head + "\n\n".join(parts)
    always = [("name", "required", "The name of the target.")] if kind == "rule" else [("name", "required", "The name of the repository.")]
    return head + attributes(file, given["attrs"], always)


def reference():
    parts = []
    for base in PUBLIC:
        file = File(PACKAGE / "rules" / base)
        parts.append(f"### `@flashfreeze//rules:{base}`")
        for name, value in file.defined.items():
            if name.startswith("_"):
                continue
            parts.append(section(name, *file.resolve(value)))
    return "\n\n".join(parts) + "\n"


def main():
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    wanted = f"{before}{BEGIN}\n{reference()}\n{END}{after}"
    if "--check" not in sys.argv:
        PAGE.write_text(wanted)
    # A formatter may have aligned the tables.
    elif "".join(page.split()).replace("-", "") != "".join(wanted.split()).replace("-", ""):
        sys.exit(f"{PAGE} is out of date: run python3 rules/docs.py")


main()
