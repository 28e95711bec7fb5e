"""Cost, latency and errors side by side."""

from collections.abc import Callable
from typing import Any

import polars as pl

from lectr_lab.analysis.cells.asked import Asked
from lectr_lab.analysis.given_log import Log, opened
from lectr_lab.analysis.log import AnyLog, ranked
from lectr_lab.analysis.log import Log as LabLog
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.asides import aside_measures, aside_sentences
from lectr_lab.analysis.views.data_gaps import untagged_advice, untagged_measures
from lectr_lab.analysis.views.groups import (
    By,
    counted_bins,
    grouped,
    key_columns,
    key_names,
)
from lectr_lab.analysis.views.health import error_measures
from lectr_lab.analysis.views.percentiles import Percentiles, with_percentiles
from lectr_lab.analysis.views.rows import Each
from lectr_lab.analysis.views.spend import (
    beside_spend,
    share_of_spend,
    spend_measures,
)
from lectr_lab.core import formatting
from lectr_lab.log.frames import Unread

_ALL_READ = Unread()
_OF_ALL = Asked(frozenset({"org", "feature"}), ends=True)
_UNREAD = (
    ("unread_batches", "batch unread", "batches unread"),
    ("unread_files", "file unread", "files unread"),
    ("unsealed_files", "file not sealed", "files not sealed"),
)

_SHOWN = [
    "requests",
    "spend_usd",
    "share_of_spend",
    "total_p50_ms",
    "total_p95_ms",
    "ttft_p50_ms",
    "total_n",
    "percentiles",
    "errors",
    "error_rate",
    "unpriced",
    "uncounted",
    "estimated",
    "plan_usd",
    "stated_usd",
]


def summary(
    log: Log,
    by: By = "feature",
    *,
    tz: str = "UTC",
    org: str | None = None,
    percentiles: Percentiles | None = None,
) -> pl.LazyFrame:
    """What each group costs, how slow it is and how often it fails, dearest first;
    by day or hour, in the order of time.

    Args:
        log: events with `cost_usd`, as `scan` gives them.
        by: one column, several, or None for one row per org.
        tz: the time zone of `day` and `hour`, where `by` names them.
        org: one org alone; without it, `org` is the first column.
        percentiles: exact or binned, as `latency` says.

    Returns:
        The keys, then requests, `spend_usd`, `share_of_spend`, `total_p50_ms`,
        `total_p95_ms` and `ttft_p50_ms` (over `total_n` successful requests; exact or
        binned, as `percentiles` says), `errors`,
        `error_rate`, how many rows are `unpriced`, `uncounted` or `estimated`, and
        `plan_usd` and `stated_usd`, as `spend` says.

    Raises:
        LabError: a column that the log does not have.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> lectr.table(lectr.summary(log).select("feature", "spend_usd", "total_p50_ms", "error_rate").head(2))
    feature         spend  total p50  error rate
    report-writer  $25.73      6.8 s       1.4 %
    coding-agent   $14.56      3.1 s       9.1 %
    """
    given = opened(log)
    some = given.lazy() if org is None else given.lazy().filter(pl.col("org") == org)
    keys = key_names(by, org=org)
    how = ranked(given, percentiles, org)
    found = with_percentiles(
        grouped(given, _measures, by=by, tz=tz, org=org),
        some,
        key_columns(some, by, tz=tz, org=org),
        how,
        of=("total", "ttft"),
        bins=counted_bins(given, how, by, tz=tz, org=org),
    ).with_columns(share_of_spend())
    times = [key for key in keys if key in ("day", "hour")]
    order = [*times, "spend_usd", "requests", *keys]
    falling = [name in ("spend_usd", "requests") for name in order]
    return found.select(*keys, *_SHOWN).sort(order, descending=falling, nulls_last=True)


def renamed_summary(
    log: AnyLog, renamed: Callable[[pl.LazyFrame], pl.LazyFrame]
) -> pl.LazyFrame:
    """`summary` by feature, of a log in which some are called otherwise.

    Args:
        log: events with `cost_usd`.
        renamed: gives rows, cells or bins other names in `org` and `feature`.
    """
    how, names = ranked(log), Asked(frozenset({"org", "feature"}))
    cells = log.weighed(names) if isinstance(log, LabLog) else None
    bins = counted_bins(log, how, "feature")
    each = Each(calls=True, cells=cells is not None)
    some = renamed(log.lazy() if cells is None else cells)
    keys = key_columns(some, "feature")
    sums = some.filter(rows.is_call()).group_by(keys).agg(_measures(each))
    of_rows = some if cells is None else renamed(log.lazy())
    found = with_percentiles(
        sums,
        of_rows,
        keys,
        how,
        of=("total", "ttft"),
        bins=None if bins is None else renamed(bins),
    ).with_columns(share_of_spend())
    return found.select(*key_names("feature"), *_SHOWN)


def _measures(each: Each) -> list[pl.Expr]:
    return [*spend_measures(each), *error_measures(each)[1:], *beside_spend(each)]


FIRST_TO_GO = ("unpriced", "share", "p50_ms", "error_rate", "p95_ms")
"""Columns of `in_short` that tell the least, where there is no room for all."""


def in_short(groups: pl.DataFrame) -> pl.DataFrame:
    """What is looked at first of a `summary`; whose it is, where it is not all one's."""
    keys = groups.columns[: groups.columns.index("requests")]
    if len(keys) > 1 and "org" in keys and groups["org"].n_unique() <= 1:
        keys.remove("org")
    # Each percentile then says ≈.
    binned = ["percentiles"] if (groups["percentiles"] == "binned").any() else []
    return groups.select(
        *keys,
        "requests",
        "spend_usd",
        pl.col("share_of_spend").alias("share"),
        pl.col("total_p50_ms").alias("p50_ms"),
        pl.col("total_p95_ms").alias("p95_ms"),
        "error_rate",
        "unpriced",
        *binned,
    )


def totals(
    log: Log,
    dropped: int = 0,
    *,
    unread: Unread = _ALL_READ,
    percentiles: Percentiles | None = None,
) -> pl.LazyFrame:
    """The whole log in one row, every org together: the head of a page.

    Args:
        log: events with `cost_usd`.
        dropped: events that did not reach the log, as `log.losses` counts them.
        unread: what of its files could not be read, counted there too.
        percentiles: exact or binned, as `latency` says.

    Returns:
        `first_at`, `last_at`, `orgs`, `org` (where it is one), `features`, then what
        `spend`, `latency` and `errors` say; `untagged_requests` and
        `untagged_spend_usd` with their shares `untagged_of_requests` and
        `untagged_of_spend` (of the spend that is known), 0 to 1; `other_requests`, which
        are no model calls and in no figure before them, how many of these failed, each
        kind of them, and `batches_fetched`; what a plan covered (`plan_…`) and what
        providers say that calls cost (`stated_…`), in no sum before; and `dropped`, `unread_batches`,
        `unread_files` and `unsealed_files`. One row for an empty log too.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> lectr.table(lectr.totals(log).select("requests", "spend_usd", "errors", "untagged_of_spend"))
     spend  requests  errors  untagged of spend
    $79.68    16,222     414               16 %
    """
    given = opened(log)
    found, how = sums(given, dropped, unread), ranked(given, percentiles)
    bins = counted_bins(given, how)
    return with_percentiles(found, given.lazy(), [], how, bins=bins)


def sums(log: AnyLog, dropped: int = 0, unread: Unread = _ALL_READ) -> pl.LazyFrame:
    """`totals` without percentiles, and so in little memory."""
    cells = log.weighed(_OF_ALL) if isinstance(log, LabLog) else None
    each, when = Each(cells=cells is not None), pl.col("started_at")
    found = log.lazy() if cells is None else cells
    return found.select(
        (pl.col("first_at") if each.cells else when).min().alias("first_at"),
        (pl.col("last_at") if each.cells else when).max().alias("last_at"),
        pl.col("org").n_unique().alias("orgs"),
        pl.when(pl.col("org").n_unique() == 1).then(pl.col("org").first()).alias("org"),
        pl.col("feature").drop_nulls().n_unique().alias("features"),
        *spend_measures(each),
        *error_measures(each)[1:],
        *untagged_measures(each),
        *aside_measures(each),
        pl.lit(dropped, pl.Int64).alias("dropped"),
        pl.lit(unread.batches, pl.Int64).alias("unread_batches"),
        pl.lit(unread.files, pl.Int64).alias("unread_files"),
        pl.lit(unread.unsealed, pl.Int64).alias("unsealed_files"),
    )


def totals_text(total: dict[str, Any]) -> str:
    """What the row of `totals` says: what was spent, and how far it can be relied on.

    >>> from lectr_lab.analysis.pricing.priced import priced
    >>> from lectr_lab.log.schema import frame
    >>> total = totals(priced(frame([]).lazy())).collect().row(0, named=True)
    >>> totals_text(total)
    'No request has been logged yet.'
    """
    unread = [
        f"{formatting.count(total[name])} {one if total[name] == 1 else several}"
        for name, one, several in _UNREAD
        if total[name]
    ]
    asides = aside_sentences(total)
    if not (total["requests"] or total["dropped"] or unread or asides):
        return "No request has been logged yet."
    lacks = [
        f"{formatting.count(total[name])} {name}"
        for name in ("estimated", "unpriced", "uncounted", "dropped")
        if total[name]
    ]
    share = formatting.percent(total["untagged_of_requests"])
    whose = f" of {formatting.name(total['org'])}" if total["org"] else ""
    text = (
        f"{formatting.count(total['requests'])} requests{whose} cost "
        f"{formatting.usd(total['spend_usd'])} ({', '.join(lacks + unread) or 'all counted'}); "
        f"{formatting.percent(total['error_rate'])} failed; {share} name no feature."
    )
    advice = untagged_advice(total["untagged_of_requests"], total["untagged_of_spend"])
    return "\n".join([text, *asides, *([advice] if advice else [])])
