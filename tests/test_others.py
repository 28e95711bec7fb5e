"""Long lists of groups."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.intervals import wilson
from lectr_lab.others import with_others

COUNTS = st.lists(st.integers(0, 10**9), max_size=12)


def view(counts):
    """A view of so many requests a feature."""
    n = len(counts)
    return pl.DataFrame(
        {
            "org": ["o"] * n,
            "feature": [f"f{i}" for i in range(n)],
            "requests": counts,
            "spend_usd": [c / 2 for c in counts],
            "share_of_spend": [1 / (n or 1)] * n,
            "total_p95_ms": [1.0] * n,
            "per_call_usd": [0.5] * n,
            "errors": [0] * n,
            "error_rate": [0.0] * n,
            "error_rate_low": [0.0] * n,
            "error_rate_high": [0.0] * n,
        },
        schema_overrides={"requests": pl.Int64, "spend_usd": pl.Float64},
    )


@given(counts=COUNTS, most=st.integers(1, 12))
def test_what_adds_up_adds_up_to_the_whole(counts, most):
    """However many are shown; and the rest has one row, which names how many they are."""
    whole = view(counts)

    shown = with_others(whole, most)

    assert shown.schema == whole.schema
    assert shown["requests"].sum() == sum(counts)
    assert shown["spend_usd"].sum() == pytest.approx(sum(counts) / 2)
    assert shown.head(most).equals(whole.head(most))
    left = len(counts) - most
    assert shown.height == min(len(counts), most + 1)
    if left > 0:
        assert shown["feature"][-1] == f"all others ({left})"


def test_what_does_not_add_up_is_left_open():
    """A percentile of others is no sum; a rate of errors is known."""
    whole = view([10, 20, 30]).with_columns(errors=pl.Series([0, 2, 3]))

    row = with_others(whole, 1).row(-1, named=True)

    assert (row["total_p95_ms"], row["per_call_usd"]) == (None, None)
    ends = row["error_rate_low"], row["error_rate_high"]
    assert (row["error_rate"], ends) == (0.1, wilson(5, 50))


def test_what_nobody_knows_is_not_0():
    """The cost of all others, where none of theirs is known."""
    whole = view([1, 2]).with_columns(spend_usd=pl.Series([1.0, None]))

    assert with_others(whole, 1)["spend_usd"][-1] is None


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"status": [1, 2, 3]}),
        pl.DataFrame({"day": ["a", "b", "c"], "feature": ["f"] * 3, "requests": 1}),
        pl.DataFrame({"org": ["a", "b", "c"], "requests": [1, 2, 3]}),
    ],
)
def test_what_is_no_list_of_names_is_cut_off(frame):
    """Single requests, days, and orgs that nobody may add up."""
    assert with_others(frame, 2).equals(frame.head(2))


def test_whose_it_is_stays_where_it_is_all_one_s():
    """A table then names it in its title; of several, the others are nobody's."""
    one = view([3, 2, 1])
    several = one.with_columns(org=pl.Series(["a", "b", "c"]))

    assert with_others(one, 1)["org"].to_list() == ["o", "o"]
    assert with_others(several, 1)["org"].to_list() == ["a", None]
