"""What went into calls that failed, into repeats of them, and what the cache spared."""

from pathlib import Path

import polars as pl

from lectr_lab.analysis.given_log import Log, as_log
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.cache import cache
from lectr_lab.analysis.views.groups import By, grouped, key_names
from lectr_lab.analysis.views.money import share, usd_sum
from lectr_lab.core.pricing.price import PriceList


def cost_of_failures(
    log: Log,
    by: By = "outcome",
    *,
    every: str | None = None,
    tz: str = "UTC",
    org: str | None = None,
) -> pl.LazyFrame:
    """What was billed for calls that gave nobody their whole answer, dearest first.

    A call that the provider refused mostly costs nothing; one that was broken off, by
    the client or on the way, costs what had been read and written by then.

    Args:
        log: events with `cost_usd`, as `scan` gives them.
        by: one column, several, or None for one row per org.
        every: a time step, such as "1h" or "1d"; adds `time`.
        tz: the time zone in which days begin.
        org: one org alone; without it, `org` is the first column.

    Returns:
        The keys, then `requests` (those that failed or were left), `spend_usd` (of
        these; null where none of it is known), `share_of_spend` (of all that was
        spent, 0 to 1), and how many are `priced`, `unpriced`, `uncounted` and
        `estimated`, as `spend` says.

    Raises:
        LabError: a column that the log does not have.

    >>> from lectr_lab.analysis.scan import demo_log
    >>> cost_of_failures(demo_log(), org="made-up-data").collect()["outcome"].to_list()
    ['client_disconnect', 'provider_error']
    """
    went = rows.failed(calls=True) | rows.disconnected(calls=True)
    return _of_some(as_log(log), went, by, every, tz, org)


def cost_of_retries(
    log: Log,
    by: By = None,
    *,
    every: str | None = None,
    tz: str = "UTC",
    org: str | None = None,
) -> pl.LazyFrame:
    """What was billed for calls that repeat a failed one, dearest first.

    A retry is told by the SDK (`x-stainless-retry-count`), or known by its body, which
    had just failed. What the failed ones cost is in `cost_of_failures`.

    Args:
        log: events with `cost_usd`, as `scan` gives them.
        by: one column, several, or None for one row per org.
        every: a time step, such as "1h" or "1d"; adds `time`.
        tz: the time zone in which days begin.
        org: one org alone; without it, `org` is the first column.

    Returns:
        As `cost_of_failures`, of the retries.

    Raises:
        LabError: a column that the log does not have.

    >>> from lectr_lab.analysis.scan import demo_log
    >>> cost_of_retries(demo_log()).collect()["requests"].item()
    187
    """
    return _of_some(as_log(log), rows.retried(calls=True), by, every, tz, org)


def cache_savings(
    log: Log,
    by: By = None,
    *,
    org: str | None = None,
    prices: PriceList | Path | str | None = None,
) -> pl.LazyFrame:
    """What reading from the provider's cache saved, most first; `cache` says what it
    missed, and why.

    Args:
        log: events with `cost_usd`, as `scan` gives them.
        by: one column, several, or None for one row per org.
        org: one org alone; without it, `org` is the first column.
        prices: the user's own prices, or the file that has them, as given to `scan`.

    Returns:
        The keys, then `requests`, `saved_usd` (what the same input would have cost more
        without a cache; below 0 where more was paid to write than reading saved),
        `hit_rate` (of the input, 0 to 1), and `unpriced` (those that are in no sum).

    Raises:
        LabError: a column that the log does not have.

    >>> from lectr_lab.analysis.scan import demo_log
    >>> cache_savings(demo_log().head(0)).collect().columns
    ['org', 'requests', 'saved_usd', 'hit_rate', 'unpriced']
    """
    keys = key_names(by, org=org)
    found = cache(log, by, org=org, prices=prices)
    order = ["saved_usd", "requests", *keys]
    falling = [True, True, *[False] * len(keys)]
    return found.select(*keys, "requests", "saved_usd", "hit_rate", "unpriced").sort(
        order, descending=falling, nulls_last=True
    )


def _of_some(
    log: pl.LazyFrame,
    which: pl.Expr,
    by: By,
    every: str | None,
    tz: str,
    org: str | None,
) -> pl.LazyFrame:
    """What some calls cost, beside what all did."""
    priced = rows.is_priced()
    counts = {
        "requests": which,
        "priced": which & priced,
        "unpriced": which & rows.unpriced(),
        "uncounted": which & rows.uncounted(calls=True) & ~priced,
        "estimated": which & rows.estimated() & priced,
    }
    measures = [some.sum().alias(name) for name, some in counts.items()]
    cost = pl.col("cost_usd")
    measures += [
        usd_sum(pl.when(which).then(cost)).alias("spend_usd"),
        usd_sum(cost).alias("all_usd"),
    ]
    keys = key_names(by, every, org)
    found = grouped(log, measures, by=by, every=every, tz=tz, org=org)
    whole = usd_sum("all_usd")
    known = (pl.col("priced") > 0) | (pl.col("unpriced") + pl.col("uncounted") == 0)
    spent = pl.when(known).then("spend_usd")
    told = found.with_columns(whole.alias("all_usd"), spent.alias("spend_usd"))
    part = share(pl.col("spend_usd"), pl.col("all_usd"))
    shares = pl.when(pl.col("all_usd") > 0).then(part).alias("share_of_spend")
    order = ["spend_usd", "requests", *keys]
    if every is not None:
        order = ["time", *order]
    falling = [name in ("spend_usd", "requests") for name in order]
    return (
        told.filter(pl.col("requests") > 0)
        .select(*keys, "requests", "spend_usd", shares, *[*counts][1:])
        .sort(order, descending=falling, nulls_last=True)
    )
