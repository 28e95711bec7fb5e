"""Where an episode began and ended, and how large it was, cell by cell.

The look that fired says only that something happened in its window. Its beginning is the
cell from which on what was shown differs most from what was expected, for its length;
its end likewise. What was expected is told from at least six hours before, for the
hours of the episode itself must not count.
"""

from typing import NamedTuple

import numpy as np

from lectr_lab.analysis.odd.history import History, by_hour
from lectr_lab.analysis.odd.predict import HOUR, Array
from lectr_lab.analysis.odd.scores import LOGARITHMIC

_LAG = 6  # hours
_TAIL = 0.05
_SHARES = {"errors": ("errors", "n"), "latency_tail": ("over", "ok")}


class Course(NamedTuple):
    """One series and kind by cells: what was added up, should have been, and of how many."""

    shown: Array
    expected: Array
    weight: Array

    def between(self, first: int, last: int) -> tuple[float, float]:
        """What was shown and expected, both cells included; a mean where it is one."""
        inside = slice(first, last + 1)
        return float(self.shown[inside].sum()), float(self.expected[inside].sum())


def course(history: History, kind: str, series: int, pair: int = -1) -> Course:
    """A kind of a series, cell by cell.

    Args:
        history: of the block that it is in.
        kind: one of `scores.KINDS`.
        series: its place in the block.
        pair: of the kind `models`, the place of the model.
    """
    sums = {name: array[series] for name, array in history.grid.sums.items()}
    exposure = history.grid.span.exposure
    requests = _cells(history.rate(_LAG)[series]) / HOUR * exposure
    if kind in ("traffic_high", "traffic_low"):
        return Course(sums["n"], requests, requests)
    if kind == "spend":
        return Course(sums["cost_usd"], requests * _each_usd(history, series), requests)
    if kind == "models":
        return _model(history, series, pair)
    if kind in _SHARES:
        had, of = _SHARES[kind]
        usual = np.full(len(requests), _TAIL)
        if kind == "errors":
            usual = _cells(_ratio(history, had, of)[series])
        return Course(sums[had], usual * sums[of], sums[of])
    count = "prompt_n" if kind == "cache" else f"{kind}_n"
    level = _cells(history.level(f"{kind}_sum", count, _LAG)[series])
    return Course(sums[f"{kind}_sum"], level * sums[count], sums[count])


def _ratio(history: History, had: str, of: str) -> Array:
    n = history.week(history.hourly(of), _LAG)
    return history.week(history.hourly(had), _LAG) / np.maximum(n, 1)


def _each_usd(history: History, series: int) -> Array:
    return _cells(_ratio(history, "cost_usd", "n")[series])


def risen_model(history: History, series: int, first: int, last: int) -> int:
    """The place of the model whose share rose most from cell to cell; -1 for none."""
    mine = np.flatnonzero(history.grid.owner == series)
    if not len(mine):
        return -1
    inside = slice(first, last + 1)
    rose = [
        float((one.shown - one.expected)[inside].sum())
        for one in (_model(history, series, int(pair)) for pair in mine)
    ]
    return int(mine[int(np.argmax(rose))])


def _model(history: History, series: int, pair: int) -> Course:
    """Requests of one model, and those that its share in the past week makes."""
    grid = history.grid
    n = grid.sums["n"][series]
    had = by_hour(grid.asked[pair : pair + 1])
    seen = history.week(had, _LAG, slice(series, series + 1))[0]
    of = np.maximum(history.week(history.hourly("n"), _LAG)[series], 1)
    return Course(grid.asked[pair], _cells(seen / of) * n, n)


def _cells(hourly: Array) -> Array:
    return np.repeat(hourly, HOUR)


def edges(
    course: Course, alarm: tuple[int, int], last: int, higher: bool
) -> tuple[int, int]:
    """The first and the last cell of an episode.

    Args:
        course: of the kind that fired first.
        alarm: the first and the last cell of the window that did.
        last: of the last warm look.
        higher: it was more than expected.
    """
    sign = 1.0 if higher else -1.0
    more = sign * (course.shown - course.expected)
    first, fired = alarm
    back = slice(fired, first - 1 if first else None, -1)
    began = fired - _most(more[back], course.weight[back])
    on = slice(began, last + 1)
    ended = began + _most(more[on], course.weight[on])
    return began, max(ended, began)


def _most(more: Array, weight: Array) -> int:
    """How many cells on, from the first, the difference is largest for its length."""
    length = np.sqrt(np.cumsum(np.maximum(weight, 1e-9)))
    return int(np.argmax(np.cumsum(more) / length))


def size(
    course: Course, kind: str, first: int, last: int
) -> tuple[float, float, float]:
    """What was shown and expected from cell to cell, and their ratio, in a kind's units.

    Returns:
        Requests, USD, ms, tokens, or shares; the ratio is of the first to the second.
    """
    shown, expected = course.between(first, last)
    if kind in ("traffic_high", "traffic_low", "spend"):
        return shown, expected, shown / expected if expected else float("inf")
    n = max(float(course.weight[first : last + 1].sum()), 1e-9)
    shown, expected = shown / n, expected / n
    if kind in LOGARITHMIC:
        shown, expected = float(np.exp(shown)), float(np.exp(expected))
    return shown, expected, shown / expected if expected > 0 else float("inf")
