"""`lectr-lab forecast`, as a user types it."""

import csv
import io
import json
import shutil

import pytest

from lectr_lab.cli.forecast import forecast
from lectr_lab.cli.report import report
from lectr_lab.core.errors import ConfigError
from lectr_lab.resources import shipped_traffic


def test_it_says_the_bill_and_the_day_of_the_budget(capsys):
    """A sentence, and what the intervals are of."""
    forecast(shipped_traffic(), usd=80)

    shown = capsys.readouterr().out
    assert shown.startswith("November 2026: $61.38 until 22 Nov, about $")
    assert "The budget of $80.00 a month is most likely reached on 2026-11-" in shown
    assert "of what will be spent" in shown


def test_groups_have_rows_for_people_and_programs(capsys):
    """The same ones, dearest first."""
    forecast(shipped_traffic(), by="feature")
    table = capsys.readouterr().out
    forecast(shipped_traffic(), by="feature", format="json")
    told = json.loads(capsys.readouterr().out)["forecast"]
    forecast(shipped_traffic(), by="feature", json=True)
    assert json.loads(capsys.readouterr().out)["forecast"] == told
    forecast(shipped_traffic(), by="feature", format="csv")
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))

    assert told[0]["feature"] == rows[0]["feature"] == "report-writer"
    assert "report-writer" in table and len(told) == len(rows) == 10


def test_the_budgets_of_a_lab_are_told_where_all_of_it_is(tmp_path, capsys):
    """When each is reached, in words and in numbers."""
    lab = tmp_path / "lab"
    shutil.copytree(shipped_traffic(), lab)
    (tmp_path / "lectr.toml").write_text('[[budget]]\nusd = 50\nper = "month"\n')

    forecast(lab)
    said = capsys.readouterr().out
    forecast(lab, json=True)
    [told] = json.loads(capsys.readouterr().out)["budgets"]
    forecast(lab, feature=["faq"], json=True)

    assert json.loads(capsys.readouterr().out)["budgets"] == []
    assert f"a month for all requests is reached on {told['reached_on']}." in said
    assert (told["for"], told["usd"], told["earliest"]) == (
        "all requests",
        50.0,
        told["reached_on"],
    )


def test_a_budget_of_nothing_is_refused():
    """In a sentence."""
    with pytest.raises(ConfigError, match="above 0"):
        forecast(shipped_traffic(), usd=0)


def test_a_report_says_what_the_month_will_cost(capsys):
    """Below its table."""
    report(shipped_traffic())

    assert "\nForecast: November 2026: $61.38 until 22 Nov" in capsys.readouterr().out


def test_a_report_of_the_whole_log_says_when_its_budgets_are_reached(tmp_path, capsys):
    """One of a part does not: a budget counts all."""
    lab = tmp_path / "lab"
    shutil.copytree(shipped_traffic(), lab)
    (tmp_path / "lectr.toml").write_text('[[budget]]\nusd = 50\nper = "month"\n')

    page, said = (
        tmp_path / "page.html",
        "The budget of $50.00 a month for all requests is",
    )

    report(lab, html=page)
    assert said in capsys.readouterr().out and said in page.read_text("utf-8")
    report(lab, since="2026-11-02", html=page)
    assert said not in capsys.readouterr().out and said not in page.read_text("utf-8")
