"""What changed between two spans."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.compare import compare
from lectr_lab.analysis.dollars_split import PARTS
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views.spend import spend
from lectr_lab.core.errors import LabError
from lectr_lab.core.pricing.price import UserPrice
from lectr_lab.log.schema import frame

MADE_BY = [f"from_{part}_usd" for part in PARTS]
FIRST = datetime(2026, 11, 2, 12, tzinfo=UTC)
LATER = FIRST + timedelta(days=7)
SPANS = {"before": "2026-11-02..2026-11-08", "after": "2026-11-09..2026-11-15"}

calls = st.fixed_dictionaries(
    {
        "feature": st.sampled_from([None, "chat", "search"]),
        "model_actual": st.sampled_from(
            ["gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18", "no-such-model"]
        ),
        "started_at": st.sampled_from([FIRST, FIRST + timedelta(days=3), LATER]),
        "input_tokens": st.integers(200, 40_000),
        "output_tokens": st.one_of(st.none(), st.integers(0, 4_000)),
        "cache_read_tokens": st.one_of(st.none(), st.integers(0, 200)),
        "web_searches": st.sampled_from([None, None, 2]),
        "service_tier": st.sampled_from([None, "flex"]),
        "credential": st.sampled_from([None, "plan"]),
        "kind": st.sampled_from(["request", "request", "shadow"]),
    }
)


@settings(max_examples=40, deadline=None)
@given(
    some=st.lists(calls, max_size=30), by=st.sampled_from(["feature", "model", None])
)
def test_the_parts_sum_to_the_change_and_the_change_to_what_spend_says(event, some, by):
    """To 1e-9 US dollars, of each group; what has no known price is null."""
    log = priced(frame([event(**one) for one in some]).lazy())

    found = compare(log, **SPANS, by=by, org="local").frame()

    parts = found.select(pl.sum_horizontal(MADE_BY)).to_series()
    for row, sum_usd in zip(found.iter_rows(named=True), parts, strict=True):
        if row["change_usd"] is None:
            assert all(row[part] is None for part in MADE_BY)
            continue
        assert row["after_usd"] - row["before_usd"] == row["change_usd"]
        assert sum_usd == pytest.approx(row["change_usd"], abs=1e-9)
    for end, week in (
        ("before", pl.col("started_at") < LATER),
        ("after", pl.col("started_at") >= LATER),
    ):
        view = spend(log.filter(week), by, org="local").collect()
        keys = [] if by is None else [by]
        there = {
            row[: len(keys)]: row[-1]
            for row in view.select(*keys, "spend_usd").iter_rows()
        }
        for row in found.select(*keys, f"{end}_usd").iter_rows():
            assert row[-1] == (
                pytest.approx(there.get(row[:-1], 0.0), abs=1e-12)
                if there.get(row[:-1], 0.0) is not None
                else None
            )


def usual(event, at, n=10, **fields):
    return [
        event(started_at=at + timedelta(minutes=i), feature="chat", **fields)
        for i in range(n)
    ]


@pytest.mark.parametrize(
    ("then", "now", "part"),
    [
        ({}, {"n": 25}, "requests"),
        ({}, {"input_tokens": 3_000}, "prompt"),
        ({}, {"output_tokens": 90}, "answer"),
        ({"cache_read_tokens": 800}, {"cache_read_tokens": 0}, "cache"),
        ({}, {"model_actual": "gpt-4o-2024-08-06"}, "models"),
        (
            {"service_tier": "flex", "model_actual": "o3"},
            {"model_actual": "o3"},
            "price",
        ),
        ({"web_searches": 0}, {"web_searches": 2}, "other"),
        ({}, {"credential": "plan"}, "models"),
    ],
)
def test_what_changed_alone_has_all_of_the_change(event, then, now, part):
    """A plan, which bills nothing, counts as another model."""
    log = priced(
        frame([*usual(event, FIRST, **then), *usual(event, LATER, **now)]).lazy()
    )

    [row] = compare(log, **SPANS, org="local").frame().to_dicts()

    assert row["change_usd"] != 0
    for name in PARTS:
        own = row["change_usd"] if name == part else 0.0
        assert row[f"from_{name}_usd"] == pytest.approx(own, abs=1e-12), name


def test_the_dearest_change_comes_first_whichever_way_it_went(traffic):
    """A fall is as dear as a rise; what cannot be compared comes last."""
    found = compare(priced(traffic)).frame()

    sizes = found["change_usd"].abs().to_list()
    known = [size for size in sizes if size is not None]
    assert known == sorted(known, reverse=True)
    assert sizes[len(known) :] == [None] * (len(sizes) - len(known))
    assert None in sizes  # of our own model no price is known


def test_without_spans_it_is_the_last_whole_week(traffic):
    """Of two weeks from a Monday on, both."""
    found = compare(priced(traffic))

    assert (found.before.first, found.after.first) == (
        FIRST.replace(hour=0),
        LATER.replace(hour=0),
    )
    assert found.after.end - found.after.first == timedelta(days=7)


def test_groups_of_several_keys_and_orgs_are_apart(event):
    """Two orgs' chat are two rows."""
    some = [
        event(org=org, feature="chat", started_at=at)
        for org in "ab"
        for at in (FIRST, LATER)
    ]

    found = compare(
        priced(frame(some).lazy()), **SPANS, by=["feature", "model"]
    ).frame()

    assert found.columns[:4] == ["org", "feature", "model", "requests"]
    assert found["org"].to_list() == ["a", "b"]


def test_the_users_own_prices_split_as_the_lists_do(event):
    """Where they are given; else all of the cost is of other units, and still sums."""
    mine = (
        UserPrice(
            model="ours", input_usd_per_mtok=Decimal(1), output_usd_per_mtok=Decimal(4)
        ),
    )
    some = [
        *usual(event, FIRST, model_actual="ours"),
        *usual(event, LATER, model_actual="ours", output_tokens=900),
    ]
    log = priced(frame(some).lazy(), mine)

    told, blind = (
        compare(log, **SPANS, prices=p).frame().row(0, named=True) for p in (mine, None)
    )

    assert told["from_answer_usd"] == pytest.approx(told["change_usd"])
    assert blind["from_other_usd"] == pytest.approx(blind["change_usd"])


def test_an_empty_log_and_one_row_are_compared(event):
    """With a sentence, and no error."""
    nothing = compare(priced(frame([]).lazy()))
    one = compare(priced(frame([event()]).lazy()))

    assert nothing.frame().is_empty() and "No request" in nothing.in_short()
    assert one.frame()["requests"].to_list() == [1]


def test_spans_that_differ_in_length_are_told(traffic):
    """And a log that begins within one."""
    found = compare(priced(traffic), "2026-10", "2026-11-03")

    assert found.notes == ("The spans differ in length: 31 and 1 days.",)
    [note, _] = compare(priced(traffic), "2026-10-30..2026-11-05", "2026-11-08").notes
    assert note.startswith("The log begins within the first span")


def test_a_column_that_is_not_there_is_named(traffic):
    """As in every view."""
    with pytest.raises(LabError, match="no column 'featur'"):
        compare(priced(traffic), by="featur")


def test_a_joined_column_is_compared_by(traffic):
    """Whatever its type."""
    teams = random.Random(7)
    log = priced(traffic).with_columns(
        team=pl.Series([teams.randrange(3) for _ in range(3_000)])
    )

    found = compare(log, by="team").frame()

    assert sorted(found["team"].to_list()) == [0, 1, 2]
