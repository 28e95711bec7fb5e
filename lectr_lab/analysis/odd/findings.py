"""Every look of a block of series that is rare enough to matter, and nothing else."""

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
from lectr_lab.analysis.odd.grid import Grid
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
    """The rare looks of a block, and the history that they were judged by."""

    looks: pl.DataFrame  # columns of LOOKS
    history: History


def judge(grid: Grid, budget: float) -> Judged:
    """Look at every kind and window of a block of series, twice.

    The second time, hours that belong to an incident are no history: else an outage
    would teach that outages are usual. What has lasted a day is, for it may stay.

    Args:
        grid: the series.
        budget: expected false alarms a feature-week.
    """
    seen = since_first(grid)
    first = _judged(grid, seen, budget)
    quiet = _without(first.looks, seen, budget)
    again = np.flatnonzero((quiet != seen).any(1))
    if not len(again):
        return first
    second = _judged(_some(grid, again), quiet[again], budget)
    places = pl.DataFrame({"to": again}).with_row_index("series")
    moved = second.looks.with_columns(pl.col("series").cast(pl.UInt32))
    moved = moved.join(places, on="series").with_columns(series=pl.col("to"))
    kept = first.looks.filter(~pl.col("series").is_in(again.tolist()))
    looks = pl.concat([kept, moved.select(kept.columns)])
    return Judged(looks, History(grid, quiet))


def _judged(grid: Grid, seen: Array, budget: float) -> Judged:
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
    return Judged(looks.select(*LOOKS), history)


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


def _some(grid: Grid, series: NDArray[np.int64]) -> Grid:
    """A grid of some of its series alone."""
    place = np.full(grid.series.height, -1)
    place[series] = np.arange(len(series))
    mine = np.flatnonzero(place[grid.owner] >= 0) if len(grid.owner) else grid.owner
    return grid._replace(
        series=grid.series[series.tolist()],
        sums={name: values[series] for name, values in grid.sums.items()},
        owner=place[grid.owner[mine]],
        models=grid.models[mine.tolist()],
        asked=grid.asked[mine],
    )
