"""A log, counted for a dashboard: finished frames that fit a page, whatever its size."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.views import cube, rows
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.cube import KEYS, Leaders
from lectr_lab.analysis.views.money import summed, usd_sum
from lectr_lab.analysis.views.percentiles import MOST_EXACT_ROWS
from lectr_lab.analysis.views.time_steps import time_step
from lectr_lab.dashboards.steps import counted_step, next_longer, step

MOST_BYTES = 500_000
"""About as much text as the cells of a page take, at most; the shortest steps that keep
it below are what a reader can look at."""

_CELL_BYTES, _BIN_BYTES = 32, 2
BATCH_ROWS = 250_000
_NO_TIMES = pl.DataFrame(schema={"f": pl.Int32, "total_ms": pl.Float64})
_MOST_WAITING = 500_000  # cells that are not yet added up


class Counted(NamedTuple):
    """A log, counted by steps of `every`."""

    ranked: pl.DataFrame  # requests and cost_usd per org, feature, provider, model
    leaders: Leaders
    sums: pl.DataFrame
    bins: pl.DataFrame
    first_at: datetime | None
    last_at: datetime | None
    every: str
    exact: pl.DataFrame | None = None  # percentiles; None: they are taken from the bins


def leaders(ranked: pl.DataFrame) -> Leaders:
    """The features and models that have cells of their own."""
    features, models = (
        tuple(cube.leading(ranked.lazy(), keys, most).collect().rows())
        for keys, most in (
            (["org", "feature"], cube.MOST_FEATURES),
            (["provider", "model"], cube.MOST_MODELS),
        )
    )
    return Leaders(features, models)


class FirstLook(NamedTuple):
    """Who there is in a log, how many rows, and when they began."""

    ranked: pl.DataFrame
    n: int  # rows
    first_at: datetime | None
    last_at: datetime | None


_ENDS = [
    pl.len(),
    pl.col("started_at").min().alias("first"),
    pl.col("started_at").max().alias("last"),
]
_WHOSE = ("org", "feature", "provider", "model")


def first_look(log: pl.LazyFrame) -> FirstLook:
    """What is known before a log is counted: who leads, and so has cells of its own."""
    ends = collected(log.select(_ENDS)).row(0)
    return FirstLook(collected(cube.ranking(log)), *ends)


def together(looks: Sequence[FirstLook]) -> FirstLook:
    """What was seen of the parts of a log, at least one."""
    ranked, n, first_at, last_at = zip(*looks, strict=True)
    return FirstLook(
        added(ranked, _WHOSE),
        sum(n),
        min(filter(None, first_at), default=None),
        max(filter(None, last_at), default=None),
    )


class Parts:
    """A cube that is added up as rows come, a batch at a time; each is forgotten.

    Args:
        leaders: what has cells of its own.
        every: the length of a step.
        tz: the time zone in which days begin.
        exact: keep each duration, for exact percentiles: 12 bytes a row.
    """

    def __init__(self, leaders: Leaders, every: str, tz: str, *, exact: bool) -> None:
        self._leaders, self._every, self._tz = leaders, every, tz
        self._exact = exact
        self._looks: list[FirstLook] = []
        self._sums: list[pl.DataFrame] = []
        self._bins: list[pl.DataFrame] = []
        self._timed: list[pl.DataFrame] = []
        self._most = _MOST_WAITING

    def add(self, batch: pl.DataFrame) -> None:
        """Count rows of `cube.needed`."""
        log = batch.lazy()
        placed = cube.placed(log, self._leaders, self._every, self._tz)
        cells = placed.collect().lazy()
        ranked, sums, bins, *timed = pl.collect_all(
            [
                cube.ranking(log),
                *cube.cube(cells),
                *([_timed(cells)] if self._exact else []),
            ]
        )
        self._looks.append(FirstLook(ranked, *batch.select(_ENDS).row(0)))
        self._timed += timed
        self._sums.append(sums)
        self._bins.append(bins)
        if sum(part.height for part in self._bins) > self._most:
            sums, bins = self.added()
            self._most = 2 * bins.height + _MOST_WAITING

    def added(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The sums and bins of all rows so far; some were added, if only none."""
        self._sums = [added(self._sums, KEYS)]
        self._bins = [added(self._bins, (*KEYS, "bin"))]
        return self._sums[0], self._bins[0]

    def look(self) -> FirstLook:
        """What was seen of these rows."""
        return together(self._looks)

    def timed(self) -> pl.DataFrame:
        """The durations that were kept: `f`, `total_ms`."""
        return pl.concat(self._timed) if self._timed else _NO_TIMES


def added(parts: Sequence[pl.DataFrame], keys: Sequence[str]) -> pl.DataFrame:
    """Parts of a cube, or of a ranking, in one."""
    both = pl.concat(parts)
    values = [name for name in both.columns if name not in keys]
    return both.group_by(keys).agg(summed(values))


def _timed(cells: pl.LazyFrame) -> pl.LazyFrame:
    return cube.timed(cells).with_columns(pl.col("f").cast(pl.Int32))


def counted_parts(log: pl.LazyFrame, parts: Parts) -> Parts:
    """Read a log once, in batches, and add them up."""
    parts.add(log.head(0).collect())
    log.sink_batches(parts.add, chunk_size=BATCH_ROWS, maintain_order=False)
    return parts


def count_log(log: pl.LazyFrame, tz: str) -> Counted:
    """Count a whole log, in memory that does not follow its rows; percentiles of the
    leading features are exact, up to as many rows as every view counts exactly.

    Args:
        log: what `cube.needed` gives of events with `cost_usd`; read several times.
        tz: the time zone in which days begin.
    """
    look = first_look(log)
    every = counted_step(look.first_at, look.last_at)
    runs = collected(_dearest_sessions(log))
    lead = leaders(look.ranked)._replace(sessions=tuple(runs.rows()))
    exact = look.n <= MOST_EXACT_ROWS
    parts = counted_parts(log, Parts(lead, every, tz, exact=exact))
    found = cube.exact_latency(parts.timed().lazy()).collect() if exact else None
    ends = look.first_at, look.last_at
    counted = Counted(look.ranked, lead, *parts.added(), *ends, every, found)
    return fitted(counted, tz)


def _dearest_sessions(log: pl.LazyFrame) -> pl.LazyFrame:
    named = log.filter(rows.is_call(), pl.col("session").is_not_null())
    return (
        named.group_by("org", "session")
        .agg(usd_sum("cost_usd").alias("cost_usd"), pl.len().alias("n"))
        .sort(
            *("cost_usd", "n", "org", "session"), descending=[True, True, False, False]
        )
        .select("org", "session")
        .head(cube.MOST_SESSIONS)
    )


def fitted(counted: Counted, tz: str) -> Counted:
    """The same by steps long enough that the cells fit a page."""
    drawn = step(counted.first_at, counted.last_at)
    while counted.every != drawn and _bytes(counted) > MOST_BYTES:
        counted = _by(next_longer(counted.every, drawn), counted, tz)
    return counted


def _bytes(counted: Counted) -> int:
    return _CELL_BYTES * counted.sums.height + _BIN_BYTES * counted.bins.height


def _by(every: str, counted: Counted, tz: str) -> Counted:
    """By longer steps: cells of the same step are added up."""
    at = pl.col("time").cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")
    longer = time_step(at, every, tz).dt.epoch("ms").alias("time")
    sums, bins = counted.sums.with_columns(longer), counted.bins.with_columns(longer)
    sums = sums.group_by(KEYS).agg(summed([c for c in sums.columns if c not in KEYS]))
    bins = bins.group_by(*KEYS, "bin").agg(pl.col("n").sum())
    return counted._replace(sums=sums, bins=bins, every=every)
