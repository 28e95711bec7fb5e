"""What the requests of a session say that adds up to its row in `sessions`."""

import polars as pl

from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.added_up import (
    Facts,
    together,
    totals,
    totals_or_none,
)
from lectr_lab.analysis.views.money import pusd, usd_of
from lectr_lab.analysis.views.spend import spend_measures

TOKENS = ["input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens"]
_MOST_US = 1 << 62  # more than any time is after 1970


def session_facts() -> Facts:
    """What adds up to the columns of `sessions`, beside models, agents and pauses.

    >>> {"turns", "spend_usd"} & {one.meta.output_name() for one in session_facts().once}
    {'turns'}
    """
    start = pl.col("started_at")
    end = start + pl.duration(microseconds=_us(pl.col("total_ms")))
    counted = (
        rows.main_turn()
        & (pl.col("outcome") == "ok")
        & pl.col("input_tokens").is_not_null()
    )
    counts = {name: pl.col(name).cast(pl.Int64) for name in TOKENS}
    read = counts["cache_read_tokens"].filter(counts["input_tokens"].is_not_null())
    turns = rows.main_turn() & ~rows.failed()
    compacts = rows.is_request() & (pl.col("turn_kind") == "compaction")
    first = {"feature": rows.feature(), "client": pl.col("client")}
    first["user"] = pl.col("user")
    at = pl.when(counted).then(start)
    # The first of those that cost as much.
    dearest = pusd(rows.list_usd()) * _MOST_US - start.dt.timestamp("us")
    extremes = Facts(
        [
            *(value.min_by(start).alias(name) for name, value in first.items()),
            start.min(),
            end.max().alias("_end"),
            # A filter in its place would hold all rows in memory.
            counts["input_tokens"].max_by(at).alias("context_tokens"),
            at.max().alias("_context_at"),
            rows.list_usd().max().alias("dearest_usd"),
            start.max_by(dearest).alias("dearest_started_at"),
            dearest.max().alias("_dearest"),
        ],
        [
            *(pl.col(name).min_by("started_at") for name in first),
            pl.col("started_at").min(),
            pl.col("_end").max(),
            pl.col("context_tokens").max_by("_context_at"),
            pl.col("_context_at").max(),
            pl.col("dearest_usd").max(),
            pl.col("dearest_started_at").max_by("_dearest"),
            pl.col("_dearest").max(),
        ],
    )
    numbers = totals(
        [
            turns.sum().alias("turns"),
            rows.failed().sum().alias("errors"),
            rows.retried().sum().alias("retries"),
            compacts.fill_null(False).sum().alias("compactions"),
        ]
    )
    tokens = totals_or_none(
        [*(n.alias(name) for name, n in counts.items()), read.alias("_read")]
    )
    return together(extremes, numbers, tokens, cost_facts())


def cost_facts() -> Facts:
    """What adds up to the columns of `spend`."""
    counts = [
        one
        for one in spend_measures()
        if one.meta.output_name() not in ("spend_usd", "priced")
    ]
    usd = {"_pusd": "cost_usd", "_plan_pusd": "plan_usd"}
    usd["_stated_pusd"] = "cost_stated_usd"
    return together(
        totals(counts),
        totals_or_none(pusd(amount).alias(name) for name, amount in usd.items()),
    )


def session_usd() -> list[pl.Expr]:
    """The dollars of `spend`, of what `cost_facts` added up to."""
    # Nobody knows what it cost; or there was nothing that costs.
    nothing = (pl.col("unpriced") + pl.col("uncounted") == 0) & pl.col(
        "_pusd"
    ).is_null()
    cost = pl.when(nothing).then(pl.lit(0, pl.Int128)).otherwise("_pusd")
    return [
        usd_of(cost).alias("spend_usd"),
        usd_of(pl.col("_plan_pusd")).alias("plan_usd"),
        usd_of(pl.col("_stated_pusd")).alias("stated_usd"),
    ]


def _who() -> pl.Expr:
    """Each agent, and the main one that has no name; null of side calls."""
    acts = ~pl.col("turn_kind").is_in(["side_call", "compaction"]).fill_null(False)
    agent = pl.coalesce("agent", pl.lit("unnamed"))
    name = pl.when(rows.main_turn()).then(pl.lit("")).otherwise(agent)
    return pl.when(acts & rows.is_request()).then(name)


def _us(ms: pl.Expr) -> pl.Expr:
    return (ms.fill_null(0.0) * 1000).cast(pl.Int64)


def model_and_agent() -> list[pl.Expr]:
    """A row's model and agent: apart, for among the sums every row's would be held."""
    return [rows.model().alias("models"), _who().alias("agents")]


def start_and_end() -> list[pl.Expr]:
    """When it began and ended, in microseconds: `_start` and `_end`."""
    start = pl.col("started_at").dt.timestamp("us")
    end = start + _us(pl.col("total_ms"))
    return [start.alias("_start"), end.alias("_end")]
