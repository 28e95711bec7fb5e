"""Judges made-up and real traffic by the real method, and counts what it finds."""

import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from scipy.stats import gamma

from lectr_lab.analysis.odd.cells import SUMS, cells, durations, slow_limits
from lectr_lab.analysis.odd.episodes import Episode, episodes
from lectr_lab.analysis.odd.findings import judge
from lectr_lab.analysis.odd.grid import Span, grids, span_of
from lectr_lab.analysis.odd.source import days_of

sys.path.append(str(Path(__file__).parents[1]))

from odd_traffic import DAY, START, Fault, Feature, as_log, moment, requests

KEYS = ("org", "feature")


class Counted(NamedTuple):
    """The cells of a feature, and the limits that its slow answers were told by."""

    cells: pl.DataFrame
    limits: pl.DataFrame


class Rate(NamedTuple):
    """Incidents a feature-week, with the ends of the exact 95 % interval."""

    incidents: int
    feature_weeks: float
    most: int  # of one feature

    @property
    def mean(self) -> float:
        return self.incidents / self.feature_weeks

    @property
    def ends(self) -> tuple[float, float]:
        """Garwood's, of a Poisson count."""
        n = self.incidents
        low = float(gamma.ppf(0.025, n)) if n else 0.0
        return low / self.feature_weeks, float(
            gamma.ppf(0.975, n + 1)
        ) / self.feature_weeks


def counted(what: Feature, days: int) -> Counted:
    """The cells of a feature with nothing odd in it."""
    log = as_log(requests(what, days * DAY))
    took = durations(log).collect()
    limits = slow_limits(took, days_of(took))
    return Counted(cells(log, limits.lazy()).collect(), limits)


def with_fault(what: Feature, base: Counted, fault: Fault) -> pl.DataFrame:
    """The same cells up to the end of a fault, and inside it drawn again."""
    log = as_log(requests(what, fault.last, fault, fault.first))
    inside = cells(log, base.limits.lazy()).collect()
    before = base.cells.filter(pl.col("at") < moment(fault.first))
    return pl.concat([before, inside.select(before.columns)])


def found(
    some: pl.DataFrame, days: float, budget: float
) -> tuple[Span, list[str], list[Episode]]:
    """The episodes in cells of so many days, and the names of their series."""
    span, names, looks = looked(some, days, budget)
    return span, names, list(episodes(looks, budget, span.last))


def looked(
    some: pl.DataFrame, days: float, budget: float
) -> tuple[Span, list[str], pl.DataFrame]:
    """The rare looks in cells of so many days, and the names of their series."""
    span = span_of(START, START + timedelta(days=days), ZoneInfo("UTC"))
    judged = judge(grids(some, KEYS, span), budget)
    return span, judged.series["feature"].to_list(), judged.looks


def false_alarms(
    some: pl.DataFrame, features: int, days: int, judged: int, budget: float
) -> Rate:
    """What was found in the last so many days of traffic with nothing odd in it."""
    span, _, every = found(some, days, budget)
    first = span.cells - judged * DAY
    late = [e for e in every if e.found >= first]
    most = max(np.bincount([e.series for e in late], minlength=1))
    return Rate(len(late), features * judged / 7, int(most))


def delays(
    features: Sequence[Feature], bases: Sequence[Counted], faults: Sequence[Fault]
) -> Iterator[int | None]:
    """Cells from the onset of each feature's fault to its incident; None where none.

    Each feature is held against the budget by itself: faults of others on the same day
    would lend it theirs.
    """
    some = pl.concat(
        with_fault(*each) for each in zip(features, bases, faults, strict=True)
    )
    last = max(fault.last for fault in faults)
    span, names, looks = looked(some, last / DAY, 0.1)
    for what, fault in zip(features, faults, strict=True):
        own = looks.filter(pl.col("series") == names.index(what.name))
        mine = list(episodes(own, 0.1, span.last))
        inside = [
            a
            for e in mine
            for a in e.alarms["cell"].to_list()
            if fault.first <= a < fault.last
        ]
        yield min(inside) - fault.first if inside else None


def blank(rows: pl.DataFrame) -> pl.DataFrame:
    """Cells of requests alone: `feature`, `at` and `n`, with nothing else known."""
    return rows.with_columns(
        pl.lit("open data").alias("org"),
        pl.lit("none").alias("provider"),
        pl.lit("none").alias("model"),
        *(pl.lit(0.0).alias(name) for name in SUMS if name != "n"),
    )
