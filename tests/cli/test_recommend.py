"""`lectr-lab recommend`, as a user types it."""

import csv
import io
import json

import pytest

from lectr_lab.cli.recommend import recommend
from lectr_lab.cli.simulate import simulate
from lectr_lab.core.errors import ConfigError, LabError, LogError
from lectr_lab.resources import shipped_traffic


def test_it_says_what_to_try_what_it_saves_and_why(capsys):
    """A table, the reasons below, and what got no recommendation."""
    recommend(shipped_traffic())

    shown = capsys.readouterr().out
    assert shown.startswith("What a smaller model could do, for made-up-data\n")
    assert "saving a month" in shown
    assert "\nreport-writer: gpt-5.4-2026-03-05 to gpt-5.4-mini\n  - " in shown
    assert "Not recommended for: " in shown


def test_a_part_of_the_log_is_judged_by_itself(capsys):
    """As in a report; what fits nothing is a sentence."""
    recommend(
        shipped_traffic(), feature=["document-qa"], since="2026-10-26..2026-11-08"
    )
    some = capsys.readouterr().out

    assert "document-qa" in some and "report-writer" not in some
    with pytest.raises(LabError, match="fits --feature nobody"):
        recommend(shipped_traffic(), feature=["nobody"])


def test_other_programs_get_every_column_and_what_was_passed_over(capsys):
    """JSON has both lists, CSV one row for each recommendation."""
    recommend(shipped_traffic(), format="json")
    told = json.loads(capsys.readouterr().out)
    recommend(shipped_traffic(), format="csv")
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))

    assert [one["feature"] for one in told["recommended"]] == [
        r["feature"] for r in rows
    ]
    assert {"kind", "why"} <= told["passed_over"][0].keys()
    assert not any(row["task"] == "reasoning" for row in rows)


def test_own_prices_hold_for_the_cheaper_model_too(tmp_path, capsys):
    """A target that is dear here is not named."""
    prices = tmp_path / "prices.toml"
    prices.write_text(
        '[[price]]\nmodel = "gemini-3.5-flash-lite"\n'
        "input_usd_per_mtok = 90\noutput_usd_per_mtok = 90\n"
    )
    recommend(shipped_traffic(), feature=["document-qa"], prices=prices)

    assert "to gemini-3.5-flash-lite" not in capsys.readouterr().out


def test_a_lab_that_is_not_there_is_told(tmp_path):
    """With what makes one."""
    with pytest.raises(LogError, match="lectr-lab init"):
        recommend(tmp_path / "none")


def test_what_is_recommended_becomes_rules_that_can_be_simulated(tmp_path, capsys):
    """Written once; a second time it is not replaced unasked."""
    file = tmp_path / "rules.toml"
    recommend(shipped_traffic(), rules=file)
    said = capsys.readouterr()
    simulate(shipped_traffic(), rules=file)
    simulated = capsys.readouterr().out

    assert f"Wrote {file}" in said.err and "Wrote" not in said.out
    assert "report-writer-to-gpt-5.4-mini" in simulated
    with pytest.raises(ConfigError, match="--overwrite"):
        recommend(shipped_traffic(), rules=file)
    recommend(shipped_traffic(), rules=file, overwrite=True)
