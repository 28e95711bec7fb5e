"""One series and kind over time, beside what was expected of it: for a picture."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import polars as pl

from lectr_lab.analysis.odd.calibrate import stretch, z_at
from lectr_lab.analysis.odd.findings import judge
from lectr_lab.analysis.odd.grid import Grid, grids, span_of
from lectr_lab.analysis.odd.history import History
from lectr_lab.analysis.odd.predict import DAY, HOUR
from lectr_lab.analysis.odd.scores import KINDS, LOGARITHMIC
from lectr_lab.analysis.views.time_steps import zone
from lectr_lab.core.errors import LabError
from lectr_lab.core.formatting import name

_COUNTED = ("traffic_high", "traffic_low", "spend")


def series_frame(
    cells: pl.DataFrame,
    keys: Sequence[str],
    wanted: tuple[str | None, str],
    kind: str,
    *,
    now: datetime,
    tz: str,
    budget: float,
) -> pl.DataFrame:
    """One row per hour: `time`, `actual`, `expected`, `low` and `high`.

    Args:
        cells: of all series.
        keys: the columns that name one.
        wanted: the org, or None, and the name within it.
        kind: one of `scores.KINDS`.
        now: where the record ends.
        tz: the time zone of its days.
        budget: false alarms a feature-week, which the band is drawn for.

    Raises:
        LabError: there is no such series or kind, or several orgs have it.
    """
    if kind not in KINDS:
        raise LabError(f"There is no kind {kind!r}. Take one of {', '.join(KINDS)}.")
    org, feature = wanted
    named = pl.col(keys[-1]) == feature
    own = cells.filter(named if org is None else named & (pl.col("org") == org))
    orgs = own["org"].unique().sort().to_list()
    if len(orgs) != 1:
        raise LabError(_which(feature, keys[-1], orgs, cells))
    start = cells["at"].min()
    assert isinstance(start, datetime)
    return one_series(own, keys, kind, now=now, tz=tz, budget=budget, start=start)


def one_series(
    cells: pl.DataFrame,
    keys: Sequence[str],
    kind: str,
    *,
    now: datetime,
    tz: str,
    budget: float,
    start: datetime | None = None,
) -> pl.DataFrame:
    """As `series_frame`, of cells that are of one series alone; from its first, or from
    where the record of all starts."""
    begin = start or cells["at"].min()
    assert isinstance(begin, datetime)
    [grid] = grids(cells, keys, span_of(begin, now, zone(tz)))
    return _hours(grid, kind, budget)


def _which(feature: str, key: str, orgs: list[str], cells: pl.DataFrame) -> str:
    if orgs:
        listed = ", ".join(name(org) for org in orgs)
        return f"{name(feature)} is of several orgs: name one with org=. They are {listed}."
    there = cells[key].drop_nulls().unique().sort().head(8).to_list()
    return f"No {key} {name(feature)} here. There are: {', '.join(map(name, there))}."


def _hours(grid: Grid, kind: str, budget: float) -> pl.DataFrame:
    history = History(grid, judge([grid], budget).seen)
    score = KINDS[kind](history, HOUR)
    factor = np.repeat(stretch(score.z, history.seen, kind, HOUR), DAY, axis=1)
    hours = score.z.shape[1]
    band = z_at(budget, HOUR) * factor[0, :hours] * score.sd[0, :, -1]
    actual, expected = score.actual[0, :, -1], score.expected[0, :, -1]
    low, high = expected - band, expected + band
    if kind in LOGARITHMIC:
        actual, expected, low, high = map(np.exp, (actual, expected, low, high))
    known = np.cumsum(history.seen[0]) > 1  # an hour was seen before
    if kind not in _COUNTED:
        known &= score.n[0, :, -1] > 0
    most = 1.0 if kind in ("errors", "latency_tail", "cache", "models") else np.inf
    span = grid.span
    return pl.DataFrame(
        {
            "time": [span.at(h * HOUR) for h in range(hours)],
            "actual": actual,
            "expected": expected,
            "low": np.clip(low, 0, most),
            "high": np.clip(high, 0, most),
        },
        schema_overrides={"time": pl.Datetime("us", "UTC")},
    ).with_columns(
        pl.when(pl.Series(known)).then(pl.col("actual", "expected", "low", "high"))
    )
