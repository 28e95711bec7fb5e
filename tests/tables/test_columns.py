"""What a frame's columns become."""

from datetime import UTC, datetime

import polars as pl
import pytest

from lectr_lab.tables.columns import written


@pytest.mark.parametrize(
    "name, value, heading, text",
    [
        ("spend_usd", 12.345, "spend", "$12.35"),
        ("saving_usd_month", 1200.0, "saving a month", "$1,200"),
        ("difference_usd", -0.5, "difference", "-$0.50"),
        ("price_difference_usd", 0.5, "price difference", "+$0.50"),
        ("input_tokens_missing", 1200, "input tokens missing", "+1,200"),
        ("input_tokens_missing", 0, "input tokens missing", "0"),
        ("input_usd_per_mtok", 0.15, "input per million tokens", "$0.15"),
        ("total_p95_ms", 4200.0, "total p95", "4.2 s"),
        ("input_tokens", 1234567, "input tokens", "1,234,567"),
        ("body_bytes", 2_500_000, "body bytes", "2.5 MB"),
        ("share_of_spend", 0.431, "share of spend", "43 %"),
        ("untagged_of_requests", 0.0123, "untagged of requests", "1.2 %"),
        ("error_rate", 0.0, "error rate", "0 %"),
        ("requests", 12000, "requests", "12,000"),
        ("output_tokens_per_s", 87.654, "output tokens per s", "87.7"),
        ("stream", True, "stream", "yes"),
        ("feature", None, "feature", "untagged"),
        ("org", None, "org", "—"),
        ("started_at", datetime(2026, 11, 2, 9, 5, tzinfo=UTC), "started",
         "2026-11-02 09:05 UTC"),
        ("reasons", ["a", "b"], "reasons", "a; b"),
        ("reasons", list("abcdefg"), "reasons", "a; b; c; d; e; … and 2 more"),
    ],
)  # fmt: skip
def test_a_columns_name_says_how_it_is_written(name, value, heading, text):
    """Money, time, counts and shares each in their own way."""
    [column] = written(pl.DataFrame({name: [value]}))

    assert (column.heading, column.texts) == (heading, [text])


def test_the_ends_of_an_interval_stand_beside_its_middle():
    """Whether the unit comes before `low` or after it; an open end is a dash."""
    frame = pl.DataFrame(
        {
            "error_rate": [0.1],
            "error_rate_low": [0.05],
            "error_rate_high": [0.2],
            "p99_ms": [100.0],
            "p99_low_ms": [80.0],
            "p99_high_ms": pl.Series([None], dtype=pl.Float64),
        }
    )

    rate, p99 = written(frame)

    assert rate.texts == ["10 % [5.0 %, 20 %]"]
    assert p99.texts == ["100 ms [80 ms, —]"]


@pytest.mark.parametrize(
    "row, text",
    [
        ({"spend_usd": None, "unpriced": 2}, "— no price known"),
        ({"spend_usd": None, "unpriced": 0, "uncounted": 1}, "— no token count"),
        ({"total_p95_ms": None, "total_n": 0}, "— none succeeded"),
        ({"ttft_p95_ms": None, "ttft_n": 0}, "—"),  # perhaps none was a stream
        ({"total_p95_ms": None, "total_n": 3}, "—"),
    ],
)
def test_what_is_missing_says_why_where_the_row_knows(row, text):
    """A dash alone would leave a reader guessing."""
    first = next(iter(row))
    schema = {first: pl.Float64} | {name: pl.Int64 for name in row if name != first}

    assert written(pl.DataFrame([row], schema))[0].texts == [text]


def test_a_list_of_numbers_is_drawn():
    """And null is an empty line."""
    [column] = written(pl.DataFrame({"per_day": [[1.0, None, 2.0], None]}))

    assert column.lines == [[1.0, None, 2.0], []]


def test_a_time_that_nobody_measured_is_not_a_failure():
    """An imported log has the whole time alone: its requests did succeed."""
    row = {"total_p50_ms": 9.0, "total_n": 2, "ttfb_p50_ms": None, "ttfb_n": 0}
    kinds = {"ttfb_p50_ms": pl.Float64}

    [*_, ttfb, _] = written(pl.DataFrame([row], schema_overrides=kinds))

    assert ttfb.texts == ["—"]


def test_a_column_that_seldom_has_anything_is_shown_where_it_has():
    """What a plan covered, and what a provider says that it cost."""
    groups = {"feature": ["a", "b"], "unpriced": [0, 1], "plan_usd": [None, None]}
    frame = pl.DataFrame(groups | {"stated_usd": [0.5, None]})

    shown = {column.heading: column.texts for column in written(frame)}

    assert list(shown) == ["feature", "unpriced", "stated"]
    assert shown["stated"] == ["$0.50", "—"]
