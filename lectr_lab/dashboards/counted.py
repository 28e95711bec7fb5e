"""A log, counted for a dashboard: finished frames that fit a page, whatever its size."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.cells.asked import OF_FAILURES, Asked
from lectr_lab.analysis.log import AnyLog, Log
from lectr_lab.analysis.views import cube, rows
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.cube import KEYS, Leaders
from lectr_lab.analysis.views.money import summed, usd_sum
from lectr_lab.analysis.views.percentiles import MOST_EXACT_ROWS
from lectr_lab.analysis.views.rows import Each
from lectr_lab.analysis.views.time_steps import time_step
from lectr_lab.dashboards.steps import counted_step, longer, next_longer, step

MOST_BYTES = 500_000
"""About as much text as the cells of a page take, at most; the shortest steps that keep
it below are what a reader can look at."""

_CELL_BYTES, _BIN_BYTES = 32, 2
BATCH_ROWS = 250_000
_CHUNK_ROWS = 20_000  # of what waits for a batch, as in `views/added_up.py`
NO_TIMES = pl.DataFrame(schema={"f": pl.Int32, "total_ms": pl.Float64})
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
    many: bool = False  # of more rows than are counted exactly
    log: AnyLog | None = None  # that was counted, with what was read of it at hand


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
_CELLS = Each(cells=True)
_OF_NAMES = frozenset(_WHOSE)


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
        sums: and not the durations alone, of rows with `cube.OF_DURATIONS`.
    """

    def __init__(
        self, leaders: Leaders, every: str, tz: str, *, exact: bool, sums: bool = True
    ) -> None:
        self._leaders, self._every, self._tz = leaders, every, tz
        self._exact, self._counts = exact, sums
        self._looks: list[FirstLook] = []
        self._sums: list[pl.DataFrame] = []
        self._bins: list[pl.DataFrame] = []
        self._timed: list[pl.DataFrame] = []
        self._most = _MOST_WAITING

    def add(self, batch: pl.DataFrame) -> None:
        """Count rows of `cube.needed`."""
        log = batch.lazy()
        if self._counts:
            placed = cube.placed(log, self._leaders, self._every, self._tz).collect()
            ranked, sums = pl.collect_all([cube.ranking(log), cube.sums(placed.lazy())])
            self._looks.append(FirstLook(ranked, *batch.select(_ENDS).row(0)))
            self._sums.append(sums)
            timed = cube.timed(placed.lazy(), *KEYS).collect()
        else:
            own = cube.durations(log, self._leaders, self._every, self._tz)
            timed = own.collect()
        if self._exact:
            self._timed.append(timed.select(pl.col("f").cast(pl.Int32), "total_ms"))
        self._bins.append(cube.bins(timed.lazy()).collect())
        if sum(part.height for part in self._bins) > self._most:
            _, bins = self.added()
            self._most = 2 * bins.height + _MOST_WAITING

    def added(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The sums and bins of all rows so far; some were added, if only none. Without
        sums, those are none."""
        if self._sums:
            self._sums = [added(self._sums, KEYS)]
        self._bins = [added(self._bins, (*KEYS, "bin"))]
        return self._sums[0] if self._sums else pl.DataFrame(), self._bins[0]

    def look(self) -> FirstLook:
        """What was seen of these rows."""
        return together(self._looks)

    def timed(self) -> pl.DataFrame:
        """The durations that were kept: `f`, `total_ms`."""
        return pl.concat(self._timed) if self._timed else NO_TIMES


def added(parts: Sequence[pl.DataFrame], keys: Sequence[str]) -> pl.DataFrame:
    """Parts of a cube, or of a ranking, in one."""
    both = pl.concat(parts)
    values = [name for name in both.columns if name not in keys]
    return both.group_by(keys).agg(summed(values))


def counted_parts(log: pl.LazyFrame, parts: Parts) -> Parts:
    """Read a log once, in batches, and add them up."""
    parts.add(log.head(0).collect())
    _each_batch(log, parts.add)
    return parts


def _ranked(log: pl.LazyFrame) -> pl.DataFrame:
    """Who there is, told a batch at a time."""
    some = log.select(cube.OF_RANKING)
    found = [cube.ranking(some.head(0)).collect()]
    _each_batch(some, lambda batch: found.append(cube.ranking(batch.lazy()).collect()))
    return added(found, _WHOSE)


def _each_batch(log: pl.LazyFrame, look: Callable[[pl.DataFrame], None]) -> None:
    with pl.Config(streaming_chunk_size=_CHUNK_ROWS):
        log.sink_batches(look, chunk_size=BATCH_ROWS, maintain_order=False)


def count_log(log: AnyLog, tz: str, by: str = "feature") -> Counted:
    """Count a whole log, in memory that does not follow its rows; percentiles of the
    leading features are exact, up to as many rows as every view counts exactly.

    Above so many, steps are those that closed days were counted by, and no session has
    cells of its own; whether closed days were counted or not, the figures are the same.

    Args:
        log: events with `cost_usd`; what is in no cell is read several times.
        tz: the time zone in which days begin.
        by: a column whose values stand in the place of the features.

    Raises:
        LabError: a column that the log does not have.
    """
    some = partial(_needed, log, by)
    n, first, last = _ends(log)
    many = n > MOST_EXACT_ROWS
    every = counted_step(first, last, many=many)
    named = () if many else tuple(collected(_dearest_sessions(some())).rows())
    counted = None
    if isinstance(log, Log) and by == "feature" and not named:
        counted = _from_cells(log, some, every, tz, many=many)
    if counted is None:
        counted = _from_rows(some(), named, every, tz, many=many)
    counted = counted._replace(first_at=first, last_at=last, many=many)
    return fitted(counted, tz)


def _needed(log: AnyLog, by: str) -> pl.LazyFrame:
    return cube.needed(log.lazy(), by)


def _ends(log: AnyLog) -> tuple[int, datetime | None, datetime | None]:
    """How many rows there are, and when the first and the last began."""
    if isinstance(log, Log):
        return log.n_rows(), *log.ends()
    n, first, last = collected(log.select(_ENDS)).row(0)
    return n, first, last


def _from_rows(
    log: pl.LazyFrame,
    sessions: tuple[tuple[str | None, str | None], ...],
    every: str,
    tz: str,
    *,
    many: bool,
) -> Counted:
    ranked = _ranked(log)
    lead = leaders(ranked)._replace(sessions=sessions)
    parts = counted_parts(log, Parts(lead, every, tz, exact=not many))
    found = None if many else cube.exact_latency(parts.timed().lazy()).collect()
    return Counted(ranked, lead, *parts.added(), None, None, every, found)


def _from_cells(
    log: Log,
    some: Callable[[], pl.LazyFrame],
    every: str,
    tz: str,
    *,
    many: bool,
) -> Counted | None:
    """The same of cells; only what they do not say of durations is read from rows. None
    where they cannot say it."""
    asked = _asked(every, tz)
    known = _known(log, asked)
    if known is None:
        return None
    ranked = cube.ranking(known.lazy(), _CELLS).collect()
    lead = leaders(ranked)
    sums = _summed(known, lead, every, tz)
    bins = _counted_bins(log, lead, every, tz) if many else None
    exact = None
    if bins is None:
        durations = some().select(cube.OF_DURATIONS)
        parts = Parts(lead, every, tz, exact=not many, sums=False)
        timed = counted_parts(durations, parts)
        exact = None if many else cube.exact_latency(timed.timed().lazy()).collect()
        _, bins = timed.added()
    held = log.holding(asked, known)
    return Counted(ranked, lead, sums, bins, None, None, every, exact, log=held)


def _asked(every: str, tz: str) -> Asked:
    return Asked(_OF_NAMES | OF_FAILURES, (every,), tz, failures=True)


def _known(log: Log, asked: Asked) -> pl.DataFrame | None:
    """The cells, with what is counted of them; None where they cannot say it."""
    cells = log.weighed(asked)
    return None if cells is None else collected(cells.select(cube.OF_CELLS))


def _summed(known: pl.DataFrame, lead: Leaders, every: str, tz: str) -> pl.DataFrame:
    placed = cube.placed(known.lazy(), lead, every, tz, _CELLS)
    return cube.sums(placed, _CELLS).collect()


def _counted_bins(log: Log, lead: Leaders, every: str, tz: str) -> pl.DataFrame | None:
    bins = log.binned(Asked(_OF_NAMES, (every,), tz, total=True))
    return None if bins is None else collected(cube.counted_bins(bins, lead, every, tz))


class OfCells(NamedTuple):
    """What cells say of a part of a log, for leaders of the whole."""

    look: FirstLook
    leaders: Leaders
    sums: pl.DataFrame
    bins: pl.DataFrame


def count_cells(
    log: Log, every: str, tz: str, lead: Leaders | None = None
) -> OfCells | None:
    """Count whole days by their cells alone; None where they cannot say it.

    Args:
        log: a log, or whole days (UTC) of it.
        every: the length of a step.
        tz: the time zone in which days begin.
        lead: what has cells of its own; those who lead there, unless told.
    """
    known = _known(log, _asked(every, tz))
    if known is None:
        return None
    ranked = cube.ranking(known.lazy(), _CELLS).collect()
    lead = leaders(ranked) if lead is None else lead
    bins = _counted_bins(log, lead, every, tz)
    if bins is None:
        return None
    sums = _summed(known, lead, every, tz)
    look = FirstLook(ranked, int(known["rows"].sum()), *log.ends())
    return OfCells(look, lead, sums, bins)


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
    while longer(drawn, counted.every) and _bytes(counted) > MOST_BYTES:
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
