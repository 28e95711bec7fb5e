"""Every look at series that is rare enough to matter, and nothing else."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lectr_lab.analysis.odd.calibrate import (
    WARM_UP,
    false_alarms,
    stretch,
    z_at,
)
from lectr_lab.analysis.odd.grid import Grid, block_of, joined, some_of
from lectr_lab.analysis.odd.history import WINDOWS, History, first_seen, since_first
from lectr_lab.analysis.odd.predict import DAY, HOUR, Array, trailing
from lectr_lab.analysis.odd.scores import KINDS, Score, matters

WARM = 20.0
"""Expected false alarms a feature-week under which an incident goes on."""

LOOKS = {
    "series": pl.Int64,
    "cell": pl.Int64,
    "kind": pl.String,
    "window": pl.Int64,
    "rate": pl.Float64,  # expected false alarms a feature-week
    "z": pl.Float64,
    "actual": pl.Float64,
    "expected": pl.Float64,
    "n": pl.Float64,
}


class Judged(NamedTuple):
    """The rare looks at some series, and the history that they were judged by."""

    series: pl.DataFrame  # the keys, a row each
    looks: pl.DataFrame  # columns of LOOKS; `series` is a row of the above
    seen: Array  # series by hours, 1 where an hour was history


def judge(blocks: Iterable[Grid], budget: float) -> Judged:
    """Look at every kind and window of all series, at some of them twice.

    The second time, hours that belong to an incident are no history: else an outage
    would teach that outages are usual. What has lasted a day is, for it may stay. Series
    that are looked at again are gathered from several blocks, for a block of few takes
    nearly as long as one of many.

    Args:
        blocks: the series; one at least.
        budget: expected false alarms a feature-week.
    """
    series, seen, looks = list[pl.DataFrame](), list[Array](), list[pl.DataFrame]()
    waiting = list[_Again]()
    n = 0
    for grid in blocks:
        usual = since_first(grid)
        first = _judged(grid, usual, budget)
        quiet = _without(first, usual, budget)
        again = np.flatnonzero((quiet != usual).any(1))
        once = first.filter(~pl.col("series").is_in(again.tolist()))
        looks.append(once.with_columns(pl.col("series") + n))
        if len(again):
            waiting.append(_Again(some_of(grid, again), quiet[again], again + n))
        if sum(len(one.places) for one in waiting) >= block_of(grid.span):
            looks.append(_again(waiting, budget))
            waiting = []
        series.append(grid.series)
        seen.append(quiet)
        n += grid.series.height
    if waiting:
        looks.append(_again(waiting, budget))
    return Judged(pl.concat(series), pl.concat(looks), np.concatenate(seen))


class _Again(NamedTuple):
    """Series to look at again, what is history of them, and their places among all."""

    grid: Grid
    seen: Array
    places: NDArray[np.int64]


def _again(waiting: Sequence[_Again], budget: float) -> pl.DataFrame:
    grids, seen, places = zip(*waiting, strict=True)
    looks = _judged(joined(grids), np.concatenate(seen), budget)
    place = np.concatenate(places)[looks["series"].to_numpy()]
    return looks.with_columns(series=pl.Series(place, dtype=pl.Int64))


def _judged(grid: Grid, seen: Array, budget: float) -> pl.DataFrame:
    history = History(grid, seen)
    # The first 48 hours of each series are its own.
    ready = np.maximum(first_seen(grid), 0) + WARM_UP
    found = [
        _rare(history, kind, window, ready, budget)
        for window in WINDOWS
        for kind in KINDS
    ]
    columns = {name: np.concatenate([one[name] for one in found]) for name in found[0]}
    kinds = [kind for _ in WINDOWS for kind in KINDS]
    kind = pl.Series(kinds).gather(
        np.repeat(range(len(found)), [len(one["series"]) for one in found])
    )
    looks = pl.DataFrame({**columns, "kind": kind}, schema_overrides=LOOKS)
    return looks.select(*LOOKS)


def _rare(
    history: History, kind: str, window: int, ready: NDArray[np.int64], budget: float
) -> dict[str, Array]:
    """The columns of `LOOKS`, less the kind."""
    score = KINDS[kind](history, window)
    least = z_at(max(WARM, budget), window)
    factor = stretch(score.z, history.seen, kind, window, least)
    # Looked for flat, which takes a tenth of the time.
    candidates = np.unravel_index(np.flatnonzero(score.z >= least), score.z.shape)
    scale = factor[candidates[0], candidates[1] // DAY]
    ends = history.ends(window)
    fresh = np.concatenate([[True], ends[1:] > ends[:-1]])  # not the last one again
    looks_an_hour = score.z.shape[2]
    rare = score.z[candidates] >= least * scale
    rare &= candidates[1] >= ready[candidates[0]]
    rare &= fresh[candidates[1] * looks_an_hour + candidates[2]]
    series, hour, look = (place[rare] for place in candidates)
    scale = scale[rare]
    some = Score(*(array[series, hour, look].astype(np.float64) for array in score))
    large = matters(kind, some)
    series, hour, look, scale = (a[large] for a in (series, hour, look, scale))
    some = Score(*(array[large] for array in some))
    rate = false_alarms(some.z, scale, window)
    return {
        "series": series,
        "cell": ends[hour * looks_an_hour + look],
        "window": np.full(len(series), window),
        "rate": rate,
        "z": some.z,
        "actual": some.actual,
        "expected": some.expected,
        "n": some.n,
    }


def _without(looks: pl.DataFrame, seen: Array, budget: float) -> Array:
    """History less the hours of incidents, until one has lasted a day."""
    hot = np.zeros_like(seen)
    alarms = looks.filter(pl.col("rate") <= budget)
    hot[alarms["series"].to_numpy(), alarms["cell"].to_numpy() // HOUR] = 1
    lasted = trailing(hot, DAY) >= DAY
    return seen * np.where(lasted, 1, 1 - hot)
