"""`lectr-lab report --compare`."""

import csv
import io
import json

import pytest

from lectr_lab.cli.report import report
from lectr_lab.core.errors import LabError
from lectr_lab.resources import shipped_traffic

DEMO = shipped_traffic()


def test_previous_is_the_last_whole_week_against_the_one_before(capsys):
    """A table, then sentences."""
    report(DEMO, compare="previous")

    said = capsys.readouterr().out
    assert "Spend rose by $5.99 (+35 %): from $17.04 to $23.02" in said
    assert "9 to 15 Nov 2026, then 16 to 22 Nov 2026" in said
    assert "coding-agent" in said


def test_the_later_span_is_that_of_since_and_until(capsys):
    """Both of them days, or one of them words."""
    report(DEMO, compare="previous", since="2026-11-17", until="2026-11-18", json=True)
    told = json.loads(capsys.readouterr().out)

    assert told["before"]["first"] == "2026-11-15T00:00:00+00:00"
    assert told["after"]["end"] == "2026-11-19T00:00:00+00:00"


def test_a_span_and_a_filter_of_ones_own(capsys):
    """What is compared is what the filters let through."""
    report(
        DEMO, compare="2026-10", since="2026-11", feature=["support-chat"], json=True
    )
    told = json.loads(capsys.readouterr().out)

    assert [group["feature"] for group in told["groups"]] == ["support-chat"]
    assert told["total"]["change_usd"] == pytest.approx(told["groups"][0]["change_usd"])


def test_a_spreadsheet_has_every_part(capsys):
    """A line per group."""
    report(DEMO, compare="previous", by="model", format="csv")

    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    parts = [name for name in rows[0] if name.startswith("from_")]
    for row in rows:
        total = sum(float(row[part]) for part in parts)
        assert total == pytest.approx(float(row["change_usd"]), abs=1e-9)


def test_markdown_has_a_table(capsys):
    """And the sentences below it."""
    report(DEMO, compare="previous", format="md")

    said = capsys.readouterr().out
    assert said.startswith("| feature | change | before | after |")
    assert "Spend rose by $5.99" in said


def test_words_that_are_no_span_are_told():
    """With those that are."""
    with pytest.raises(LabError, match="Write last week"):
        report(DEMO, compare="lastweek")
