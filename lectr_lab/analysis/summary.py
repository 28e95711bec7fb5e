"""Cost, latency and errors side by side."""

import polars as pl

from lectr_lab.analysis.groups import By, grouped, key_names
from lectr_lab.analysis.health import error_measures, latency_measures
from lectr_lab.analysis.quality import untagged_measures
from lectr_lab.analysis.spend import share_of_spend, spend_measures

_SHOWN = [
    "requests",
    "spend_usd",
    "share_of_spend",
    "total_p50_ms",
    "total_p95_ms",
    "ttft_p50_ms",
    "total_n",
    "errors",
    "error_rate",
    "unpriced",
    "uncounted",
    "estimated",
]


def summary(
    log: pl.LazyFrame, by: By = "feature", *, org: str | None = None
) -> pl.LazyFrame:
    """What each group costs, how slow it is and how often it fails, dearest first.

    Args:
        log: events with `cost_usd`, as `scan` gives them.
        by: one column, several, or None for one row per org.
        org: one org alone; without it, `org` is the first column.

    Returns:
        The keys, then requests, `spend_usd`, `share_of_spend`, `total_p50_ms`,
        `total_p95_ms` and `ttft_p50_ms` (over `total_n` successful requests), `errors`,
        `error_rate`, and how many rows are `unpriced`, `uncounted` or `estimated`.

    Raises:
        LabError: a column that the log does not have.

    >>> from lectr_lab.analysis.pricing import priced
    >>> from lectr_lab.log.schema import frame
    >>> summary(priced(frame([]).lazy()), None).collect().columns[:4]
    ['org', 'requests', 'spend_usd', 'share_of_spend']
    """
    keys = key_names(by, org=org)
    measures = [*spend_measures(), *latency_measures(), *error_measures()[1:]]
    found = grouped(log, measures, by=by, org=org).with_columns(share_of_spend(org))
    order = ["spend_usd", "requests", *keys]
    falling = [name in ("spend_usd", "requests") for name in order]
    return found.select(*keys, *_SHOWN).sort(order, descending=falling, nulls_last=True)


def totals(log: pl.LazyFrame) -> pl.LazyFrame:
    """The whole log in one row, every org together: the head of a page.

    Returns:
        `first_at`, `last_at`, `orgs`, `features`, then what `spend`, `latency`,
        `errors`, `untagged_share` and `data_quality` say. One row for an empty log too.
    """
    when = pl.col("started_at")
    return log.select(
        when.min().alias("first_at"),
        when.max().alias("last_at"),
        pl.col("org").n_unique().alias("orgs"),
        pl.col("feature").drop_nulls().n_unique().alias("features"),
        *spend_measures(),
        *latency_measures(),
        *error_measures()[1:],
        *untagged_measures(),
    )
