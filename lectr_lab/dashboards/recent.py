"""What a page says of requests one by one: of all, or, where they are too many to read, of
the newest days, which it then tells.

Sessions, clients, single requests and what the cache missed are told of no cell.
"""

from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.cells.newest import newest_rows
from lectr_lab.analysis.log import AnyLog, Log
from lectr_lab.analysis.views.collected import collected
from lectr_lab.core.formatting import count

MOST_RECENT = 1_000_000
"""So many rows at most, in whole days (UTC); of the newest day all."""


class Recent(NamedTuple):
    """Rows that are looked at one by one."""

    rows: pl.LazyFrame
    said: str = ""  # which of the log they are; empty: all


def recent(log: AnyLog, *, many: bool) -> Recent:
    """The rows of a log; of one that has too many, those of the newest whole days.

    Args:
        log: events with `cost_usd`.
        many: it has more than are counted exactly.

    >>> from lectr_lab.analysis.scan import demo_log
    >>> recent(demo_log(), many=True).said
    ''
    """
    if not many:
        return Recent(log.lazy())
    if isinstance(log, Log):
        found = log.latest(MOST_RECENT)
    else:
        found = newest_rows(log, MOST_RECENT)
    if found.since is None:
        return Recent(found.rows)
    days, n = collected(
        found.rows.select(pl.col("started_at").dt.date().n_unique(), pl.len())
    ).row(0)
    several = "day" if days == 1 else f"{count(days)} days"
    return Recent(found.rows, f"newest {several}, {count(n)} requests")
