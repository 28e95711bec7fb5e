"""Cost, latency and errors side by side, and over real traces."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views.health import errors, latency
from lectr_lab.analysis.views.spend import spend, tokens
from lectr_lab.analysis.views.summary import summary, totals
from lectr_lab.log.schema import polars_schema


def test_a_summary_says_what_the_views_say(traffic):
    """The same figures, in one frame."""
    log = priced(traffic)

    found = summary(log).collect().sort("feature")

    for view, columns in (
        (spend(log), ["requests", "spend_usd", "unpriced"]),
        (latency(log), ["total_p50_ms", "total_p95_ms", "total_n"]),
        (errors(log), ["errors", "error_rate"]),
    ):
        expected = view.collect().sort("feature").select(columns)
        assert_frame_equal(found.select(columns), expected)


def test_days_and_hours_are_columns_too_in_the_order_of_time(traffic):
    """Those of a time zone, and what the views say of their steps."""
    log, tz = priced(traffic), "America/New_York"
    same = ["requests", "spend_usd", "unpriced"]

    days = summary(log, ["day", "model"], tz=tz).collect()
    hours = summary(log, "hour", tz=tz).collect()

    assert days["day"].is_sorted() and hours["hour"].is_sorted()
    steps = spend(log, None, every="1h", tz=tz).collect()
    assert_frame_equal(
        hours.select("hour", *same), steps.select(pl.col("time").alias("hour"), *same)
    )
    local = pl.col("started_at").dt.convert_time_zone(tz).dt.date()
    assert set(days["day"]) == set(log.select(local).collect().to_series())


def test_totals_add_up_every_group(traffic):
    """One row for the whole log."""
    log = priced(traffic)

    [row] = totals(log).collect().to_dicts()

    assert row["requests"] == 3000
    assert row["spend_usd"] == pytest.approx(summary(log).collect()["spend_usd"].sum())
    assert row["features"] == 6
    assert 0.05 < row["untagged_of_requests"] < 0.2


def test_an_empty_log_has_one_row_of_totals(log_of):
    """Counts are 0, and what cannot be known is null."""
    log = priced(log_of([]))

    [row] = totals(log).collect().to_dicts()

    assert (row["requests"], row["first_at"], row["error_rate"]) == (0, None, None)
    assert summary(log).collect().is_empty()


@pytest.mark.parametrize("case", ["failed", "one", "untagged"])
def test_odd_logs_have_sensible_views(log_of, event, failed, case):
    """All failed, one row, all untagged."""
    events = {"failed": [failed()] * 3, "one": [event()], "untagged": [event()] * 3}
    log = priced(log_of(events[case]))

    for by in ("feature", ["feature", "model"], None):
        found = summary(log, by).collect()
        assert found.height == 1
        assert found["requests"].item() == len(events[case])


def test_real_traces_are_read_as_a_log(shared):
    """1,042 spans of two agents: two models of different speed and error rate.

    Exgentic/agent-llm-traces (CDLA-Permissive-2.0), read where it lies.
    """
    spans = pl.scan_parquet(shared / "datasets/traces/agent_llm_spans.parquet")
    good = ~pl.col("is_error")
    known = spans.select(
        event_id=pl.lit(b""),
        started_at=pl.col("start_time"),
        org=pl.lit("bench"),
        feature=pl.col("benchmark"),
        kind=pl.lit("request"),
        path=pl.lit("/v1/chat/completions"),
        operation=pl.lit("chat"),
        provider=pl.lit("azure"),
        model_actual=pl.col("response_model").str.strip_prefix("azure/"),
        outcome=pl.when(good).then(pl.lit("ok")).otherwise(pl.lit("provider_error")),
        total_ms=pl.col("duration_ms"),
        input_tokens=pl.when(good).then("input_tokens"),
        output_tokens=pl.when(good).then("output_tokens"),
        token_source=pl.lit("provider"),
    )
    columns = known.collect_schema().names()
    log = priced(
        known.select(
            pl.col(name) if name in columns else pl.lit(None, dtype).alias(name)
            for name, dtype in polars_schema().items()
        )
    )

    by_model = {row["model"]: row for row in summary(log, "model").collect().to_dicts()}

    assert sum(row["requests"] for row in by_model.values()) == 1042
    assert sum(row["errors"] for row in by_model.values()) == 81
    assert set(by_model) == {"DeepSeek-V3.2", "Kimi-K2.5"}
    for row in by_model.values():
        assert row["total_n"] == row["requests"] - row["errors"]
        assert 1_000 < row["total_p50_ms"] < row["total_p95_ms"]
    assert tokens(log, "model").collect()["input_tokens"].sum() > 20_000_000
    assert (
        spend(log, "model").collect()["unpriced"].sum()
        + (spend(log, "model").collect()["priced"].sum())
        == 1042 - 81
    )
