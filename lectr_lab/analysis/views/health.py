"""How slow and how reliable: latency and errors per group."""

import polars as pl

from lectr_lab.analysis.given_log import Log, opened
from lectr_lab.analysis.log import AnyLog, ranked
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.groups import (
    By,
    counted_bins,
    grouped,
    key_columns,
    key_names,
)
from lectr_lab.analysis.views.percentiles import Percentiles, with_percentiles
from lectr_lab.analysis.views.rows import ROWS, Each
from lectr_lab.core.intervals import Z95


def error_measures(each: Each = ROWS) -> list[pl.Expr]:
    """Requests and errors, the rate with its 95 % interval, and who left or retried."""
    calls = each.calls
    requests = each.number(rows.is_request(calls))
    errors = each.number(rows.failed(calls))
    low, high = wilson(errors, requests)
    return [
        requests.alias("requests"),
        errors.alias("errors"),
        pl.when(requests > 0).then(errors / requests).alias("error_rate"),
        low.alias("error_rate_low"),
        high.alias("error_rate_high"),
        each.number(rows.disconnected(calls)).alias("client_disconnects"),
        each.number(rows.retried(calls)).alias("retries"),
    ]


def _all_of_them(each: Each) -> list[pl.Expr]:
    requests, errors, *_ = error_measures(each)
    return [requests, errors.alias("all_errors")]


def _of_failed(each: Each) -> list[pl.Expr]:
    _, errors, *_, retries = error_measures(each)
    return [errors, retries]


def _requests(each: Each) -> list[pl.Expr]:
    return [each.number(rows.is_request(each.calls)).alias("requests")]


def wilson(hits: pl.Expr, n: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Wilson's 95 % interval, as `core.intervals` has it; null where n is 0.

    >>> low, high = wilson(pl.lit(0), pl.lit(10))
    >>> pl.select(low.round(3).alias("low"), high.round(3).alias("high")).row(0)
    (0.0, 0.278)
    """
    count = n.cast(pl.Float64)
    p, z2 = hits / count, Z95**2
    centre = p + z2 / (2 * count)
    half = Z95 * (p * (1 - p) / count + z2 / (4 * count**2)).sqrt()
    scale = 1 + z2 / count
    some = pl.when(n > 0)
    return (
        some.then(((centre - half) / scale).clip(0, 1)),
        some.then(((centre + half) / scale).clip(0, 1)),
    )


def latency(
    log: Log,
    by: By = "feature",
    *,
    every: str | None = None,
    tz: str = "UTC",
    org: str | None = None,
    intervals: bool = False,
    percentiles: Percentiles | None = None,
) -> pl.LazyFrame:
    """How long requests took per group, slowest p95 first; with `every`, by time.

    Failed requests never enter, and shadows do not.

    Args:
        log: events; prices are not needed.
        by: one column, several, or None for one row per org.
        every: a time step, such as "1h" or "1d"; adds `time`.
        tz: the time zone in which days begin.
        org: one org alone; without it, `org` is the first column.
        intervals: add the 95 % interval of every percentile, `…_p95_low_ms` to
            `…_p95_high_ms`; an end is null where the requests are too few to say.
        percentiles: "exact", or "binned": within 1 % of the duration at the rank, the
            lower one where it falls between two, in memory that follows the groups and
            not the rows. Without it, exact up to 10 million rows, and binned above. The
            durations are read in this call.

    Returns:
        The keys, then `requests` and, for total, ttfb, ttft and overhead,
        `…_p50_ms`, `…_p95_ms`, `…_p99_ms` with their `…_n`; `output_tokens_per_s`, the
        median over whole requests; null where n is 0. `percentiles`: exact or binned.

    Raises:
        LabError: a column that the log does not have.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> slow = lectr.latency(log, by="model").head(2)
    >>> lectr.table(slow.select("model", "requests", "total_p50_ms", "total_p95_ms"))
    model               requests  total p50  total p95
    gemini-3.8-flash       1,365      5.8 s     56.3 s
    gpt-5.4-2026-03-05       663      6.7 s     54.5 s
    """
    given = opened(log)
    some = given.lazy() if org is None else given.lazy().filter(pl.col("org") == org)
    keys = key_columns(some, by, every=every, tz=tz, org=org)
    how = ranked(given, percentiles, org)
    bins = counted_bins(given, how, by, every=every, tz=tz, org=org)
    found = with_percentiles(
        grouped(given, _requests, by=by, every=every, tz=tz, org=org),
        some,
        keys,
        how,
        intervals=intervals,
        bins=bins,
    )
    order = ([pl.col("time")] if every else []) + [-pl.col("total_p95_ms")]
    names = key_names(by, every, org)
    return found.sort(*order, *names, nulls_last=True)


def errors(
    log: Log,
    by: By = "feature",
    *,
    every: str | None = None,
    tz: str = "UTC",
    org: str | None = None,
) -> pl.LazyFrame:
    """How often requests failed per group, most often first; with `every`, by time.

    By what tells failures apart (`error_type`, `error_source`, `outcome` or `status`), a
    row is how many of all requests failed in that way.

    Args:
        log: events; prices are not needed.
        by: one column, several, or None for one row per org.
        every: a time step, such as "1h" or "1d"; adds `time`.
        tz: the time zone in which days begin.
        org: one org alone; without it, `org` is the first column.

    Returns:
        The keys, then `requests`, `errors`, `error_rate` with its 95 % interval
        `error_rate_low` to `error_rate_high` (Wilson), `client_disconnects` (not
        errors) and `retries` (requests that repeat a failed one). By kinds of failure
        `requests` are all that could have failed so: those of the other keys and the
        step; in place of `client_disconnects` stands `share_of_errors` (of these keys
        and step, 0 to 1), and `retries` failed in that way too.

    Raises:
        LabError: a column that the log does not have.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> lectr.table(lectr.errors(log, by="provider").head(2))
    provider   requests  errors            error rate  client disconnects  retries
    anthropic       883      79   8.9 % [7.2 %, 11 %]                  10       93
    groq          4,633     121  2.6 % [2.2 %, 3.1 %]                  23       35
    In every row: org made-up-data.
    """
    keys = key_names(by, every, org)
    order = ([pl.col("time")] if every else []) + [
        -pl.col("error_rate"),
        -pl.col("requests").cast(pl.Int64),
    ]
    given = opened(log)
    if {*FAILURES} & {*keys}:
        found = _by_failure(given, keys, every, tz, org)
    else:
        found = grouped(given, error_measures, by=by, every=every, tz=tz, org=org)
    return found.sort(*order, *keys, nulls_last=True)


FAILURES = ("error_type", "error_source", "outcome", "status")
"""Columns that tell failures apart: of one value all requests failed, or none."""


def _by_failure(
    log: AnyLog, keys: list[str], every: str | None, tz: str, org: str | None
) -> pl.LazyFrame:
    """Failures of each kind, beside all requests that could have failed so."""
    named = [key for key in keys if key != "time"]
    whole = [key for key in keys if key not in FAILURES]
    others = [key for key in whole if key != "time"]
    of = grouped(log, _all_of_them, by=others, every=every, tz=tz, org=org)
    kinds = grouped(
        log,
        _of_failed,
        by=named,
        every=every,
        tz=tz,
        org=org,
        where=rows.failed(),
        failures=True,
    )
    joined = (
        kinds.join(of, on=whole, how="left", nulls_equal=True)
        if whole
        else kinds.join(of, how="cross")
    )
    hits, n = pl.col("errors"), pl.col("requests")
    low, high = wilson(hits, n)
    return joined.select(
        *keys,
        "requests",
        "errors",
        (hits / n).alias("error_rate"),
        low.alias("error_rate_low"),
        high.alias("error_rate_high"),
        (hits / pl.col("all_errors")).alias("share_of_errors"),
        "retries",
    )
