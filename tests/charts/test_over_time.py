"""Views with a step of time, drawn."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lectr_lab as lectr
from lectr_lab.charts.over_time import is_over_time, leading_steps, moment_text, step_of

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
STEPS = {
    "1m": timedelta(minutes=1),
    "10m": timedelta(minutes=10),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "1d": timedelta(days=1),
    "1w": timedelta(days=7),
    "1mo": timedelta(days=30),
}


@pytest.mark.parametrize("every", STEPS)
def test_a_step_is_told_by_its_gaps(every):
    """However many steps are missing between."""
    times = [NOON + n * STEPS[every] for n in (0, 1, 2, 7)]

    assert step_of(pl.Series(times)) == every


def test_one_step_alone_is_a_day():
    """There is no gap to tell it by."""
    assert step_of(pl.Series([NOON, NOON])) == "1d"


@given(
    spent=st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 5), st.floats(0, 10)),
        min_size=1,
        max_size=60,
        unique_by=lambda row: row[:2],
    )
)
def test_the_steps_sum_to_the_view(spent):
    """Of the leading groups and all others, at each time."""
    feature, hours, usd = zip(*spent, strict=True)
    view = pl.DataFrame(
        {
            "feature": [f"f{n}" for n in feature],
            "time": [NOON + timedelta(hours=n) for n in hours],
            "requests": [1] * len(spent),
            "spend_usd": usd,
        }
    )

    steps, whose = leading_steps(view, "spend_usd")

    sums = [
        f.group_by("time").agg(pl.col("spend_usd").sum()).sort("time")
        for f in (view, steps)
    ]
    assert sums[1]["spend_usd"].to_list() == pytest.approx(
        sums[0]["spend_usd"].to_list()
    )
    assert steps["label"].n_unique() <= 6 and whose == "feature"


VIEWS = {
    "spend_bars": (lectr.spend, "feature"),
    "error_rates": (lectr.errors, "error_type"),
    "latency_ranges": (lectr.latency, "model"),
    "token_bars": (lectr.tokens, ["feature", "model"]),
}


@pytest.mark.parametrize("chart", VIEWS)
def test_a_view_over_time_is_drawn_over_time(chart, texts):
    """A colour for each leading group, and not a bar for each row."""
    view, by = VIEWS[chart]
    found = view(lectr.demo_log(), by, every="1d")

    drawn = getattr(lectr, chart)(found)

    assert found.collect().height > 50 and is_over_time(found.collect())
    assert drawn.height < 300
    assert "26 Oct" in texts(drawn)


@pytest.mark.parametrize("chart", VIEWS)
def test_nothing_over_time_is_nothing(chart):
    """An empty log has a title, and no marks."""
    view, by = VIEWS[chart]

    title = getattr(lectr, chart)(
        view(lectr.demo_log().head(0), by, every="1d")
    ).title.text

    assert title.startswith("No ")


def test_the_title_has_the_sum_and_the_largest_step():
    """As spend says it."""
    log = lectr.demo_log()

    both = (
        lectr.spend_bars(lectr.spend(log, every="1d")),
        lectr.spend_timeline(lectr.spend_over_time(log)),
    )

    assert (
        both[0].title.text
        == both[1].title.text
        == "$79.68 in all; the most, $5.37, on 17 Nov"
    )


def test_failures_are_counted_and_not_their_rows():
    """By kind, and of all requests by feature."""
    log = lectr.demo_log()

    titles = [
        lectr.error_rates(lectr.errors(log, by, every="1d")).title.text
        for by in ("error_type", "feature")
    ]

    assert titles[0].startswith("414 requests failed; the most, 26, on 17 Nov")
    assert titles[1].startswith("414 of 16,222 requests failed; the most, 26")


@pytest.mark.parametrize(
    "every, said",
    [
        ("1h", "at 20 Apr 13:00"),
        ("1d", "on 20 Apr"),
        ("1w", "in the week of 20 Apr 2026"),
        ("1mo", "in Apr 2026"),
    ],
)
def test_a_step_is_said_by_its_length(every, said):
    """A week is not the day that it begins on."""
    assert moment_text(datetime(2026, 4, 20, 13, tzinfo=UTC), every) == said
