"""Requests of real clients, of which nothing is odd by construction: ServeGen.

Each hour of the day is shuffled among the fourteen days, so that real bursts and rhythms
stay and no hour is odd among its likes. A count of ten minutes is parted between two
cells of five by chance.
"""

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
from odd_measure import Rate, blank, found
from odd_traffic import DAY, START

DAYS, JUDGED = 14, 7
_STEP_S = 600
_A_DAY = 144  # steps
_HOUR = 6
BUDGETS = (5.5, 1.0, 0.3)


def counts(shared: Path) -> np.ndarray:
    """Requests of each client with 14 days of record: clients by steps of ten minutes."""
    rows = pl.read_parquet(shared / "datasets" / "traces" / "servegen_rates.parquet")
    rows = rows.with_columns(step=(pl.col("t_s") // _STEP_S).cast(pl.Int64))
    of = rows.group_by("model", "client").agg(
        pl.col("step"), pl.col("n_requests"), last=pl.col("step").max()
    )
    whole = of.filter(pl.col("last") >= (DAYS - 1) * _A_DAY).sort("model", "client")
    out = np.zeros((whole.height, DAYS * _A_DAY))
    for place, (steps, n) in enumerate(whole.select("step", "n_requests").iter_rows()):
        inside = np.array(steps) < out.shape[1]
        out[place, np.array(steps)[inside]] = np.array(n)[inside]
    return out


def shuffled(steps: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each hour of the day among the days, for each client by itself."""
    blocks = steps.reshape(len(steps), DAYS, 24, _HOUR).copy()
    for client in blocks:
        for hour in range(24):
            client[:, hour] = client[rng.permutation(DAYS), hour]
    return blocks.reshape(steps.shape)


def as_cells(steps: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    """Counts of ten minutes as cells of five."""
    whole = np.rint(steps).astype(np.int64)
    first = rng.binomial(whole, 0.5)
    both = np.stack([first, whole - first], axis=2).reshape(len(steps), -1)
    series, cell = np.nonzero(both)
    return blank(
        pl.DataFrame(
            {
                "feature": [f"client-{n:03d}" for n in series],
                "at": [START + timedelta(seconds=300 * int(c)) for c in cell],
                "n": both[series, cell].astype(float),
            },
            schema_overrides={"at": pl.Datetime("us", "UTC")},
        )
    )


def servegen(shared: Path, budget: float, shuffles: int = 3) -> Rate:
    """Incidents of traffic in the second week, at a budget for all kinds together."""
    rng = np.random.default_rng(20261130)
    steps = counts(shared)
    incidents, most = 0, 0
    for _ in range(shuffles):
        some = as_cells(shuffled(steps, rng), rng)
        _, _, every = found(some, DAYS, budget)
        late = [e.series for e in every if e.found >= (DAYS - JUDGED) * DAY]
        incidents += len(late)
        most = max(most, int(np.bincount(late, minlength=1).max()))
    return Rate(incidents, shuffles * len(steps) * JUDGED / 7, most)


def naive(shared: Path) -> dict[str, float]:
    """Alarms a feature-week of rules that are usual, on the same shuffled hours.

    An alarm is a run of hours; what is high and what is low count alike.
    """
    rng = np.random.default_rng(20261130)
    steps = shuffled(counts(shared), rng)
    hours = steps.reshape(len(steps), DAYS, 24, _HOUR).sum(3)
    same = np.stack([hours[:, d - 7 : d] for d in range(7, DAYS)], axis=1)
    now = hours[:, 7:]
    flat = hours.reshape(len(hours), -1)
    week = np.stack([flat[:, h - 168 : h] for h in range(168, 336)], axis=1)
    week_mean, week_sd = week.mean(2), week.std(2, ddof=1)
    late = flat[:, 168:]
    mean, sd = same.mean(2), same.std(2, ddof=1)
    flags = {
        "2 sigma of 7 same hours": np.abs(now - mean) > 2 * sd,
        "3 sigma of 7 same hours": np.abs(now - mean) > 3 * sd,
        "3 sigma of the week's hours": np.abs(late - week_mean) > 3 * week_sd,
        "twice or half the week's mean": (late > 2 * week_mean)
        | (late < week_mean / 2),
    }
    return {name: _runs(f.reshape(len(steps), -1)) for name, f in flags.items()}


def _runs(flags: np.ndarray) -> float:
    begins = flags[:, 1:] & ~flags[:, :-1]
    return float((begins.sum() + flags[:, 0].sum()) / len(flags))
