"""The longest time of a group of requests in which none of them ran.

That is told by when each of them began and ended, in order: a sum of some rows and of
others does not say it. So these are held, of as many rows as there are.
"""

import polars as pl

_MOST_AT_ONCE = 1_000_000  # rows


def longest_pauses(times: pl.LazyFrame) -> pl.LazyFrame:
    """`_pause_us` of each `_group`; null of one row.

    Args:
        times: `_group`, `_start` and `_end` of each row, in microseconds.

    >>> times = pl.LazyFrame({"_group": [1, 1], "_start": [70, 0], "_end": [90, 20]})
    >>> longest_pauses(times).collect().row(0)
    (1, 50)
    """
    busy_until = pl.col("_end").sort_by("_start").cum_max().shift(1)
    pause = (pl.col("_start").sort() - busy_until).max().clip(lower_bound=0)
    return times.group_by("_group").agg(pause.alias("_pause_us"))


class Times:
    """When rows of groups began and ended, held as they come, in 12 bytes a row: the
    group once for all of its rows in a batch, and how long each took in as few bytes as
    that needs.

    >>> times = Times()
    >>> for second in (70, 0):
    ...     row = {"_group": [1], "_start": [second], "_end": [second + 20]}
    ...     times.add(pl.DataFrame(row))
    >>> times.pauses_taken().rows()
    [(1, 50)]
    """

    def __init__(self) -> None:
        self._held: list[pl.DataFrame] = []
        self._n_rows = 0

    def add(self, times: pl.DataFrame) -> None:
        """Hold some more rows: `_group`, `_start` and `_end`."""
        took = (times["_end"] - times["_start"]).shrink_dtype().alias("_took")
        both = times.select("_group", "_start", took)
        self._held.append(both.group_by("_group").agg("_start", "_took"))
        self._n_rows += times.height

    def pauses_taken(self) -> pl.DataFrame:
        """As of `longest_pauses`, of one part of the groups after another; some were
        added, if only none. The rows are not held any more."""
        parts = max(-(-self._n_rows // _MOST_AT_ONCE), 1)
        found = pl.concat(self._of_part(part, parts) for part in range(parts))
        self._held, self._n_rows = [], 0
        return found

    def _of_part(self, part: int, parts: int) -> pl.DataFrame:
        some = [held.filter(pl.col("_group") % parts == part) for held in self._held]
        rows = pl.concat(some, how="vertical_relaxed").explode("_start", "_took")
        end = (pl.col("_start") + pl.col("_took")).alias("_end")
        times = rows.lazy().select("_group", "_start", end)
        return longest_pauses(times).collect(engine="streaming")
