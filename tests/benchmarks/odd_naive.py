"""What usual rules make of the same made-up traffic: false alarms, and faults found.

Five measures of each feature, by whole hours: requests, dollars, the share that failed,
latency and dollars a request. What is high is an alarm, and of requests what is low; an
alarm is a run of hours in which any measure is. Rules as they are used, and, measure by
measure, tuned on the very traffic that has nothing odd in it.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from odd_measure import Counted, Rate, with_fault
from odd_traffic import DAY, START, Fault, Feature

Array: TypeAlias = NDArray[Any]

HOUR = 12  # cells
_WEEK = 168  # hours
RULES = {
    "2 sigma of 7 same hours": ("same hours", 2.0),
    "3 sigma of 7 same hours": ("same hours", 3.0),
    "3 sigma of the week's hours": ("the week's hours", 3.0),
    "twice or half the week's mean": ("the week's mean", float(np.log(2))),
}
_TUNED = 0.1  # false alarms a feature-week, of all measures together


def hours(cells: pl.DataFrame, days: float) -> Array:
    """The measures of a feature: measures by whole hours, NaN where none is."""
    place = (pl.col("at") - START).dt.total_hours().alias("hour")
    names = ("n", "ok", "errors", "cost_usd", "latency_n", "latency_sum")
    some = cells.group_by(place).agg(pl.col(names).sum())
    sums = {name: np.zeros(int(days * 24)) for name in names}
    inside = some.filter(pl.col("hour") < int(days * 24))
    for name, out in sums.items():
        out[inside["hour"].to_numpy()] = inside[name].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.stack(
            [
                sums["n"],
                sums["cost_usd"],
                sums["errors"] / sums["n"],
                np.exp(sums["latency_sum"] / sums["latency_n"]),
                sums["cost_usd"] / sums["ok"],
            ]
        )


def scores(shown: Array, rule: str) -> Array:
    """How far each hour is from its past, in the units of a rule; never below 0.

    Args:
        shown: measures by hours.
        rule: what it is held against: "same hours", "the week's hours" (in standard
            deviations) or "the week's mean" (as a logarithm).
    """
    past = np.full((*shown.shape, 7 if rule == "same hours" else _WEEK), np.nan)
    for hour in range(_WEEK, shown.shape[1]):
        step = 24 if rule == "same hours" else 1
        past[:, hour] = shown[:, hour - _WEEK : hour : step]
    known = (~np.isnan(past)).sum(2) >= 3
    some = np.where(known[:, :, None], past, 0.0)
    mean, sd = np.nanmean(some, axis=2), np.nanstd(some, axis=2, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.log(shown / mean) if rule == "the week's mean" else (shown - mean) / sd
    far[0] = np.abs(far[0])  # fewer requests are odd, too
    return np.where(known, np.nan_to_num(far, nan=0.0, posinf=np.inf), 0).clip(0)


def runs(flags: Array) -> int:
    """How many runs of hours there are."""
    return int((flags[1:] & ~flags[:-1]).sum() + flags[:1].sum())


def false_alarms(every: Sequence[Array], judged: int) -> dict[str, Rate]:
    """Of rules as they are used, on features with nothing odd in them."""
    found = {}
    for name, (rule, limit) in RULES.items():
        alarms = [
            runs((scores(shown, rule)[:, -judged * 24 :] > limit).any(0))
            for shown in every
        ]
        found[name] = Rate(sum(alarms), len(every) * judged / 7, max(alarms))
    return found


def tuned(every: Sequence[Array], rule: str, judged: int) -> Array:
    """The limit of each measure at which it makes its part of `_TUNED`: the smallest
    that does, looked for on this traffic itself, which favours it."""
    late = np.stack([scores(shown, rule)[:, -judged * 24 :] for shown in every])
    most = _TUNED / late.shape[1] * len(every) * judged / 7
    limits = []
    for measure in range(late.shape[1]):
        mine = late[:, measure]
        levels = np.unique(mine)
        low, high = 0, len(levels) - 1
        while low < high:
            middle = (low + high) // 2
            if sum(runs(one > levels[middle]) for one in mine) <= most:
                high = middle
            else:
                low = middle + 1
        limits.append(levels[low])
    return np.array(limits)


def found_in(shown: Array, rule: str, limits: Array, fault: Fault) -> bool:
    """Whether an hour that ended in a fault is an alarm."""
    flags = (scores(shown, rule) > limits[:, None]).any(0)
    first, last = fault.first // HOUR, fault.last // HOUR
    return bool(flags[first:last].any())


def power(
    features: Sequence[Feature],
    bases: Sequence[Counted],
    faults: Sequence[Fault],
    limits: dict[str, Array],
) -> dict[str, float]:
    """The share of features whose fault each tuned rule found in its six hours."""
    found = dict.fromkeys(limits, 0)
    for what, base, fault in zip(features, bases, faults, strict=True):
        shown = hours(with_fault(what, base, fault), fault.last / DAY)
        for rule, own in limits.items():
            found[rule] += found_in(shown, rule, own, fault)
    return {rule: n / len(features) for rule, n in found.items()}
