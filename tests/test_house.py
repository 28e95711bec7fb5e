"""The rules of the house, read from the imports."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lectr_lab"

# Imports go down, never up or across. The wings (proxy, tape, analysis) stand side
# by side and meet in core, log and config.
FLOORS = {
    "core": 0,
    "files": 0,
    "budgets": 1.5,  # on the log's folder and the settings, below all that spends
    "others": 0.5,  # on core, and below both rooms that show lists
    "charts": 1,
    "clients": 1,
    "config": 1,
    "log": 1,
    "resources": 1,
    "shipping": 1.5,  # on the log, below what reads it from afar
    "tables": 1,
    "waiting": 1,
    "analysis": 2,
    "programs": 2,
    "proxy": 2,
    "tape": 2,
    "reading": 2.5,  # makes what the proxy is run with
    "dashboards": 3,
    "evaluation": 3,
    "launch": 3,
    "metrics": 3,
    "watching": 3,
    "workers": 3.5,  # over the launch of one of them
    "beside": 2.5,  # a proxy, whatever runs there
    "bench": 4,
    "demo": 4,
    "notebook": 4,
    "testing": 4,
    "cli": 5,
    "pytest_plugin": 5,
    "": 6,  # the shop window
}
IMPURE = {"asyncio", "os", "io", "time", "socket", "subprocess", "threading", "random"}
IMPURE |= {"secrets", "logging", "pathlib", "polars", "altair", "httpx", "httptools"}
# Where a query is run: the doors, and the functions that must look at an aggregate.
MAY_COLLECT = {"charts", "cli", "dashboards", "demo", "notebook", "tables", "testing"}
MAY_COLLECT |= {"metrics"}


# Every test asks every module; none of them changes meanwhile.
@cache
def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@cache
def names() -> frozenset[str]:
    return frozenset(name_of(path) for path in modules())


def nodes_of(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text("utf-8")))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def room_of(module: str) -> str:
    """`lectr_lab.core.event` is in `core`; `lectr_lab.cli` is a room of its own."""
    return module.split(".")[1] if "." in module else ""


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Modules named by import statements, those inside functions too."""
    found = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            members = {f"{node.module}.{a.name}" for a in node.names}
            modules_named = members & names()
            # `from package import module` needs the module, not the package's window.
            found |= modules_named or members | {node.module}
    return frozenset(filter(None, found))


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_only_go_down(path):
    """No room imports one on its own floor or above, the window included."""
    room = room_of(name_of(path))
    if not room:
        return  # the shop window shows every floor, by name
    for imported in imports_of(path):
        if imported.split(".")[0] == "lectr_lab":
            other = room_of(imported)
            # What is no room's name is the window's.
            down = FLOORS.get(other, FLOORS[""]) < FLOORS[room]
            fine = down or other == room
            assert fine, f"{room} may not import {imported}"


def test_every_room_has_a_floor():
    """A new folder or door is placed in the house before it is built."""
    rooms = {room_of(name) for name in names()} - {""}

    assert rooms | {""} == set(FLOORS)


def test_no_import_goes_in_a_circle():
    """Modules can be read in an order."""
    graph = {name_of(p): imports_of(p) & names() - {name_of(p)} for p in modules()}
    graph.pop("lectr_lab")
    while graph:
        leaves = {n for n, needs in graph.items() if not needs & graph.keys()}
        assert leaves, f"a circle among {sorted(graph)}"
        for leaf in leaves:
            del graph[leaf]


@pytest.mark.parametrize("path", sorted((PACKAGE / "core").rglob("*.py")), ids=name_of)
def test_the_core_is_pure(path):
    """No I/O, clock, randomness, async or frames in core."""
    found = {name.split(".")[0] for name in imports_of(path)} & IMPURE
    awaits = [n for n in nodes_of(path) if isinstance(n, ast.AsyncFunctionDef)]

    assert not found
    assert not awaits


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_the_price_list_has_one_address(path):
    """genai_prices, an extra, is imported in core/pricing alone."""
    found = {name.split(".")[0] for name in imports_of(path)}

    assert "genai_prices" not in found or path.parent == PACKAGE / "core" / "pricing"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_the_server_has_one_room(path):
    """Whoever changes the version of uvicorn, whose insides are used, looks there."""
    found = {name.split(".")[0] for name in imports_of(path)}

    assert "uvicorn" not in found or path.parent == PACKAGE / "proxy" / "server"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_queries_run_in_the_doors(path):
    """`.collect()` stands in the doors, and in functions named here with a reason."""
    calls = {
        node.func.attr
        for node in nodes_of(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    if room_of(name_of(path)) in MAY_COLLECT or name_of(path) in COLLECTING:
        return

    assert "collect" not in calls


COLLECTING: dict[str, str] = {
    "lectr_lab.analysis.cells.facts": "a part is counted once, and written",
    "lectr_lab.analysis.cells.bins": "likewise, in bins",
    "lectr_lab.analysis.cells.kinds": "likewise, and told by numbers for it",
    "lectr_lab.analysis.cells.few_features": "which features of a part are used most",
    "lectr_lab.analysis.cells.sets": "likewise, and months are made of parts",
    "lectr_lab.analysis.compare.compare": "when the log ends says which spans are meant",
    "lectr_lab.analysis.budget_spend": "finished sums are added to those of budgets",
    "lectr_lab.analysis.export": "progress counts to how many rows there are",
    "lectr_lab.analysis.forecast.forecast": "what is still to come is told from sums by day",
    "lectr_lab.analysis.odd.by_day": "a batch of rows becomes cells, and those are added up",
    "lectr_lab.analysis.odd.source": "cells are small, and arrays are made of them",
    "lectr_lab.analysis.odd.kept": "cells of a day are counted once, and written",
    "lectr_lab.analysis.reconcile.calls": "calls of two logs are matched one by one",
    "lectr_lab.analysis.reconcile.reconcile": "finished sums are set beside an export",
    "lectr_lab.analysis.recommend.recommend": "which changes to price depends on an aggregate",
    "lectr_lab.analysis.simulate.simulate": "rules decide on the distinct kinds of request",
    "lectr_lab.analysis.simulate.model_changes": "what is priced again depends on sums",
    "lectr_lab.analysis.simulate.costs": "prices a few made-up rows, to know one token's",
    "lectr_lab.log.importers.commit": "rows to be replaced are looked up",
    "lectr_lab.log.parts": "a part of unknown checksum is read to see whether it can be",
    "lectr_lab.shipping.outbox": "rows of a batch become one object",
    "lectr_lab.analysis.views.collected": "whole logs, for those that stand here",
    "lectr_lab.analysis.views.inferred_sessions": "which request goes on from which",
    "lectr_lab.analysis.views.pauses": "of many rows, they are looked for in parts",
    "lectr_lab.analysis.views.percentiles": "how many rows there are decides how to rank them",
}


def loaded_by(statement: str) -> set[str]:
    """The modules a fresh interpreter has after a statement."""
    code = f"import sys, json; {statement}; print(json.dumps(sorted(sys.modules)))"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(json.loads(out.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "statement",
    ["import lectr_lab", "import lectr_lab.cli", "import lectr_lab.launch"],
)
def test_the_proxy_loads_no_frames_or_charts(statement):
    """Importing the package, the command line or the proxy loads neither library."""
    assert not {"polars", "altair", "pandas"} & loaded_by(statement)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_module_that_prose_names_is_there(path):
    """`core.routing.rules` in a docstring is a module, and what follows is in it."""
    rooms = "|".join(filter(None, FLOORS))
    there = {name.removeprefix("lectr_lab.") for name in names()}
    for named in re.findall(rf"`((?:{rooms})\.[a-z_.]+)`", path.read_text("utf-8")):
        assert named in there or named.rpartition(".")[0] in there, named


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_every_module_has_its_test(path):
    """tests/ mirrors the package."""
    if path.name in ("__init__.py", "__main__.py"):
        return
    relative = path.relative_to(PACKAGE)

    assert (ROOT / "tests" / relative.parent / f"test_{relative.name}").is_file()


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_modules_and_functions_stay_small(path):
    """400 lines a module and 60 a function at most, its docstring left out."""
    source = path.read_text("utf-8")
    assert len(source.splitlines()) <= 400
    for name, length in functions_of(path):
        assert length <= LONG.get(name, 60), f"{name}: {length} lines"


def test_most_are_far_smaller():
    """Half of the modules have 150 lines or fewer, and half of the functions 8."""
    lengths = [length for path in modules() for _, length in functions_of(path)]

    assert median(len(p.read_text("utf-8").splitlines()) for p in modules()) <= 150
    assert median(lengths) <= 8


@cache
def functions_of(path: Path) -> list[tuple[str, int]]:
    """Each function of a module, and its lines without the docstring."""
    found = []
    for node in nodes_of(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            found.append((node.name, lines))
    return found


# One row of sixty columns is one statement.
LONG = {"ended": 90}
