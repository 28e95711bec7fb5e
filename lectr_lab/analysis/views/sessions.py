"""Runs of an agent, or conversations: one row each, and what one costs."""

from random import SystemRandom
from typing import Any

import polars as pl

from lectr_lab.analysis.cells.planned import n_rows
from lectr_lab.analysis.given_log import Log, opened
from lectr_lab.analysis.log import AnyLog
from lectr_lab.analysis.log import Log as ScannedLog
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.added_up import Groups, in_batches
from lectr_lab.analysis.views.groups import By, key_columns, key_names
from lectr_lab.analysis.views.inferred_sessions import MOST_PAUSE_MIN, with_inferred
from lectr_lab.analysis.views.mean_interval import mean_interval
from lectr_lab.analysis.views.money import in_whole_pusd, share, usd_sum
from lectr_lab.analysis.views.pauses import Times, longest_pauses
from lectr_lab.analysis.views.percentiles import group_number
from lectr_lab.analysis.views.session_facts import (
    TOKENS,
    cost_facts,
    model_and_agent,
    session_facts,
    session_usd,
    start_and_end,
)
from lectr_lab.core import formatting

_KEYS = ["org", "session"]
_MOST_AT_ONCE = 1_000_000  # rows
_US_PER_MS = pl.lit(1000)
_COSTS = ["spend_usd", "unpriced", "uncounted", "estimated", "plan_usd", "stated_usd"]
COLUMNS = [
    *_KEYS,
    *("feature", "client", "spend_usd", "started_at", "length_ms"),
    *("turns", "requests", "agents", "models", "errors", "retries", "compactions"),
    *TOKENS,
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
            are in no row; `spend(log, by="session")` counts them. One of more than a
            million rows is read in this call, a batch after another.
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
    given = opened(log)
    few = is_few(given)
    found = given.lazy()
    if infer_sessions:
        found = with_inferred(found, most_pause_min)
    found = _of_sessions(found)
    if org is not None:
        found = found.filter(pl.col("org") == org)
    if by is not None:
        return _costs(found, by, org, few)
    shown = COLUMNS if org is None else COLUMNS[1:]
    each = _each(found) if few else _each_of_many(found)
    return _dearest_first(each).select(shown)


def session_costs(log: AnyLog) -> pl.LazyFrame:
    """The sessions of `sessions` in its order, of which only what they cost is looked at:
    `org`, `session`, `requests`, and what `cost_measures` takes.

    Args:
        log: events with `cost_usd`.
    """
    keys = [pl.col(key) for key in _KEYS]
    return _dearest_first(_cost_of_each(_of_sessions(log.lazy()), keys, is_few(log)))


def _of_sessions(log: pl.LazyFrame) -> pl.LazyFrame:
    return log.filter(rows.is_call(), pl.col("session") != "")


def _dearest_first(each: pl.LazyFrame) -> pl.LazyFrame:
    order = ["spend_usd", "plan_usd", "requests", *_KEYS]
    falling = [True, True, True, False, False]
    return each.sort(order, descending=falling, nulls_last=True)


def is_few(log: AnyLog) -> bool:
    """A log has so few rows that a query may hold something of each session at once."""
    n = log.n_rows() if isinstance(log, ScannedLog) else n_rows(log)
    return n <= _MOST_AT_ONCE


def _number() -> pl.Expr:
    """Two sessions of one number stop the query, and are never taken for one."""
    keys = [pl.col(key) for key in _KEYS]
    return group_number(keys, SystemRandom().getrandbits(62))


def _each(log: pl.LazyFrame) -> pl.LazyFrame:
    """The sessions, in one query."""
    number = _number()
    numbered = log.with_columns(number)
    names = numbered.select("_group", *model_and_agent()).unique()
    times = numbered.filter(rows.is_request()).select("_group", *start_and_end())
    sums = log.group_by(_KEYS).agg(session_facts().once)
    return _joined(sums.with_columns(number), names, longest_pauses(times))


def _each_of_many(log: pl.LazyFrame) -> pl.LazyFrame:
    """The same, of rows that were read now, a batch after another."""
    number, keys = _number(), [pl.col(key) for key in _KEYS]
    sums = Groups(keys, session_facts())
    names = Groups([pl.col("_group"), *model_and_agent()])
    times = Times()

    def add(batch: pl.DataFrame) -> None:
        numbered = batch.with_columns(number)
        sums.add(batch)
        names.add(numbered)
        requests = numbered.filter(rows.is_request())
        times.add(requests.select("_group", *start_and_end()))

    needed = sums.needed() | names.needed() - {"_group"}
    in_batches(log, needed | {"total_ms", "kind"}, add)
    pauses = times.pauses_taken().lazy()  # first, for times are most of what is held
    found = sums.added().with_columns(number).lazy()
    return _joined(found, names.added().lazy(), pauses)


def _joined(
    sums: pl.LazyFrame, names: pl.LazyFrame, pauses: pl.LazyFrame
) -> pl.LazyFrame:
    """One row per session, with all of `COLUMNS`."""
    of_names = names.group_by("_group").agg(
        pl.col("models").drop_nulls().unique().sort(),
        pl.col("agents").drop_nulls().n_unique(),
    )
    for beside in (of_names, pauses):
        sums = sums.join(beside, on="_group", how="left", validate="1:1")
    input_tokens, read = pl.col("input_tokens"), pl.col("_read")
    length_us = (pl.col("_end") - pl.col("started_at")).dt.total_microseconds()
    return sums.with_columns(
        share(length_us, _US_PER_MS).alias("length_ms"),
        share(pl.col("_pause_us"), _US_PER_MS).alias("longest_pause_ms"),
        pl.when(read.is_not_null() & (input_tokens > 0))
        .then(read / input_tokens)
        .alias("cache_share"),
        *session_usd(),
    )


def _costs(log: pl.LazyFrame, by: By, org: str | None, few: bool) -> pl.LazyFrame:
    keys, names = key_columns(log, by, org=org), key_names(by, org=org)
    own = [pl.col("org").alias("_org"), pl.col("session").alias("_session")]
    each = _cost_of_each(log, [*keys, *own], few)
    measures = cost_measures()
    measured = each.group_by(names).agg(measures) if names else each.select(measures)
    falling = [True, True, *[False] * len(names)]
    order = ["spend_usd", "plan_usd", *names]
    return measured.sort(order, descending=falling, nulls_last=True)


def _cost_of_each(log: pl.LazyFrame, keys: list[pl.Expr], few: bool) -> pl.LazyFrame:
    facts = cost_facts()
    if few:
        each = log.group_by(keys).agg(facts.once)
    else:
        groups = Groups(keys, facts)
        in_batches(log, groups.needed(), groups.add)
        each = groups.added().lazy()
    return each.with_columns(session_usd())


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
