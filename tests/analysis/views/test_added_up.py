"""Groups of many rows, added up batch by batch."""

from collections import Counter

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from lectr_lab.analysis.views import added_up
from lectr_lab.analysis.views.added_up import (
    Facts,
    Groups,
    in_batches,
    together,
    totals,
    totals_or_none,
)

_NUMBERS = st.none() | st.integers(-9, 9) | st.sampled_from([127, 1 << 31, 1 << 40])
_ROWS = st.lists(
    st.tuples(st.sampled_from(["a", "b", None]), _NUMBERS),
    max_size=30,
)
_SCHEMA = {"who": pl.String, "n": pl.Int64}
_FACTS = together(
    totals([pl.len().alias("rows"), pl.col("n").sum().alias("sum")]),
    totals_or_none([pl.col("n").alias("known")]),
    Facts([pl.col("n").max().alias("most")], [pl.col("most").max()]),
    totals([(pl.col("n").cast(pl.Int128) * (1 << 60)).sum().alias("much")]),
)


@settings(max_examples=50)
@given(rows=_ROWS, size=st.integers(1, 7), waiting=st.integers(0, 3))
def test_batches_add_up_to_the_whole(rows, size, waiting):
    """However many rows a batch has, and however often groups are added up between."""
    whole = pl.DataFrame(rows, _SCHEMA, orient="row")
    groups = Groups([pl.col("who")], _FACTS)
    groups._most = waiting
    groups.add(whole.clear())
    for start in range(0, whole.height, size):
        groups.add(whole[start : start + size])

    wanted = whole.group_by("who").agg(*_FACTS.once)
    assert_frame_equal(
        groups.added().sort("who"), wanted.sort("who"), check_dtypes=False
    )


@settings(max_examples=50)
@given(keys=st.lists(_NUMBERS, max_size=30), size=st.integers(1, 7))
def test_a_number_is_one_group(keys, size):
    """However few bytes it takes beside those that came with it."""
    whole = pl.DataFrame({"n": keys}, {"n": pl.Int64})
    groups = Groups([pl.col("n")], totals([pl.len().alias("rows")]))
    groups._most = 0
    groups.add(whole.clear())
    for start in range(0, whole.height, size):
        groups.add(whole[start : start + size])

    assert dict(groups.added().rows()) == Counter(keys)


def test_sums_are_held_in_as_few_bytes_as_they_need():
    """Two a group, where they are small, and not sixteen."""
    few = pl.DataFrame({"who": ["a"] * 300, "n": [1] * 300})
    groups = Groups([pl.col("who")], totals([pl.col("n").cast(pl.Int128).sum()]))
    groups._most = 0
    groups.add(few)

    assert {part.schema["n"] for part in groups._parts} <= {pl.Int8, pl.Int16}
    assert groups.added().schema["n"] == pl.Int128


def test_what_nobody_said_is_null_and_not_0():
    """As in one query: a sum of nulls is none."""
    groups = Groups([pl.col("who")], _FACTS)
    groups.add(pl.DataFrame({"who": ["a", "b"], "n": [None, 2]}, _SCHEMA))
    groups.add(pl.DataFrame({"who": ["a"], "n": [None]}, _SCHEMA))

    found = dict(groups.added().select("who", "known").rows())
    assert found == {"a": None, "b": 2}


def test_groups_of_no_facts_are_their_keys():
    """Each once."""
    groups = Groups([pl.col("who"), pl.col("n")])
    for _ in range(2):
        groups.add(pl.DataFrame({"who": ["a", "a"], "n": [1, 1]}))

    assert groups.added().rows() == [("a", 1)]


def test_a_log_is_read_in_batches_of_the_needed_columns(monkeypatch):
    """Each row once, and of an empty log its columns."""
    monkeypatch.setattr(added_up, "BATCH_ROWS", 4)
    log = pl.LazyFrame({"a": range(10), "b": range(10), "c": range(10)})
    seen: list[pl.DataFrame] = []

    in_batches(log, {"b", "a"}, seen.append)

    assert seen[0].is_empty() and len(seen) > 2
    both = pl.concat(seen)
    assert both.columns == ["a", "b"]
    assert sorted(both["a"]) == list(range(10))
    none: list[pl.DataFrame] = []
    in_batches(log.head(0), {"a"}, none.append)
    assert pl.concat(none).is_empty()
