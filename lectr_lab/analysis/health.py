"""How slow and how reliable: latency and errors per group."""

import polars as pl

from lectr_lab.analysis import rows
from lectr_lab.analysis.groups import By, grouped, key_names

_Z95 = 1.959963984540054  # of the normal distribution: 95 % lie within
_TIMES = ("total", "ttfb", "ttft", "overhead")
_PERCENTILES = (50, 95, 99)


def latency_measures() -> list[pl.Expr]:
    """Percentiles and n of each duration, over requests that succeeded."""
    return [
        *(measure for name in _TIMES for measure in _percentiles(name)),
        _tokens_per_s().median().alias("output_tokens_per_s"),
    ]


def _percentiles(name: str) -> list[pl.Expr]:
    ms = pl.col(f"{name}_ms").filter(rows.succeeded())
    found = [
        ms.quantile(p / 100, "linear").alias(f"{name}_p{p}_ms") for p in _PERCENTILES
    ]
    return [*found, ms.count().alias(f"{name}_n")]


def interval_measures() -> list[pl.Expr]:
    """A 95 % interval of each percentile, from order statistics; no shape is assumed.

    Null at an end where so few requests cannot bound it. The true percentile lies
    between two ranks with binomial probability; their normal approximation is widened
    to whole ranks. Source: David and Nagaraja, Order Statistics (2003), section 7.1.
    """
    return [end for name in _TIMES for p in _PERCENTILES for end in _ends(name, p)]


def _ends(name: str, percentile: int) -> tuple[pl.Expr, pl.Expr]:
    ms = pl.col(f"{name}_ms").filter(rows.succeeded()).drop_nulls().sort()
    n, p = ms.len().cast(pl.Float64), percentile / 100
    half = _Z95 * (n * p * (1 - p)).sqrt()
    low = (n * p - half).floor().cast(pl.Int64)  # ranks, from 1
    high = (n * p + half).ceil().cast(pl.Int64) + 1
    return (
        # Rank 0 would be index -1, which is the last.
        pl.when(low >= 1)
        .then(ms.get(low - 1, null_on_oob=True))
        .alias(f"{name}_p{percentile}_low_ms"),
        ms.get(high - 1, null_on_oob=True).alias(f"{name}_p{percentile}_high_ms"),
    )


def _tokens_per_s() -> pl.Expr:
    """Output tokens per second of a whole request, from sending to the last byte."""
    ms = pl.col("total_ms")
    timed = rows.succeeded() & (pl.col("output_tokens") > 0) & (ms > 0)
    return (1000 * pl.col("output_tokens") / ms).filter(timed)


def beside(
    sums: pl.LazyFrame, percentiles: pl.LazyFrame, keys: list[str]
) -> pl.LazyFrame:
    """Both views of the same groups in one; groups without a success have n = 0.

    Apart, for percentiles hold all rows in memory and sums hold none: together, each
    column of a sum would be held too.
    """
    if not keys:
        return pl.concat([sums, percentiles], how="horizontal")
    both = sums.join(percentiles, on=keys, how="left", nulls_equal=True)
    return both.with_columns(pl.col(f"{name}_n").fill_null(0) for name in _TIMES)


def error_measures() -> list[pl.Expr]:
    """Requests and errors, the rate with its 95 % interval, and who left or retried."""
    requests, errors = rows.is_request().sum(), rows.failed().sum()
    low, high = wilson(errors, requests)
    return [
        requests.alias("requests"),
        errors.alias("errors"),
        pl.when(requests > 0).then(errors / requests).alias("error_rate"),
        low.alias("error_rate_low"),
        high.alias("error_rate_high"),
        rows.disconnected().sum().alias("client_disconnects"),
        rows.retried().sum().alias("retries"),
    ]


def wilson(hits: pl.Expr, n: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Wilson's 95 % interval of a share; null where n is 0.

    Source: Wilson, JASA 22 (1927), 209-212.

    >>> low, high = wilson(pl.lit(0), pl.lit(10))
    >>> pl.select(low.round(3).alias("low"), high.round(3).alias("high")).row(0)
    (0.0, 0.278)
    """
    count = n.cast(pl.Float64)
    p, z2 = hits / count, _Z95**2
    centre = p + z2 / (2 * count)
    half = _Z95 * (p * (1 - p) / count + z2 / (4 * count**2)).sqrt()
    scale = 1 + z2 / count
    some = pl.when(n > 0)
    return (
        some.then(((centre - half) / scale).clip(0, 1)),
        some.then(((centre + half) / scale).clip(0, 1)),
    )


def latency(
    log: pl.LazyFrame,
    by: By = "feature",
    *,
    every: str | None = None,
    tz: str = "UTC",
    org: str | None = None,
    intervals: bool = False,
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

    Returns:
        The keys, then `requests` and, for total, ttfb, ttft and overhead, exact
        `…_p50_ms`, `…_p95_ms`, `…_p99_ms` with their `…_n`; `output_tokens_per_s`, the
        median over whole requests. Null where n is 0.

    Raises:
        LabError: a column that the log does not have.

    >>> from lectr_lab.log.schema import frame
    >>> latency(frame([]).lazy(), "model").collect().columns[:5]
    ['org', 'model', 'requests', 'total_p50_ms', 'total_p95_ms']
    """
    requests = [rows.is_request().sum().alias("requests")]
    measures = latency_measures() + (interval_measures() if intervals else [])
    keys = key_names(by, every, org)
    order = ([pl.col("time")] if every else []) + [-pl.col("total_p95_ms")]
    found = beside(
        grouped(log, requests, by=by, every=every, tz=tz, org=org),
        grouped(
            log.filter(rows.succeeded()), measures, by=by, every=every, tz=tz, org=org
        ),
        keys,
    )
    return found.sort(*order, *keys, nulls_last=True)


def errors(
    log: pl.LazyFrame,
    by: By = "feature",
    *,
    every: str | None = None,
    tz: str = "UTC",
    org: str | None = None,
) -> pl.LazyFrame:
    """How often requests failed per group, most often first; with `every`, by time.

    Args:
        log: events; prices are not needed.
        by: one column, several, or None for one row per org.
        every: a time step, such as "1h" or "1d"; adds `time`.
        tz: the time zone in which days begin.
        org: one org alone; without it, `org` is the first column.

    Returns:
        The keys, then `requests`, `errors`, `error_rate` with its 95 % interval
        `error_rate_low` to `error_rate_high` (Wilson), `client_disconnects` (not
        errors) and `retries` (requests that repeat a failed one).

    Raises:
        LabError: a column that the log does not have.

    >>> from lectr_lab.log.schema import frame
    >>> errors(frame([]).lazy(), "provider").collect().columns[:5]
    ['org', 'provider', 'requests', 'errors', 'error_rate']
    """
    keys = key_names(by, every, org)
    order = ([pl.col("time")] if every else []) + [
        -pl.col("error_rate"),
        -pl.col("requests").cast(pl.Int64),
    ]
    found = grouped(log, error_measures(), by=by, every=every, tz=tz, org=org)
    return found.sort(*order, *keys, nulls_last=True)


def error_kinds(
    log: pl.LazyFrame, by: By = "feature", *, org: str | None = None
) -> pl.LazyFrame:
    """What went wrong: failed requests per group by outcome, status, type and source.

    Returns:
        The keys, `outcome`, `status`, `error_type`, `error_source`, then `requests`;
        most frequent first.
    """
    kinds = ["outcome", "status", "error_type", "error_source"]
    keys = list(dict.fromkeys([*key_names(by, None, org), *kinds]))
    found = grouped(
        log.filter(rows.failed()), [pl.len().alias("requests")], by=keys, org=org
    )
    return found.sort("requests", *keys, descending=[True, *[False] * len(keys)])
