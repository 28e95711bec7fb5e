"""The notebooks are product: each opens with a question and runs, offline."""

import ast
import os
import re
import runpy
import sys
import tomllib
from pathlib import Path

import msgspec
import nbformat
import pytest
from nbclient import NotebookClient

from lectr_lab.cli.jupyter import open_jupyterlab
from lectr_lab.demo.made_up import events
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.seal import seal

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

# What a notebook that draws no chart ends in.
SHOWN = {
    "01_one_request": "<table",
    "06_would_a_cheaper_model_do": "<table",
    "07_what_if_this_rule_had_been_on": "<table",
    "09_test_with_cassettes": "3 passed",
    "11_what_did_my_agent_do": "<svg",
}

# Runs in the kernel before the first cell: whoever dials out gets an error.
OFFLINE = """
import ipaddress, socket
_connect = socket.socket.connect
def _only_loopback(self, address):
    if self.family != socket.AF_UNIX:
        assert ipaddress.ip_address(address[0]).is_loopback, f"dialled {address}"
    return _connect(self, address)
socket.socket.connect = _only_loopback
"""


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request) -> Path:
    return request.param


def source_cells(path: Path) -> list[str]:
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


SCOPES = (ast.FunctionDef, ast.ClassDef, ast.ListComp, ast.DictComp, ast.GeneratorExp)


def parsed(code: str) -> ast.Module:
    """A cell without its magics."""
    return ast.parse(re.sub(r"^[%!].*$", "", code, flags=re.MULTILINE))


def names_stored(code: str) -> set[str]:
    """What a cell leaves behind; names inside a function or a comprehension do not."""
    found: set[str] = set()
    waiting: list[ast.AST] = [parsed(code)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        if not isinstance(node, SCOPES):
            waiting.extend(ast.iter_child_nodes(node))
    return found - {"_"}


def test_it_opens_with_its_question(path):
    """A heading that ends in a question mark, and what it needs."""
    first = nbformat.read(path, as_version=4).cells[0]

    assert first.cell_type == "markdown"
    assert first.source.splitlines()[0].endswith("?")


def test_each_leads_to_the_next():
    """In the order of their numbers; the last leads to one's own log."""
    firsts = [nbformat.read(path, as_version=4).cells[0].source for path in NOTEBOOKS]
    named = [re.findall(r"next: `?([^`*]+)`?\*", first) for first in firsts]

    following = [path.stem for path in NOTEBOOKS[1:]]
    assert named == [[one] for one in [*following, "your own log"]]
    assert len({path.stem[:2] for path in NOTEBOOKS}) == len(NOTEBOOKS)


def test_every_notebook_that_is_named_somewhere_is_there():
    """By its file or its number, in whatever a person reads or a program opens."""
    files = [ROOT / "README.md", ROOT / "CHANGELOG.md", *NOTEBOOKS]
    for folder, kinds in {
        "lectr_lab": "py toml js md",
        "tests": "py",
        "data": "md",
    }.items():
        files += [
            f for kind in kinds.split() for f in (ROOT / folder).rglob(f"*.{kind}")
        ]
    text = "\n".join(file.read_text("utf-8") for file in files)

    stems = set(re.findall(r"\b\d\d_[a-z]+(?:_[a-z]+)+\b", text))
    spoken = re.findall(r"\bnotebooks? ((?:\d\d|, | and | to )+)", text, re.IGNORECASE)
    numbers = {number for said in spoken for number in re.findall(r"\d\d", said)}

    assert "03_where_does_the_money_go" in stems
    assert stems <= {path.stem for path in NOTEBOOKS}
    assert numbers <= {path.stem[:2] for path in NOTEBOOKS}


def test_it_is_stored_without_outputs(path):
    """What is in git is the notebook, not one run of it."""
    cells = nbformat.read(path, as_version=4).cells

    assert not [c for c in cells if c.cell_type == "code" and c.outputs]
    assert not [c for c in cells if c.cell_type == "code" and c.execution_count]


def test_its_finding_is_in_the_first_screen(path):
    """A cell that shows something comes first, and is short; plumbing is folded."""
    cells = [
        c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"
    ]
    folded = [c.metadata.get("jupyter", {}).get("source_hidden", False) for c in cells]
    shown = cells[folded.index(False)].source

    assert folded.index(False) <= 1 and sum(folded) <= 1
    assert isinstance(parsed(shown).body[-1], ast.Expr)
    assert len(shown.splitlines()) <= 40


def test_what_the_notebooks_run_comes_with_the_install_of_the_readme():
    """The extra `lab` has all of the extra `pytest`."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    named = extras["project"]["optional-dependencies"]

    assert set(named["pytest"]) <= set(named["lab"])


def test_no_name_is_stored_twice(path):
    """Cells can be read, and run, in one order only."""
    stored = [name for code in source_cells(path) for name in names_stored(code)]

    assert sorted(stored) == sorted(set(stored))


def test_it_imports_what_a_user_knows(path):
    """`lectr_lab` by its window, polars, Altair and the standard library."""
    nodes = [node for code in source_cells(path) for node in ast.walk(parsed(code))]
    names = {
        a.name for node in nodes if isinstance(node, ast.Import) for a in node.names
    }
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    foreign = {n for n in names if n.split(".")[0] not in sys.stdlib_module_names}

    assert "lectr_lab" in foreign
    assert foreign <= {"lectr_lab", "polars", "altair"}


@pytest.fixture
def working(tmp_path, monkeypatch) -> Path:
    """A folder in which someone types `lectr-lab lab`; LECTR_ variables are not set."""
    for name in [n for n in os.environ if n.startswith("LECTR_")]:
        monkeypatch.delenv(name)
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "offline.py").write_text(OFFLINE)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(working, monkeypatch):
    """Runs notebooks where `lectr-lab lab` puts them, with the environment that it sets.

    One after the other in one kernel, for each would load the same again. Gives what the
    cells of each put out.
    """
    environs: list[dict[str, str]] = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "execve", lambda *given: environs.append(given[-1]))
        open_jupyterlab()

    def run(*paths: Path) -> list[str]:
        folder = working / "lectr-notebooks"
        read = [nbformat.read(folder / path.name, as_version=4) for path in paths]
        where = {"metadata": {"path": str(folder)}}
        client = NotebookClient(read[0], timeout=300, resources=where)
        with client.setup_kernel(env=environs[0]):
            for notebook in read:
                client.nb = notebook
                client.reset_execution_trackers()
                for number, cell in enumerate(notebook.cells):
                    client.execute_cell(cell, number)
        code = [[c for c in each.cells if c.cell_type == "code"] for each in read]
        return [str([c.outputs for c in cells]) for cells in code]

    return run


def own_log(folder: Path) -> Path:
    """A log of someone's own requests; the last of them are not sealed yet."""
    made = LabFolder.create(folder)
    mine = [msgspec.structs.replace(one, org="me") for one in events(requests=2000)]
    for some in (mine[:-5], mine[-5:]):
        seal(made)
        writer = JournalWriter(made)
        writer.append(some)
        writer.close()
    return folder


def contents(folder: Path) -> dict[Path, bytes]:
    """All of a lab but what readers note of it: which parts they have looked at, and
    what they counted of closed days."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {
        file: file.read_bytes()
        for file in files
        if file.name != "verified" and folder / "cells" not in file.parents
    }


def test_it_runs_from_top_to_bottom_offline(path, run, working):
    """In a kernel that can reach this machine alone; and it begins no log of one's own."""
    [outputs] = run(path)

    assert not re.search(r"lc_key_[A-Za-z0-9_-]{8}", outputs), "a key is in an output"
    assert "Bearer " not in outputs.replace("Bearer $OPENAI_API_KEY", "")
    assert "cdn." not in outputs, "an output would load a script from afar"
    assert SHOWN.get(path.stem, "image/svg+xml") in outputs, "nothing was drawn"
    assert not (working / "lab").exists()
    assert not (working / "lectr-notebooks" / "lab").exists()


@pytest.mark.slow
def test_a_log_of_ones_own_stays_as_it_was_to_the_byte(run, working):
    """All of them, one after the other; those about a bill read it."""
    before = contents(own_log(working / "lab"))

    stems = [path.stem for path in NOTEBOOKS]
    outputs = dict(zip(stems, run(*NOTEBOOKS), strict=True))

    assert any(file.suffix == ".journal" for file in before)
    assert contents(working / "lab") == before
    assert "made-up-data" not in outputs["06_would_a_cheaper_model_do"]


@pytest.mark.slow
def test_an_example_does_not_take_the_place_of_the_made_up_traffic(run):
    """Who takes the notebooks in their order sees four weeks, not one request."""
    _, by_feature = run(*NOTEBOOKS[1:3])

    assert "onboarding-assistant" in by_feature
    assert "quiz" not in by_feature


@pytest.mark.parametrize(
    "own",
    [one for one in NOTEBOOKS if "lectr.scan()" in one.read_text()],
    ids=lambda one: one.stem,
)
def test_a_log_without_a_request_is_not_ones_own_yet(own, tmp_path, monkeypatch):
    """Who opens a notebook before the first request sees made-up traffic."""
    LabFolder.create(tmp_path / "lab")
    monkeypatch.setenv("LECTR_LAB", str(tmp_path / "lab"))

    cells = tmp_path / "cells.py"
    cells.write_text("\n".join(source_cells(own)))
    log = runpy.run_path(str(cells))["log"]

    assert log.select("org").unique().collect().item() == "made-up-data"
