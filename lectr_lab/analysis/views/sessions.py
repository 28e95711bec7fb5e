"""Runs of an agent, or conversations: one row each, and what one costs."""

from collections.abc import Callable
from random import SystemRandom
from typing import Any

import polars as pl

from lectr_lab.analysis.given_log import Log, as_log
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.groups import By, key_columns, key_names
from lectr_lab.analysis.views.inferred_sessions import MOST_PAUSE_MIN, with_inferred
from lectr_lab.analysis.views.mean_interval import mean_interval
from lectr_lab.analysis.views.money import in_whole_pusd, usd_sum
from lectr_lab.analysis.views.percentiles import group_number
from lectr_lab.analysis.views.spend import beside_spend, spend_measures
from lectr_lab.core import formatting

_KEYS = ["org", "session"]
_MOST_AT_ONCE = 4_000_000  # rows: 400 MB
_TOKENS = ["input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens"]
_COSTS = ["spend_usd", "unpriced", "uncounted", "estimated", "plan_usd", "stated_usd"]
COLUMNS = [
    *_KEYS,
    *("feature", "client", "spend_usd", "started_at", "length_ms"),
    *("turns", "requests", "agents", "models", "errors", "retries", "compactions"),
    *_TOKENS,
    *("cache_share", "context_tokens", "dearest_usd", "dearest_started_at"),
    *("longest_pause_ms", "user", *_COSTS[1:]),
]
"""What `sessions` gives, in this order."""


def sessions(
    log: Log,
    by: By = None,
    *,
    org: str | None = None,
    infer_sessions: bool = False,
    most_pause_min: float = MOST_PAUSE_MIN,
) -> pl.LazyFrame:
    """What was done in each session and what it cost, dearest first; or, with `by`, what
    one session costs.

    Args:
        log: events with `cost_usd`, as `scan` gives them. Requests that name no session
            are in no row; `spend(log, by="session")` counts them.
        by: None for a row per session. One column or several: a row per group, such as
            per client, with the mean cost of a session there.
        org: one org alone; without it, `org` is the first column.
        infer_sessions: take untagged requests of one org, feature, client and user, each
            of which holds the one before, for a session. It is called `inferred-…`. The
            log is then read in this call.
        most_pause_min: with `infer_sessions`, the longest pause in one, in minutes.

    Returns:
        Without `by`: `org`, `session`, the `feature` and `client` of its first request,
        `spend_usd` (what is billed; null where none of it is known),
        `started_at`, `length_ms` (first start to last end), `turns` (calls of the main
        agent that did not fail), `requests`, `agents`, `models`, `errors`, `retries`,
        `compactions`, sums of tokens, `cache_share` (of the input, 0 to 1),
        `context_tokens` (the input of the main agent's last answered turn),
        `dearest_usd` and `dearest_started_at` (its dearest request), `longest_pause_ms` (in
        which nothing ran), the `user` of its first request, and, as `spend` says, `unpriced`, `uncounted`, `estimated`
        requests, `plan_usd` and `stated_usd`.

        With `by`: the keys, `sessions`, `spend_usd` (of all), `mean_usd` of one, with
        its 95 % interval `mean_low_usd` to `mean_high_usd` (null under 5), `median_usd`,
        `p95_usd`, over `priced` sessions; `incomplete` ones, of which some cost is not
        known, and `on_plan` ones, of which some is covered by a plan, are in none of
        these but `sessions` and `spend_usd`; `plan_usd` is the list price of the latter.

    Raises:
        LabError: a column that the log does not have.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> lectr.sessions(log).select("client", "turns", "cache_share").collect().columns
    ['client', 'turns', 'cache_share']
    >>> lectr.sessions(log, by="client").collect().columns[:5]
    ['org', 'client', 'sessions', 'spend_usd', 'mean_usd']
    """
    log = as_log(log)
    if infer_sessions:
        log = with_inferred(log, most_pause_min)
    log = log.filter(rows.is_call(), pl.col("session") != "")
    if org is not None:
        log = log.filter(pl.col("org") == org)
    if by is not None:
        return _costs(log, by, org)
    sums = log.group_by(_KEYS).agg(*_measures())
    # Two sessions of one number stop the query, and are never taken for one.
    number = group_number(
        [pl.col(key) for key in _KEYS], SystemRandom().getrandbits(62)
    )
    numbered, found = log.with_columns(number), sums.with_columns(number)
    for beside in (_names(numbered), _in_parts(_pauses, numbered)):
        found = found.join(beside, on="_group", how="left", validate="1:1")
    shown = COLUMNS if org is None else COLUMNS[1:]
    order = ["spend_usd", "plan_usd", "requests", *_KEYS]
    falling = [True, True, True, False, False]
    return found.sort(order, descending=falling, nulls_last=True).select(shown)


def _measures() -> list[pl.Expr]:
    start = pl.col("started_at")
    end = start + pl.duration(microseconds=_us(pl.col("total_ms")))
    answered = rows.main_turn() & (pl.col("outcome") == "ok")
    counted = answered & pl.col("input_tokens").is_not_null()
    counts = {name: pl.col(name).cast(pl.Int64) for name in _TOKENS}
    read = counts["cache_read_tokens"].filter(counts["input_tokens"].is_not_null())
    input_tokens = counts["input_tokens"].sum()
    turns = rows.main_turn() & ~rows.failed()
    compacts = rows.is_request() & (pl.col("turn_kind") == "compaction")
    return [
        rows.feature().min_by(start).alias("feature"),
        pl.col("client").min_by(start),
        pl.col("user").min_by(start),
        start.min().alias("started_at"),
        ((end.max() - start.min()).dt.total_microseconds() / 1000).alias("length_ms"),
        turns.sum().alias("turns"),
        rows.failed().sum().alias("errors"),
        rows.retried().sum().alias("retries"),
        compacts.fill_null(False).sum().alias("compactions"),
        *(
            pl.when(tokens.is_not_null().any()).then(tokens.sum()).alias(name)
            for name, tokens in counts.items()
        ),
        pl.when(read.is_not_null().any() & (input_tokens > 0))
        .then(read.sum() / input_tokens)
        .alias("cache_share"),
        # A filter in its place would hold all rows in memory.
        counts["input_tokens"]
        .max_by(pl.when(counted).then(start))
        .alias("context_tokens"),
        rows.list_usd().max().alias("dearest_usd"),
        start.max_by(rows.list_usd()).alias("dearest_started_at"),
        *(some for some in spend_measures() if some.meta.output_name() != "priced"),
        *beside_spend(),
    ]


def _who() -> pl.Expr:
    """Each agent, and the main one that has no name; null of side calls."""
    acts = ~pl.col("turn_kind").is_in(["side_call", "compaction"]).fill_null(False)
    agent = pl.coalesce("agent", pl.lit("unnamed"))
    name = pl.when(rows.main_turn()).then(pl.lit("")).otherwise(agent)
    return pl.when(acts & rows.is_request()).then(name)


def _us(ms: pl.Expr) -> pl.Expr:
    return (ms.fill_null(0.0) * 1000).cast(pl.Int64)


def _names(log: pl.LazyFrame) -> pl.LazyFrame:
    """The models and agents of each session: apart, for among the sums every row's would
    be held."""
    names = rows.model().alias("models"), _who().alias("agents")
    each = log.select("_group", *names).unique()
    return each.group_by("_group").agg(
        pl.col("models").drop_nulls().unique().sort(),
        pl.col("agents").drop_nulls().n_unique(),
    )


def _in_parts(
    view: Callable[[pl.LazyFrame], pl.LazyFrame], log: pl.LazyFrame
) -> pl.LazyFrame:
    """A view that holds what it reads, of as many rows as memory is for: of more, now
    and one part of the sessions after another."""
    n = log.select(pl.len()).collect(engine="streaming").item()
    parts = -(-n // _MOST_AT_ONCE)
    if parts <= 1:
        return view(log)
    group = pl.col("_group") % parts
    of_parts = (view(log.filter(group == part)) for part in range(parts))
    return pl.concat([one.collect(engine="streaming") for one in of_parts]).lazy()


def _pauses(log: pl.LazyFrame) -> pl.LazyFrame:
    """The longest time of each session in which none of its requests ran; null of one.

    Apart from the sums, for it holds three numbers a row and these hold none.
    """
    start = pl.col("started_at").dt.timestamp("us")
    end = start + _us(pl.col("total_ms"))
    busy_until = pl.col("_end").sort_by("_start").cum_max().shift(1)
    pause = (pl.col("_start").sort() - busy_until).max().clip(lower_bound=0)
    times = log.filter(rows.is_request()).select(
        "_group", start.alias("_start"), end.alias("_end")
    )
    return times.group_by("_group").agg((pause / 1000).alias("longest_pause_ms"))


def _costs(log: pl.LazyFrame, by: By, org: str | None) -> pl.LazyFrame:
    keys, names = key_columns(log, by, org=org), key_names(by, org=org)
    own = [pl.col("org").alias("_org"), pl.col("session").alias("_session")]
    each = log.group_by(*keys, *own).agg(
        *spend_measures(),
        *beside_spend(),
    )
    measures = cost_measures()
    measured = each.group_by(names).agg(measures) if names else each.select(measures)
    falling = [True, True, *[False] * len(names)]
    order = ["spend_usd", "plan_usd", *names]
    return measured.sort(order, descending=falling, nulls_last=True)


def cost_measures() -> list[pl.Expr]:
    """What one session costs, of finished rows of sessions; see `sessions`."""
    lacks = (pl.col("unpriced") + pl.col("uncounted") > 0) | pl.col(
        "spend_usd"
    ).is_null()
    on_plan = pl.col("plan_usd").is_not_null()
    cost = pl.col("spend_usd").filter(~lacks & ~on_plan)
    low, high = mean_interval(cost)
    return [
        pl.len().alias("sessions"),
        pl.when(pl.col("spend_usd").is_not_null().any())
        .then(usd_sum("spend_usd"))
        .alias("spend_usd"),
        in_whole_pusd(cost.mean()).alias("mean_usd"),
        in_whole_pusd(low).alias("mean_low_usd"),
        in_whole_pusd(high).alias("mean_high_usd"),
        cost.median().alias("median_usd"),
        cost.quantile(0.95, "linear").alias("p95_usd"),
        cost.len().alias("priced"),
        (lacks & ~on_plan).sum().alias("incomplete"),
        on_plan.sum().alias("on_plan"),
        pl.when(pl.col("plan_usd").is_not_null().any())
        .then(usd_sum("plan_usd"))
        .alias("plan_usd"),
    ]


_MAY_BE_NONE = [
    *("user", "agents", "errors", "retries", "compactions", "unpriced", "uncounted"),
    *("estimated", "cache_write_tokens", "stated_usd", "plan_usd", "longest_pause_ms"),
]


def in_short(found: pl.DataFrame) -> pl.DataFrame:
    """Sessions without the columns that say nothing of any of them."""
    if found.is_empty():
        return found
    nothing = [
        name
        for name in _MAY_BE_NONE
        if found[name].null_count() == found.height
        or (found.schema[name].is_numeric() and not (found[name] > 0).any())
    ]
    alone = ["org"] if "org" in found.columns and found["org"].n_unique() == 1 else []
    return found.drop(*nothing, *alone)


def costs_text(costs: dict[str, Any]) -> str:
    """What one session costs, in words; takes a row of `sessions(log, by=…)`.

    >>> costs = {"sessions": 40, "spend_usd": 50.0, "priced": 38, "mean_usd": 1.31}
    >>> costs |= {"mean_low_usd": 0.9, "mean_high_usd": 2.0, "median_usd": 0.8}
    >>> print(costs_text(costs | {"p95_usd": 4.0, "incomplete": 2, "on_plan": 0}))
    A session costs $1.31 on average (95 %: $0.90 to $2.00), half of them under $0.80, one in 20 over $4.00; n 38. 2 more with requests of unknown cost.
    """
    usd, n = formatting.usd, costs["priced"]
    if not costs["sessions"]:
        return (
            "No request names a session. Coding agents do by themselves; else add the "
            "header X-Lectr-Session, or ask for a guess: infer_sessions."
        )
    said = []
    if n:
        low, high = costs["mean_low_usd"], costs["mean_high_usd"]
        reach = "" if low is None else f" (95 %: {usd(low)} to {usd(high)})"
        tail = f", one in 20 over {usd(costs['p95_usd'])}" if n >= _ENOUGH else ""
        said.append(
            f"A session costs {usd(costs['mean_usd'])} on average{reach}, half of them "
            f"under {usd(costs['median_usd'])}{tail}; n {formatting.count(n)}."
        )
    for name, what in (
        ("incomplete", "with requests of unknown cost"),
        ("on_plan", "covered by a plan"),
    ):
        if costs[name]:
            more = " more" if n else ""
            said.append(f"{formatting.count(costs[name])}{more} {what}.")
    return " ".join(said)


_ENOUGH = 20  # of fewer, none is one in 20
