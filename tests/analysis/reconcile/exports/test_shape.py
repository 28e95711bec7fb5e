"""Cells of exports: counts, amounts, days and words, in the forms that people have."""

from datetime import date

import pytest

from lectr_lab.analysis.reconcile.exports.shape import (
    Unclear,
    count,
    day_of,
    dollars,
    in_dollars,
    is_true,
    model_name,
    some,
    word,
)

DAY = date(2026, 11, 2)


@pytest.mark.parametrize("cell", ["12", 12, 12.0, " 12.0 ", "1.2e1"])
def test_a_count_is_whole(cell):
    """However a spreadsheet writes it."""
    assert count({"n": cell}, "n") == 12


@pytest.mark.parametrize("cell", ["-1", "1.5", "NaN", "inf", "1e30", "many", [1]])
def test_what_is_no_count_is_said(cell):
    """By its column, not by its content."""
    with pytest.raises(Unclear, match="n is no count"):
        count({"n": cell}, "n")


@pytest.mark.parametrize(
    "cell, usd", [("1,234.50", 1234.5), (-0.25, -0.25), ("", 0.0), (None, 0.0)]
)
def test_an_amount_may_be_below_zero(cell, usd):
    """A credit is."""
    assert dollars({"cost": cell}, "cost") == usd


@pytest.mark.parametrize("cell", ["much", "nan", "1e30", {}])
def test_what_is_no_amount_is_said(cell):
    """By its column."""
    with pytest.raises(Unclear, match="cost is no amount"):
        dollars({"cost": cell}, "cost")


@pytest.mark.parametrize(
    "cell",
    [
        "2026-11-02",
        "20261102",
        "2026-11-02 00:00:00",
        "2026-11-02 05:00:00 UTC",
        "2026-11-02T23:59:59Z",
        "2026-11-03T01:00:00+02:00",
        "11/02/2026",
        "11/02/2026 00:00:00",
        1793577600,
        "1793577600",
    ],
)
def test_a_day_is_one_of_utc(cell):
    """In every form that an export has."""
    assert day_of(cell) == DAY


@pytest.mark.parametrize("cell", ["soon", "", None, "13/45/2026", "9" * 20, []])
def test_what_is_no_day_is_said(cell):
    """In words."""
    with pytest.raises(Unclear, match="day cannot be read"):
        day_of(cell)


def test_words_and_names():
    """Lower case, trimmed, and nothing for nothing."""
    assert (word({"a": " Batch "}, "a"), word({"a": ""}, "a")) == ("batch", None)
    assert (is_true("TRUE"), is_true(False), is_true("no")) == (True, False, False)
    assert some([("a", 0), ("b", 1)]) == {"b": 1}
    assert model_name(" gpt-x ") == "gpt-x"
    with pytest.raises(Unclear, match="by model"):
        model_name(None)


def test_another_money_is_said():
    """It is no amount that can be compared."""
    in_dollars({"currency": "USD"}, "currency")
    in_dollars({}, "currency")
    with pytest.raises(Unclear, match="in EUR, not in US dollars"):
        in_dollars({"amount_currency": "eur"}, "currency", "amount_currency")
