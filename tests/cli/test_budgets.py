"""`lectr-lab budgets`: a table, JSON, and what is given back."""

import json
import time

import pytest
from budgets.test_store import killed

from lectr_lab.budgets.changes import Change
from lectr_lab.budgets.meters import PUSD_PER_USD, Whose
from lectr_lab.budgets.of_lab import meters_of
from lectr_lab.budgets.store import Store
from lectr_lab.cli.budgets import release, show
from lectr_lab.config.settings import read_settings
from lectr_lab.core.errors import LogError
from lectr_lab.log.folder import LabFolder

BUDGETS = """
[[budget]]
usd = 5
per = "month"
action = "stop"

[[budget]]
usd = 2
per = "run"
for = "user"
"""


@pytest.fixture
def lab(tmp_path, monkeypatch) -> LabFolder:
    (tmp_path / "lectr.toml").write_text(BUDGETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    return LabFolder.create(tmp_path / "lab")


@pytest.fixture
def spent(lab) -> Store:
    """$1.25 of all are spent, $0.50 held."""
    (lab.state / "budgets").mkdir()
    budgets = read_settings(lab.root.parent / "lectr.toml", {}).budgets
    store = Store(lab, meters_of(lab, budgets, {}))
    found = store.meters[0].sum_of(Whose("acme"), time.time())
    store.settle([Change(found, 5 * PUSD_PER_USD // 4, 0, 0, 3)])
    store.reserve([found], PUSD_PER_USD // 2)
    return store


def test_budgets_are_shown_as_a_table(lab, spent, capsys):
    """What is spent, of what, and when it begins anew."""
    show()

    out = capsys.readouterr().out
    assert "all requests, a month, stop" in out
    assert "$1.25" in out
    assert "$5.00" in out
    assert "with the next run" in out
    spent.close()


def test_every_number_is_in_the_json(lab, spent, capsys):
    """In ASCII, so that no name steers a terminal."""
    show(lab.root, json=True)

    [month, run] = json.loads(capsys.readouterr().out)
    told = [month[name] for name in ("spent_usd", "held_usd", "left_usd", "requests")]
    assert told == [1.25, 0.5, 3.25, 3]
    assert (month["state"], month["for"], run["for"]) == (
        "ok",
        "all requests",
        "each user and session",
    )
    spent.close()


@pytest.mark.parametrize(
    "name", ["für Jäne", "予算", "a\x1b[31m", 'a "quoted" one', "💸"]
)
def test_any_name_is_there_for_programs(lab, name, capsys):
    """As it is, in JSON of ASCII; a person's terminal gets what steers nothing."""
    said = f"[[budget]]\nusd = 5\nper = 'day'\nname = {json.dumps(name, ensure_ascii=False)}\n"
    (lab.root.parent / "lectr.toml").write_text(said, "utf-8")

    show(json=True)
    told = capsys.readouterr().out
    show()

    assert told.isascii()
    assert json.loads(told)[0]["name"] == name
    assert "\x1b" not in capsys.readouterr().out


def test_what_the_dead_left_is_given_back(lab, spent, capsys):
    """Once; what living processes hold stays."""
    release()
    assert capsys.readouterr().out == "Nothing was left by a process that died.\n"
    killed(spent)
    show()
    assert "lectr-lab budgets release" in capsys.readouterr().out

    release()

    assert capsys.readouterr().out == "all requests, a month, stop: $0.5 given back.\n"
    show(json=True)
    assert json.loads(capsys.readouterr().out)[0]["left_usd"] == 3.75


def test_without_a_budget_it_is_said_how_to_write_one(lab, capsys):
    """In lines that can be pasted."""
    (lab.root.parent / "lectr.toml").write_text("")
    show()

    assert '[[budget]]\n  usd = 50\n  per = "day"' in capsys.readouterr().out
    with pytest.raises(LogError, match="There is no folder"):
        release(lab.root / "nowhere")
