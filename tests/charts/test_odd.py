"""A series around an incident, drawn."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from lectr_lab.charts.odd import UNITS, odd_series

START = datetime(2026, 11, 2, tzinfo=UTC)


def series(scale: float = 1.0, highest: float = 3.0) -> pl.DataFrame:
    hours = 96
    shown = [
        None if h % 17 == 5 else 0.2 + (0.6 if h >= 60 else 0.0) for h in range(hours)
    ]
    return pl.DataFrame(
        {
            "time": [START + timedelta(hours=h) for h in range(hours)],
            "actual": [None if v is None else v * scale for v in shown],
            "expected": [0.2 * scale] * hours,
            "low": [0.0] * hours,
            "high": [highest * scale] * hours,
        },
        schema_overrides={"time": pl.Datetime("us", "UTC")},
    )


@pytest.mark.parametrize("kind", UNITS)
@pytest.mark.parametrize(
    "end", [None, START + timedelta(hours=70)], ids=["open", "over"]
)
def test_every_kind_is_drawn(kind, end, texts):
    """With its unit, and since when; nothing else that reads as words is cut."""
    onset = START + timedelta(hours=60)
    scale = 1_000.0 if UNITS[kind].axis != UNITS["errors"].axis else 1.0

    drawn = odd_series(series(scale), kind, onset=onset, end=end, title="chat: it")

    words = texts(drawn)
    assert "since 12:00" in words and "…" not in words
    assert UNITS[kind].words in words


def test_a_band_without_bounds_leaves_the_axis_to_what_was(drawn):
    """However far it reaches: a renderer draws no point at the end of the world."""
    chart = odd_series(
        series(highest=1e18), "spend", onset=START, end=None, title="chat"
    )

    assert chart.data is not None or chart.layer
    assert "e+1" not in drawn(chart)


def test_nothing_known_is_an_empty_picture(drawn):
    """Not an error."""
    nothing = series().with_columns(pl.lit(None, pl.Float64).alias("actual"))

    assert "<svg" in drawn(
        odd_series(nothing, "latency", onset=START, end=None, title="chat")
    )


def test_a_hostile_title_is_text(drawn):
    """Escaped in the picture."""
    title = "<script>alert(1)</script>"

    assert "<script" not in drawn(
        odd_series(series(), "spend", onset=START, end=None, title=title)
    )
