"""Which part of a log is meant."""

from datetime import UTC, datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.views.selection import ALL, Period, Selection, selection

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
moments = st.none() | st.datetimes(
    datetime(2026, 11, 1), datetime(2026, 11, 4), timezones=st.just(UTC)
)
some = st.none() | st.lists(st.sampled_from(["a", "b", "", "untagged"]), max_size=2)
selections = st.builds(
    lambda feature, task, first, end: selection(
        {"feature": feature, "task": task}
    )._replace(when=Period(first, end)),
    *(some, some, moments, moments),
)
LOG = pl.LazyFrame(
    {
        "n": range(8),
        "feature": ["a", "b", None, "", "a", "b", None, "untagged"],
        "task": ["a", None, "a", "b", "", "b", None, "a"],
        "started_at": [NOON.replace(day=1 + n % 3, hour=n) for n in range(8)],
    }
)


def left(of: Selection) -> set[int]:
    return {*of.of(LOG).collect()["n"]}


@given(selections, selections)
def test_two_ask_what_each_asks(one, other):
    """What fits both fits each."""
    assert left(one.and_(other)) == left(one) & left(other)


@given(selections)
def test_nothing_asked_changes_nothing(one):
    """Before or after another."""
    assert ALL.and_(one) == one == one.and_(ALL)
    assert left(ALL) == {*range(8)}


def test_what_is_asked_for_is_named():
    """Columns, and not the time."""
    found = selection({"feature": "a", "task": None, "org": ["b"]}, "2026-11-01")

    assert found.columns == {"feature", "org"}
    assert found.when == Period(datetime(2026, 11, 1, tzinfo=UTC), None)
