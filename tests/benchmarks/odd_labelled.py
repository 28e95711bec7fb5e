"""Labelled series: NAB's, and Microsoft's of cloud monitoring, by the same method.

These are values without a number of requests: a point counts as one, and only what
windows have varied says how much they may. The experts, the measure of a series' own
past and the two passes are those of `lectr_lab.analysis.odd`.
"""

import importlib.util
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lectr_lab.analysis.odd.calibrate import WARM_UP, false_alarms, stretch
from lectr_lab.analysis.odd.grid import Grid, span_of
from lectr_lab.analysis.odd.history import WINDOWS, History, lag_of, since_first
from lectr_lab.analysis.odd.predict import DAY, HOUR, Array, sums, trailing
from lectr_lab.analysis.odd.scores import KINDS

BUDGET = 0.3
"""False alarms a week of a series, over its windows."""

_FLOOR = 0.02
_QUIET = np.timedelta64(1, "h")
_GAP = 3  # points, within which two labels or two alarms are one
_CELL_US = 300_000_000


def detect(
    times: NDArray[np.datetime64], values: Array, budget: float = BUDGET
) -> NDArray[np.bool_]:
    """The points that are odd, told by no later one."""
    us = times.astype("datetime64[us]").astype(np.int64)
    start = datetime.fromtimestamp(us[0] / 1e6, UTC)
    end = datetime.fromtimestamp(us[-1] / 1e6 + 300, UTC)
    span = span_of(start, end, ZoneInfo("UTC"))
    first = int(span.start.timestamp() * 1e6)
    cell = np.clip((us - first) // _CELL_US, 0, span.cells - 1)
    known = np.isfinite(values)
    some = values[known][: max(2, int(0.15 * min(len(values), 5000)))]
    spread = float(np.std(some)) or float(np.std(values[known])) or 1.0
    scaled = np.where(known, values, 0) / spread
    size = span.cells
    n = np.bincount(cell, weights=known * 1.0, minlength=size)[None, :]
    total = np.bincount(cell, weights=scaled * known, minlength=size)[None, :]
    grid = Grid(
        span,
        pl.DataFrame({"series": ["one"]}),
        {"n": n, "value_sum": total, "value_n": n},
        np.zeros(0, np.int64),
        pl.DataFrame(),
        np.zeros((0, size)),
    )
    seen = since_first(grid)
    rates = _rates(History(grid, seen))
    hot = (rates.reshape(1, -1, HOUR) <= budget).any(2) * 1.0
    quiet = seen * np.where(trailing(hot, DAY) >= DAY, 1, 1 - hot)
    odd = _rates(History(grid, quiet))[0] <= budget
    flags = np.zeros(len(values), bool)
    flags[np.searchsorted(cell, np.flatnonzero(odd), side="right") - 1] = True
    return flags & known


def first_of_each(
    times: NDArray[np.datetime64], values: Array, budget: float = BUDGET
) -> NDArray[np.bool_]:
    """The points at which an episode begins; an hour's quiet ends one."""
    flags = detect(times, values, budget)
    at = np.flatnonzero(flags)
    apart = np.diff(times[at]) > _QUIET
    flags[at[1:][~apart]] = False
    return flags


def _rates(history: History) -> Array:
    """Expected false alarms a week at each cell, of the rarest window that ends there."""
    out = np.full((1, history.grid.span.cells), np.inf)
    for window in WINDOWS:
        z = _score(history, window)
        factor = np.repeat(stretch(z, history.seen, "latency", window), DAY, axis=1)
        rate = false_alarms(z, factor[:, : z.shape[1], None], window) / len(KINDS)
        rate[:, :WARM_UP] = np.inf
        ends = history.ends(window)
        np.minimum.at(out[0], ends, rate.ravel())
    return out


def _score(history: History, window: int) -> Array:
    """How far a window's mean is from the expected one, by what windows have varied."""
    lag = lag_of(window)
    n = history.looks("value_n", window).astype(np.float64)
    least = np.maximum(n, 1e-9)
    shown = history.looks("value_sum", window) / least
    level = np.repeat(history.level("value_sum", "value_n", lag), HOUR, axis=1)
    meant = history.over(sums(level * history.grid.sums["value_n"]), window) / least
    off = np.where(n > 0, shown - meant, 0)
    some = (n > 0) * 1.0
    between = history.week(off**2, lag) / np.maximum(history.week(some, lag), 1e-9)
    sd = np.sqrt(np.maximum(between, _FLOOR**2))[:, :, None]
    enough = (history.week(some, lag) >= 20)[:, :, None]
    return np.where((n > 0) & enough, np.abs(off) / sd, 0)


def nab(shared: Path, detector: Callable[..., Any] = first_of_each) -> float:
    """NAB's standard score on the open half, by the scorer that stands beside the data."""
    where = shared / "datasets" / "nab_score.py"
    spec = importlib.util.spec_from_file_location("nab_score", where)
    assert spec is not None and spec.loader is not None
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    found = scorer.evaluate(detector, shared / "datasets" / "anomaly")
    return float(found["nab_standard"])


def cloud(
    shared: Path, detector: Callable[..., Any] = detect
) -> tuple[float, float, float]:
    """Precision, recall and F1 of events: a run of points that are odd, or labelled, with
    gaps of three points at most; an alarm is right where it has a labelled point."""
    rows = pl.read_parquet(
        shared / "datasets" / "anomaly" / "ms_cloud_monitoring.parquet"
    )
    right = alarms = caught = segments = 0
    for _, some in rows.group_by("series", maintain_order=True):
        series = some.sort("timestamp")
        times = series["timestamp"].to_numpy()
        values = series["value"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        label = series["label"].to_numpy() > 0
        flags = detector(times, values)
        ours, theirs = _runs(flags), _runs(label)
        alarms, segments = alarms + len(ours), segments + len(theirs)
        right += sum(bool(label[run].any()) for run in ours)
        caught += sum(bool(flags[run].any()) for run in theirs)
    precision, recall = right / max(alarms, 1), caught / segments
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both else 0.0


def _runs(flags: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    at = np.flatnonzero(flags)
    return np.split(at, np.flatnonzero(np.diff(at) > _GAP) + 1) if len(at) else []


def scores(shared: Path) -> dict[str, float]:
    """Both, by one setting."""
    precision, recall, f1 = cloud(shared)
    return {"nab": nab(shared), "precision": precision, "recall": recall, "f1": f1}
