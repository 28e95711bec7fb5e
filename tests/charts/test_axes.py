"""Ticks and their words."""

import json
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.charts import style
from lectr_lab.charts.axes import (
    count_axis,
    ms_axis,
    ticks,
    time_axis,
    tokens_axis,
    usd_axis,
)
from lectr_lab.charts.measured import widest_px

FIRST = datetime(2026, 11, 2, tzinfo=UTC)


def words_of(axis: dict) -> list[str]:
    """The words beside the ticks."""
    return json.JSONDecoder().raw_decode(axis["labelExpr"])[0]


@given(most=st.floats(1e-9, 1e12))
def test_ticks_are_few_round_and_within(most):
    """From 0 on, one step apart, two at least."""
    found = ticks(most)

    assert found[0] == 0 and 2 <= len(found) <= 6
    assert found[1] <= most * 1.001 and found[-1] <= most * 1.001
    assert all(f"{tick:.6g}".rstrip("0").count("9") < 3 for tick in found)


@pytest.mark.parametrize("axis", [usd_axis, count_axis, tokens_axis, ms_axis])
@given(most=st.floats(1e-7, 1e10))
def test_no_two_ticks_have_the_same_words(axis, most):
    """And there is room for the widest."""
    made = axis(most)
    words = words_of(made)

    assert len(set(words)) == len(words) == len(made["values"])
    assert made["minExtent"] > widest_px(words, style.LABEL_PX)


def test_the_words_are_those_of_people():
    """As few decimals as tell the steps apart; durations in the unit of the longest."""
    assert words_of(usd_axis(0.0000071)) == [
        "$0",
        "$0.000002",
        "$0.000004",
        "$0.000006",
    ]
    assert words_of(usd_axis(5.4)) == ["$0", "$2", "$4"]
    assert words_of(ms_axis(150_000)) == ["0 min", "1 min", "2 min"]
    assert words_of(tokens_axis(2_500_000)) == ["0", "1 M", "2 M"]


@given(
    steps=st.integers(1, 400),
    every=st.sampled_from(["1m", "10m", "1h", "6h", "1d", "1w"]),
    at=st.integers(0, 700),
)
def test_moments_are_told_apart_and_have_room(steps, every, at):
    """However long the log, however short: no word stands twice in a day, none upon
    another."""
    unit = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[every[-1]]
    first = FIRST + timedelta(hours=at)
    end = first + steps * timedelta(**{unit: int(every[:-1])})

    axis = time_axis(first, end, every, 600)

    words, values = words_of(axis), axis["values"]
    days = accumulate(words, lambda day, word: word if " " in word else day)
    assert len({*zip(days, words, strict=True)}) == len(words) == len(values) > 0
    span = (end - first).total_seconds() * 1000
    gaps = [(b - a) / span * 600 for a, b in pairwise(values)]
    assert all(gap > widest_px(words, style.LABEL_PX) for gap in gaps)
    assert all(first.timestamp() <= v / 1000 < end.timestamp() for v in values)
