"""Counts as metrics."""

from collections import Counter

import polars as pl
from metrics_rows import events

from lectr_lab.core.event import columns
from lectr_lab.log.schema import frame
from lectr_lab.metrics.counts import count, needed
from lectr_lab.metrics.labels import LABELS, Names
from lectr_lab.metrics.series import SET, Distribution, Lacks, Metric, metrics


def made(rows: pl.LazyFrame, lacks: Lacks | None = None) -> dict[str, Metric]:
    counts = count(needed(rows).collect(), Names(500, len(LABELS)), Names(50, 1))
    return {one.name: one for one in metrics(counts, lacks)}


def test_attributes_are_those_of_the_logs_columns():
    """By OpenTelemetry's names; a model is the one that answered, else the one asked."""
    otel = {spec.name: spec.otel for spec in columns()}
    own = [otel.get(name, otel["model_actual"]) for name in LABELS]

    assert list(SET) == own


def test_a_distribution_says_all_of_its_rows():
    """Its buckets are as many as the counter's, and its sum is theirs."""
    rows = frame(events(0, 50))
    found = made(rows.lazy())
    duration = found["gen_ai.client.operation.duration"]
    tokens = found["gen_ai.client.token.usage"]
    well = rows.filter(pl.col("outcome") == "ok")

    ended = [one for one in duration.points.values() if isinstance(one, Distribution)]
    assert sum(sum(one.buckets) for one in ended) == well.height
    assert abs(sum(one.sum for one in ended) - well["total_ms"].sum() / 1000) < 1e-9
    asked = [n for at, n in tokens.points.items() if at[-1] == "input"]
    assert sum(one.sum for one in asked) == well["input_tokens"].sum()


def test_the_conventions_words_are_used_and_their_series_added_up():
    """A call of `responses` is a chat, and so are those of `chat`: one series."""
    rows = [events(n, 1, operation=o)[0] for n, o in ((0, "chat"), (1, "responses"))]
    requests = made(frame(rows + events(3, 1, provider="gemini")).lazy())[
        "lectr.requests"
    ]

    assert {at[4] for at in requests.points} == {"chat"}
    assert {at[2] for at in requests.points} == {"openai", "gcp.gemini"}
    assert sum(requests.points.values()) == 3


def test_money_is_shown_where_it_is_known():
    """Without a price list there is no such metric, rather than one of nothing."""
    rows = frame(events(0, 10)).lazy()
    with_cost = made(rows.with_columns(cost_usd=pl.lit(0.25)))

    assert "lectr.spend" not in made(rows)
    assert sum(with_cost["lectr.spend"].points.values()) == 2.5


def test_what_the_log_lacks_is_a_metric():
    """Who watches sees it."""
    found = {one.name: one for one in metrics(Counter(), Lacks(3, 2, 1))}

    assert found["lectr.log.dropped"].points == {(): 3.0}
    assert found["lectr.log.unread_files"].points == {(): 1.0}
