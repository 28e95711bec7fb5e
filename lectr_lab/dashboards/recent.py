"""What a page says of requests one by one: of all, or, where they are too many to read, of
the newest, which it then tells.

Sessions, clients, single requests and what the cache missed are told of no cell.
"""

from datetime import time
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.log import AnyLog
from lectr_lab.analysis.newest import newest
from lectr_lab.analysis.pricing.priced import FACTS
from lectr_lab.analysis.pricing.token_ratio import CHARS, ESTIMATES
from lectr_lab.analysis.views.collected import collected
from lectr_lab.core.formatting import count

_NEEDED = frozenset(
    {
        *("event_id", "started_at", "org", "feature", "kind", "path", "operation"),
        *("outcome", "status", "error_type", "error_source"),
        *("retry_count", "retry_of_failed", "total_ms", "token_source"),
        *("client", "session", "agent", "parent_agent", "turn_kind", "user"),
        *("credential", "prompt_chars", "prefix_chars", "prefix_kept_chars"),
        *("prefix_break", "idle_s", "cost_usd", "plan_usd", "price_source"),
        *(*FACTS, *ESTIMATES, *CHARS.values()),
    }
)
"""What a page asks of each of them."""

MOST_AT_HAND = 250_000
"""Rows that a page holds in memory and looks at several times. Of what half of so many
do, the share is known to 0.2 points (95 %)."""

_TEXTS, _NUMBERED = pl.col(pl.String), pl.Categorical()


class Recent(NamedTuple):
    """Rows that are looked at one by one."""

    rows: pl.LazyFrame
    said: str = ""  # which of the log they are; empty: all


def recent(log: AnyLog, *, many: bool) -> Recent:
    """The rows of a log; of one that has too many, its newest days or hours.

    Args:
        log: events with `cost_usd`.
        many: it has more than are counted exactly.

    >>> from lectr_lab.analysis.scan import demo_log
    >>> recent(demo_log(), many=True).said
    ''
    """
    if not many:
        return Recent(log.lazy())
    found = newest(log, MOST_AT_HAND)
    if found.first is None or found.is_all:
        return Recent(found.rows)
    several = "hours"
    if found.first.time() == time():
        day = pl.col("started_at").dt.date()
        days = int(collected(found.rows.select(day.n_unique())).item())
        several = "day" if days == 1 else f"{count(days)} days"
    return Recent(found.rows, f"newest {several}, {count(found.n)} requests")


def at_hand(some: Recent, by: str) -> Recent:
    """The same, of which those of a longer log have been read: for who looks at them
    several times. Their names are categories.

    Args:
        some: what `recent` gave.
        by: a column that is asked for beside those that are anyway.
    """
    if not some.said:
        return some
    schema = some.rows.collect_schema()
    asked = [name for name in schema if name in _NEEDED or name == by]
    # Few texts are many rows': a number for each of them takes a quarter of the memory,
    # and is compared and grouped by in a fraction of the time.
    held = collected(some.rows.select(asked).with_columns(_TEXTS.cast(_NUMBERED)))
    # And of a third of the columns nobody says anything.
    unsaid = [name for name in asked if held[name].null_count() == held.height]
    told = held.drop(unsaid).lazy()
    none = (pl.lit(None, kind).alias(n) for n, kind in schema.items() if n in unsaid)
    return some._replace(rows=told.with_columns(none))
