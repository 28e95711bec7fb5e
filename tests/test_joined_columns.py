"""A column of one's own, of any type, is grouped by wherever a feature is."""

import polars as pl
import pytest

import lectr_lab as lectr

N = pl.int_range(pl.len())
TYPES = {
    "text": (N % 3).cast(pl.String),
    "number": N % 4,
    "float": (N % 3) / 2,
    "decimal": (N % 3).cast(pl.Decimal(10, 2)),
    "yes or no": N % 2 == 0,
    "category": (N % 3).cast(pl.String).cast(pl.Categorical),
    "one of a list": (N % 2).cast(pl.String).cast(pl.Enum(["0", "1"])),
    "day": pl.col("started_at").dt.date(),
    "moment": pl.col("started_at").dt.truncate("1d"),
    "length": pl.duration(hours=N % 3),
    "bytes": pl.col("event_id"),
    "several": pl.concat_list(N % 2, N % 3),
    "fields": pl.struct(a=N % 2),
    "nothing": pl.lit(None),
}
VIEWS = ["spend", "tokens", "latency", "errors", "summary", "cache", "cache_losses"]
VIEWS += ["sessions", "cost_of_failures", "cost_of_retries", "cache_savings"]
CHARTS = {"spend": "spend_bars", "tokens": "token_bars", "errors": "error_rates"}
CHARTS |= {"latency": "latency_ranges"}
LOG = lectr.demo_log().head(120).collect()


@pytest.mark.parametrize("kind", TYPES)
def test_a_column_of_any_type_is_grouped_by(kind):
    """In every view, its table and chart, a comparison, and the dashboard."""
    log = LOG.with_columns(TYPES[kind].alias("my team")).lazy()

    for view in VIEWS:
        found = getattr(lectr, view)(log, by="my team").collect()
        assert "my team" in found.columns
        assert lectr.table(found)._repr_html_() and repr(lectr.table(found))
        if view in CHARTS:
            assert getattr(lectr, CHARTS[view])(found).to_json()
    assert "my team" in lectr.dearest(log, 2, by="my team").collect().columns
    assert lectr.spend_timeline(lectr.spend_over_time(log, by="my team")).to_json()
    assert "my team" in lectr.compare(log, by="my team").frame().columns
    assert "<html" in lectr.dashboard(log, by="my team").html


@pytest.mark.parametrize("kind", ["category", "one of a list"])
def test_what_is_missing_has_a_name_there_too(kind):
    """As of a text."""
    team = pl.when(N % 5 != 0).then(TYPES[kind])
    log = LOG.with_columns(team.alias("team")).lazy()

    assert "no team" in lectr.spend(log, by="team").collect()["team"].to_list()


@pytest.mark.parametrize(
    "name", ["requests", "spend_usd", "time", "share_of_spend", "rank"]
)
def test_a_name_that_views_have_is_told(name):
    """In one sentence, with the line that mends it."""
    log = LOG.with_columns((N % 3).cast(pl.String).alias(name)).lazy()

    with pytest.raises(lectr.LabError, match=f"Rename yours: log.rename.*my_{name}"):
        lectr.spend(log, by=name)
