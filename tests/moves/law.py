"""Did a change only move and rename? `python law.py OLD NEW [MAP]`, two git revisions.

Every statement of every module, without docstrings and imports, each global name in
full (`formatting.name` is `lectr_lab.core.formatting.name` however it was imported): as
a multiset of texts, with the map applied to OLD, the two revisions must be equal.
A line of MAP is `old new`: modules, `module:name`s, or a 'string' that stays. NEW may be `.`, the working tree.
"""

import ast
import re
import subprocess
import sys
from collections import Counter
from difflib import unified_diff
from functools import cache
from pathlib import Path

DIRS = ("lectr_lab", "tests", "cassettes")
OUTSIDE = ("tests.", "cassettes.")  # nobody imports from these
DOTTED = re.compile(r"(?<![\w.])lectr_lab((?:\.\w+)+)")


def sources(revision: str) -> dict[str, str]:
    """Module name to text."""
    listing = (
        ["git", "ls-files"]
        if revision == "."
        else ["git", "ls-tree", "-r", "--name-only", revision]
    )
    files = subprocess.run(
        [*listing, *DIRS], capture_output=True, text=True, check=True
    ).stdout.split("\n")
    found = {}
    for file in (
        f for f in files if f.endswith(".py") and not f.endswith("test_house.py")
    ):
        show = ["git", "show", f"{revision}:{file}"]
        text = (
            Path(file).read_text()
            if revision == "."
            else subprocess.run(show, capture_output=True, text=True, check=True).stdout
        )
        module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        found[re.sub(r"^tests\.benchmarks\.(?!test_)", "", module)] = text
    return found


class Full(ast.NodeTransformer):
    """Writes a module's global names in full, and leaves out what only says."""

    def __init__(
        self,
        module: str,
        tree: ast.Module,
        every: dict[str, str],
        names: dict[str, str],
    ) -> None:
        self.module, self.every, self.names = module, every, names
        own = {n for node in tree.body for n in binds(node)}
        self.globals = {
            n: f"{module}:{n}" for n in own if not module.startswith(OUTSIDE)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for a in node.names:
                    self.globals[a.asname or a.name] = self.origin(node.module, a.name)
        self.globals = {n: self.mapped(full) for n, full in self.globals.items()}

    def origin(self, module: str, name: str) -> str:
        """Where an imported name is defined: a package's window is looked through."""
        if f"{module}.{name}" in self.every and not reexported(
            self.every.get(module, ""), name
        ):
            return f"{module}.{name}"
        through = reexported(self.every.get(module, ""), name)
        return self.origin(through, name) if through else f"{module}:{name}"

    def mapped(self, full: str) -> str:
        module, _, name = full.partition(":")
        return self.names.get(full) or ":".join(
            filter(None, [self.names.get(module, module), name])
        )

    def visit_Name(self, node: ast.Name) -> ast.AST:
        full = self.globals.get(node.id)
        return (
            ast.Name(full.replace(":", "."), ast.Load())
            if full
            else ast.Name(node.id, ast.Load())
        )

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Dotted names in strings go along; a string is compared without its line breaks."""
        if isinstance(node.value, str):
            node.value = DOTTED.sub(self._longest, node.value)
        return node

    def _longest(self, found: re.Match[str]) -> str:
        if f"'{found.group()}'" in self.names:  # it stays true as it is
            return found.group()
        parts = found.group().split(".")
        for n in range(len(parts), 1, -1):
            if (module := ".".join(parts[:n])) in self.names:
                return ".".join([self.names[module], *parts[n:]])
        return found.group()

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """`Path(__file__).parents[n]` is counted from the root of the checkout."""
        text = ast.unparse(node)
        if found := re.fullmatch(r"Path\(__file__\)\.parents\[(\d+)\]", text):
            return ast.Name(
                f"root+{self.module.count('.') - int(found[1])}", ast.Load()
            )
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.AST) -> ast.AST:
        node.body = [n for n in node.body if not says(n)] or [ast.Pass()]
        return self.generic_visit(node)

    visit_AsyncFunctionDef = visit_ClassDef = visit_FunctionDef

    def visit_If(self, node: ast.If) -> ast.AST:
        node.body = [n for n in node.body if not says(n)] or [ast.Pass()]
        return self.generic_visit(node)

    visit_With = visit_Try = visit_For = visit_If


@cache
def reexported(source: str, name: str) -> str:
    """The module that a package's window takes a name from."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom) and name in {
            a.asname or a.name for a in node.names
        }:
            return node.module or ""
    return ""


def binds(node: ast.AST) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    return {t.id for t in targets if isinstance(t, ast.Name)}


def says(node: ast.AST) -> bool:
    """An import, or a docstring."""
    constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Import | ast.ImportFrom) or constant


def dump(revision: str, names: dict[str, str]) -> Counter[str]:
    every, found = sources(revision), Counter()
    for module, source in every.items():
        tree = ast.parse(source)
        full = Full(module, tree, every, names)
        for node in (n for n in tree.body if not says(n)):
            label = "".join(
                sorted(full.mapped(f"{module}:{n}") + "\n" for n in binds(node))
            )
            label = "" if label.startswith(OUTSIDE) else label
            bare = getattr(node, "name", None)
            if bare:
                node.name = full.globals.get(bare, bare).rpartition(":")[2]
            found[label + ast.unparse(ast.fix_missing_locations(full.visit(node)))] += 1
    return found


def main(old: str, new: str, map_file: str | None = None) -> int:
    lines = Path(map_file).read_text().splitlines() if map_file else []
    before, after = dump(old, dict(line.split() for line in lines)), dump(new, {})
    gone, come = (
        sorted((before - after).elements()),
        sorted((after - before).elements()),
    )
    diff = unified_diff(
        "\n\n".join(gone).split("\n"),
        "\n\n".join(come).split("\n"),
        old,
        new,
        lineterm="",
        n=2,
    )
    print(*diff, sep="\n") if gone or come else print(
        f"equal: {sum(after.values())} statements"
    )
    return bool(gone or come)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
