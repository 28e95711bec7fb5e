"""`lectr-lab simulate`, as a user types it."""

import csv
import io
import json

import pytest

from lectr_lab.cli.simulate import simulate
from lectr_lab.core.errors import ConfigError
from lectr_lab.resources import shipped_traffic

RULE = """
[[rules]]
name = "documents"
priority = 1
when = { feature = "document-qa" }
then = { model = "gemini-3.5-flash-lite" }
"""
ELSEWHERE = RULE.replace('model = "gemini', 'provider = "groq", model = "gemini')


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a rules.toml, and nothing that says where a log is."""
    for name in ("LECTR_LAB", "GROQ_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.toml").write_text(RULE)
    return tmp_path


def test_it_says_what_would_have_changed_and_what_that_assumes(here, capsys):
    """By the rules.toml of this folder."""
    simulate(shipped_traffic())

    shown = capsys.readouterr().out
    assert "these rules change 1,171" in shown
    assert "gemini-3.8-flash  gemini-3.5-flash-lite" in shown
    assert "document-qa  $7.47 [" in shown and "  documents\n" in shown
    assert "\nWhat this takes for granted:\n- " in shown


def test_the_rules_and_the_lab_are_those_of_lectr_toml(here, capsys):
    """Where it names them, and none is named to the command."""
    traffic = shipped_traffic()
    (here / "lectr.toml").write_text(f'lab = "{traffic}"\nrules = "others.toml"\n')
    (here / "others.toml").write_text(RULE.replace('"documents"', '"others"'))

    simulate()

    assert "  others\n" in capsys.readouterr().out


def test_a_rule_to_another_provider_wants_its_key(here, monkeypatch, capsys):
    """As live: without one it is not followed, and that is said."""
    (here / "rules.toml").write_text(ELSEWHERE)
    toml = '[providers.groq]\noperator_key_env = "GROQ_API_KEY"\n'
    (here / "lectr.toml").write_text(toml)

    simulate(shipped_traffic())
    without = capsys.readouterr().out
    monkeypatch.setenv("GROQ_API_KEY", "x" * 20)
    simulate(shipped_traffic())

    assert "your own key of the new provider" in without
    assert "your own key of the new provider" not in capsys.readouterr().out


def test_other_programs_get_every_figure(here, capsys):
    """JSON has the sums and the assumptions too."""
    simulate(shipped_traffic(), format="json")
    told = json.loads(capsys.readouterr().out)
    simulate(shipped_traffic(), format="csv")
    [row] = csv.DictReader(io.StringIO(capsys.readouterr().out))

    assert told["changed"] == told["moves"][0]["requests"] == int(row["requests"])
    assert told["saving_usd"] == pytest.approx(told["before_usd"] - told["after_usd"])
    assert told["saving_month"].keys() == {
        "mean_usd_month",
        "low",
        "high",
        "confidence",
    }
    assert told["assumptions"]


def test_a_part_of_the_log_is_judged_by_itself(here, capsys):
    """As in a report."""
    simulate(shipped_traffic(), feature=["report-writer"], since="2026-11-01")

    assert "these rules change none" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"rules": "none.toml"}, "lectr-lab init"), ({"confidence": 1.0}, "0.9, say")],
)
def test_what_cannot_be_followed_says_what_to_do(here, wrong, said):
    """Before the log is read."""
    rules = here / wrong["rules"] if "rules" in wrong else None
    with pytest.raises(ConfigError, match=said):
        simulate(here / "no lab", **wrong | {"rules": rules})
