"""What `recommend` gives back: a sequence, a table, words."""

import polars as pl
import pytest

from lectr_lab.analysis.recommend.result import PassedOver, Recommendations
from lectr_lab.core.recommendation import Interval, Recommendation
from lectr_lab.tables import without_scripts

NASTY = "<script>alert(1)</script>\x1b[31m"


def made(**fields):
    plain = {
        "org": "acme",
        "feature": "triage",
        "task": "classification",
        "provider": "openai",
        "from_model": "gpt-4o",
        "to_model": "gpt-4o-mini",
        "confidence": "high",
        "reasons": ("declared as classification",),
        "requests": 100,
        "days": 14,
        "spend_usd": 30.0,
        "saving_usd_month": 20.0,
        "saving_interval": Interval(15.0, 25.0, 0.9),
    }
    return Recommendation(**(plain | fields))


def passed(**fields):
    plain = {
        "org": "acme",
        "feature": None,
        "task": None,
        "provider": "openai",
        "model": "gpt-4o",
        "requests": 1200,
        "kind": "no smaller model fits",
        "why": ("gpt-4o-mini retires on 2027-01-14",),
    }
    return PassedOver(**(plain | fields))


def test_it_is_a_sequence():
    """Length, order, items."""
    found = Recommendations((made(), made(feature="b")))

    assert len(found) == 2
    assert [r.feature for r in found] == ["triage", "b"]
    assert found[1].feature == "b"


def test_the_frame_has_a_row_each_and_a_schema_when_empty():
    """The interval's ends stand beside the saving."""
    empty = Recommendations().frame()
    found = Recommendations((made(), made(saving_usd_month=None, saving_interval=None)))

    assert empty.schema == found.frame().schema
    assert found.frame()["saving_usd_month_low"].to_list() == [15.0, None]
    assert found.frame()["reasons"].to_list() == [["declared as classification"]] * 2


def test_text_and_html_say_savings_reasons_and_what_was_passed_over():
    """With interval and the word on quality."""
    found = Recommendations((made(),), (passed(), passed(requests=34)))

    for shown in (repr(found), found._repr_html_()):
        assert "$20.00 [$15.00, $25.00]" in shown
        assert "declared as classification" in shown
        assert "no smaller model fits: 2 groups, 1,234 requests" in shown
        assert "No quality has been measured" in shown
    assert found.notes == ("no smaller model fits: 2 groups, 1,234 requests",)


@pytest.mark.parametrize("name", ["feature", "from_model", "org", "task"])
def test_strings_of_clients_are_escaped(name):
    """In a cell and in a terminal."""
    found = Recommendations((made(**{name: NASTY}), made(org="other")))

    assert "<script" not in without_scripts(found._repr_html_())
    assert "\x1b" not in repr(found) and "\x1b" not in found._repr_html_()


def test_nothing_found_says_so():
    """Without traffic, and without a candidate."""
    assert repr(Recommendations()) == "No answered chat request to judge."
    assert "No answered chat request to judge." in Recommendations()._repr_html_()
    only = Recommendations((), (passed(),))
    assert repr(only).startswith("Not recommended for:")
    assert only.passed_over_frame().select(pl.col("requests").sum()).item() == 1200


def test_reasons_are_shown_of_what_the_table_shows():
    """However many are found: a page of all of them would have no end."""
    many = Recommendations((made(),) * 200)

    for shown in (repr(many), many._repr_html_()):
        assert shown.count("declared as classification") == 50
        assert "all others (150)" in shown


def test_two_orgs_are_told_apart():
    """One org, made-up ones too, stands in the title; several have a column."""
    one = Recommendations((made(),))
    two = Recommendations((made(), made(org="globex")))

    assert "could do, for acme" in repr(one) and "for acme" in one._repr_html_()
    assert "org" not in one._shown().columns
    assert "could do\n" in repr(two) and two._shown()["org"].to_list() == [
        "acme",
        "globex",
    ]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_fits_a_terminal(width):
    """The reasons below it are sentences, which a terminal breaks."""
    found = Recommendations((made(feature="onboarding-assistant"),), ())

    table, _, reasons = found.in_full(width).partition("\n\n")

    assert max(map(len, table.splitlines()[1:])) <= width
    assert "  - " in reasons
