"""Where the money goes: spend and tokens per group."""

import polars as pl

from lectr_lab.analysis.given_log import Log, as_log, opened
from lectr_lab.analysis.log import Log as ScannedLog
from lectr_lab.analysis.pricing.token_ratio import ESTIMATES, tokens_sum
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.groups import By, grouped, key_columns, key_names
from lectr_lab.analysis.views.money import share, usd_sum
from lectr_lab.analysis.views.rows import ROWS, Each


def spend_measures(each: Each = ROWS) -> list[pl.Expr]:
    """Requests and spend, with what the sum rests on and what it lacks."""
    priced, unpriced = each.number(rows.is_priced()), each.number(rows.unpriced())
    uncounted = each.number(rows.uncounted(each.calls) & ~rows.is_priced())
    known = (priced > 0) | (unpriced + uncounted == 0)
    return [
        each.number(rows.is_request(each.calls)).alias("requests"),
        # A polars sum of nulls reads 0.0, and an unknown cost is not $0.
        pl.when(known).then(each.usd("cost_usd")).alias("spend_usd"),
        priced.alias("priced"),
        unpriced.alias("unpriced"),
        uncounted.alias("uncounted"),
        each.number(rows.estimated() & rows.is_priced()).alias("estimated"),
    ]


def beside_spend(each: Each = ROWS) -> list[pl.Expr]:
    """What a plan covered, at list price, and what providers say that it cost; null
    where there is none."""
    sums = {"plan_usd": "plan_usd", "stated_usd": "cost_stated_usd"}
    return [
        pl.when(pl.col(usd).is_not_null().any()).then(each.usd(usd)).alias(name)
        for name, usd in sums.items()
    ]


def _measures(each: Each) -> list[pl.Expr]:
    return [*spend_measures(each), *beside_spend(each)]


def share_of_spend() -> pl.Expr:
    """Each row's part of the spend of all rows, whosever they are, 0 to 1; null where
    nothing was spent."""
    spent = pl.col("spend_usd")
    total = usd_sum(spent)
    return pl.when(total > 0).then(share(spent, total)).alias("share_of_spend")


def spend(
    log: Log,
    by: By = "feature",
    *,
    every: str | None = None,
    tz: str = "UTC",
    org: str | None = None,
) -> pl.LazyFrame:
    """What each group cost, dearest first; with `every`, in the order of time.

    Args:
        log: events with `cost_usd`, as `scan` gives them.
        by: one column, several, or None for one row per org.
        every: a time step, such as "1h" or "1d"; adds `time`.
        tz: the time zone in which days begin.
        org: one org alone; without it, `org` is the first column.

    Returns:
        The keys, then `requests`, `spend_usd` (what is billed; null where none of it is
        known; shadow requests cost too), `share_of_spend` (of all rows, 0 to 1), and
        rows: `priced` (what the sum rests on), `unpriced` (tokens but no price),
        `uncounted` (an answer without token counts), `estimated` (priced by an estimate
        of its tokens). Beside it, in none of these sums: `plan_usd`, the list price of
        what a plan covered, and `stated_usd`, what providers themselves say that calls
        cost; null where there is none.

    Raises:
        LabError: a column that the log does not have.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> lectr.table(lectr.spend(log, by="provider").head(3))
    provider    spend  share of spend  requests  priced  unpriced  uncounted  estimated
    azure      $29.87            37 %       663     652         0          0          0
    anthropic  $18.17            23 %       883     804         0          0         10
    gemini     $15.83            20 %     1,365   1,331         0          0          0
    In every row: org made-up-data.
    """
    keys = key_names(by, every, org)
    found = grouped(opened(log), _measures, by=by, every=every, tz=tz, org=org)
    shared = found.with_columns(share_of_spend()).select(
        *keys, "requests", "spend_usd", "share_of_spend", pl.col(_AFTER)
    )
    order = ["spend_usd", "requests", *keys]
    if every is not None:
        order = ["time", *order]
    falling = [name in ("spend_usd", "requests") for name in order]
    return shared.sort(order, descending=falling, nulls_last=True)


_AFTER = ["priced", "unpriced", "uncounted", "estimated", "plan_usd", "stated_usd"]


def spend_over_time(
    log: Log,
    every: str = "1d",
    *,
    by: str = "feature",
    tz: str = "UTC",
    leading: int = 5,
) -> pl.LazyFrame:
    """Spend per step of the dearest features, and of all others together.

    Args:
        log: events with `cost_usd`.
        every: a time step, such as "1h" or "1d".
        by: another column in place of the feature, such as "client".
        tz: the time zone in which days begin.
        leading: how many of them have rows of their own.

    Returns:
        `time`, `feature` or what `by` names (null: the others), `rank` (1 is the
        dearest; 0 the others), `requests`, `spend_usd`; orgs together, in the order of
        time.

    Raises:
        LabError: a column that the log does not have.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> lectr.table(lectr.spend_over_time(log, every="1w").head(3))
    time                  feature        rank  spend  requests
    2026-10-26 00:00 UTC  untagged          0  $1.33     1,756
    2026-10-26 00:00 UTC  report-writer     1  $7.27       148
    2026-10-26 00:00 UTC  coding-agent      2  $3.97       235
    """
    steps = spend(log, by, every=every, tz=tz)
    totals = usd_sum("spend_usd").over(by)
    ranked = steps.with_columns(total=totals).with_columns(
        rank=pl.struct(-pl.col("total"), by).rank("dense")
    )
    leads = pl.col("rank") <= leading
    return (
        ranked.group_by(
            "time",
            pl.when(leads).then(by).alias(by),
            pl.when(leads).then(pl.col("rank")).otherwise(0).alias("rank"),
        )
        .agg(pl.col("requests").sum(), usd_sum("spend_usd"))
        .sort("time", "rank")
    )


def tokens(
    log: Log,
    by: By = "feature",
    *,
    every: str | None = None,
    tz: str = "UTC",
    org: str | None = None,
) -> pl.LazyFrame:
    """Tokens per group, cached and reasoning apart; most first.

    Args:
        log: events; prices are not needed.
        by: one column, several, or None for one row per org.
        every: a time step, such as "1h" or "1d"; adds `time`.
        tz: the time zone in which days begin.
        org: one org alone; without it, `org` is the first column.

    Returns:
        The keys, then `requests`, `counted` (rows with token counts), and sums
        (null where nobody said):
        `input_tokens` (all of it), of which `cache_read_tokens` and
        `cache_write_tokens`; `output_tokens` (all of it), of which `reasoning_tokens`.

    Raises:
        LabError: a column that the log does not have.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> lectr.table(lectr.tokens(log).select("feature", "requests", "input_tokens", "output_tokens").head(2))
    feature       requests  input tokens  output tokens
    document-qa      1,171    18,568,660      1,076,512
    coding-agent       714    16,131,969         99,429
    """
    sums = [
        "input_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "output_tokens",
        "reasoning_tokens",
    ]

    def measures(each: Each) -> list[pl.Expr]:
        return [
            each.number(rows.is_request(each.calls)).alias("requests"),
            each.number(pl.col("input_tokens").is_not_null()).alias("counted"),
            *(_known_sum(name, guessed) for name in sums),
        ]

    keys = key_names(by, every, org)
    total = pl.sum_horizontal("input_tokens", "output_tokens")
    order = ([pl.col("time")] if every else []) + [-total, *map(pl.col, keys)]
    given = opened(log)
    guessed = isinstance(given, ScannedLog) or {*ESTIMATES} <= {*given.collect_schema()}
    found = grouped(given, measures, by=by, every=every, tz=tz, org=org)
    return found.sort(order, nulls_last=True)


def _known_sum(name: str, guessed: bool) -> pl.Expr:
    known = pl.col(name).cast(pl.Int64)
    total = tokens_sum(name) if guessed else known.sum()
    return pl.when(known.is_not_null().any()).then(total).alias(name)


_OF_A_REQUEST = [
    "cost_usd",
    "input_tokens",
    "cache_read_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_ms",
    "token_source",
    "provider_request_id",
]


def dearest(log: Log, n: int = 20, *, by: By = None) -> pl.LazyFrame:
    """The requests that cost most, one a row; those without a known cost are not here.

    Args:
        log: events with `cost_usd`.
        n: how many.
        by: one column, or several: so many of each group, such as of each session.

    Returns:
        At most `n` rows, or `n` of each group, dearest first: `started_at`, `org`,
        `feature`, `provider`, `model`, then `by` where it names others, `cost_usd`,
        `input_tokens`, `cache_read_tokens`, `output_tokens`, `reasoning_tokens`,
        `total_ms`, `token_source`, `provider_request_id`.

    Raises:
        LabError: a column that the log does not have.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> lectr.table(lectr.dearest(log, 2).select("started_at", "cost_usd", "feature", "model"))
    started                   cost  feature        model
    2026-11-17 05:02:57 UTC  $0.51  report-writer  gpt-5.4-2026-03-05
    2026-10-26 11:23:19 UTC  $0.50  report-writer  gpt-5.4-2026-03-05
    """
    log = as_log(log)
    keys = (
        {}
        if by is None
        else dict(zip(key_names(by), key_columns(log, by), strict=True))
    )
    first = {"org": pl.col("org"), "feature": pl.col("feature")}
    first |= {"provider": pl.col("provider"), "model": rows.model()} | keys
    after = [name for name in _OF_A_REQUEST if name not in first]
    found = log.filter(rows.is_priced()).select(
        "started_at", *(key.alias(name) for name, key in first.items()), *after
    )
    falling = [True, False]
    if by is None:
        return found.sort("cost_usd", "started_at", descending=falling).head(n)
    place = pl.struct(-pl.col("cost_usd"), "started_at").rank("ordinal")
    few = found.filter(place.over(list(keys)) <= n)
    return few.sort("cost_usd", "started_at", descending=falling)
