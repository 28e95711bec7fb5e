"""What is known of a block of series before each look at it.

A look is the end of a window: of 5 and 15 minutes at every cell, of an hour every 15
minutes, of six hours every half hour. Arrays of looks are series by hours by looks an
hour, so that what is known once an hour stands beside each of its looks.
"""

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lectr_lab.analysis.odd.grid import Grid
from lectr_lab.analysis.odd.predict import HOUR, Array, expected, past_week, sums

WINDOWS = (1, 3, 12, 72)
"""In cells of five minutes."""

_EVERY = {1: 1, 3: 1, 12: 3, 72: 6}  # cells from one look to the next


def lag_of(window: int) -> int:
    """Whole hours that a window may reach back: what foretells it ends before."""
    return window // HOUR


class History:
    """A grid, which of its hours may serve as history, and what was derived from both."""

    def __init__(self, grid: Grid, seen: Array) -> None:
        self.grid, self.seen = grid, seen
        self._memory: dict[Hashable, Any] = {}

    def hourly(self, name: str) -> Array:
        """A sum of `JUDGED` by hours."""
        return self._once(("hourly", name), lambda: by_hour(self.grid.sums[name]))

    def looks(self, name: str, window: int) -> Array:
        """A sum of `JUDGED` over the window that ends at each look."""
        upto = self._once(("upto", name), lambda: sums(self.grid.sums[name]))
        return self.over(upto, window)

    def over(self, upto: Array, window: int) -> Array:
        """Of sums up to each cell, what lies in each look's window, to seven digits."""
        every, hours = _EVERY[window], self.grid.span.hours
        first = window // every - 1  # look whose window does not reach back too far
        looks = np.empty((len(upto), self.grid.span.cells // every), np.float32)
        looks[:, :first] = upto[:, every : first * every + 1 : every]
        starts = upto[:, : upto.shape[1] - window : every]
        np.subtract(
            upto[:, window::every], starts, out=looks[:, first:], casting="same_kind"
        )
        # The last hour may be open: what of it is to come is its last cell again.
        ends = self.ends(window)[-HOUR // every :] + 1
        looks[:, -len(ends) :] = upto[:, ends] - upto[:, np.maximum(ends - window, 0)]
        return looks.reshape(len(upto), hours, -1)

    def ends(self, window: int) -> NDArray[np.int64]:
        """The cell that each look ends with."""
        span, every = self.grid.span, _EVERY[window]

        def found() -> NDArray[np.int64]:
            return np.minimum(np.arange(every - 1, span.cells, every), span.last)

        return self._once(("ends", every), found)

    def week(self, values: Array, lag: int, owner: Any = ...) -> Array:
        """The past week's sum of what each hour has, or each hour's looks together."""
        hours: Array = together(values) if values.ndim == 3 else values
        return past_week(hours, self.seen[owner], lag)

    def rate(self, lag: int) -> Array:
        """Requests that each hour should bring."""
        return self._rate(lag)[0]

    def doubt(self, lag: int) -> Array:
        """The variance of that, relative to its square, as far as experts disagree more
        than they did in the past week: as on a Monday after one week of record."""

        def found() -> Array:
            rate, apart = self._rate(lag)
            relative = 4 * apart / np.maximum(rate, 1)  # of a square root
            hours = np.maximum(self.week(np.ones_like(rate), lag), 1)
            usual = self.week(relative, lag) / hours
            return np.maximum(relative - usual, 0)

        return self._once(("doubt", lag), found)

    def _rate(self, lag: int) -> tuple[Array, Array]:
        def found() -> tuple[Array, Array]:
            n = self.hourly("n") * self.seen
            clock = self.grid.span.clock
            return expected(n, self.seen, clock=clock, lag=lag, counts=True)

        return self._once(("rate", lag), found)

    def requests(self, window: int) -> Array:
        """Requests that each look's window should have brought."""

        def found() -> Array:
            rate = np.repeat(self.rate(lag_of(window)) / HOUR, HOUR, axis=1)
            upto = sums(rate * self.grid.span.exposure)
            return np.maximum(self.over(upto, window), 1e-4)

        return self._once(("requests", window), found)

    def level(self, total: str, count: str, lag: int) -> Array:
        """The mean of a measure that each hour should show."""

        def found() -> Array:
            total_seen = self.hourly(total) * self.seen
            count_seen = self.hourly(count) * self.seen
            clock = self.grid.span.clock
            return expected(total_seen, count_seen, clock=clock, lag=lag)[0]

        return self._once(("level", total, lag), found)

    def awake(self) -> NDArray[np.bool_]:
        """Hours before which the week had a day's hours with requests."""

        def found() -> NDArray[np.bool_]:
            return (
                past_week((self.hourly("n") > 0).astype(np.float64), self.seen, 0) >= 24
            )

        return self._once(("awake",), found)

    def _once(self, key: Hashable, found: Any) -> Any:
        if key not in self._memory:
            self._memory[key] = found()
        return self._memory[key]


def together(looks: Array) -> Array:
    """The looks of each hour added up."""
    return np.asarray(np.einsum("shk->sh", looks), np.float64)


def by_hour(values: Array) -> Array:
    """Cells added up to hours."""
    return together(values.reshape(len(values), -1, HOUR))


def first_seen(grid: Grid) -> NDArray[np.int64]:
    """The first hour of each series that has a request."""
    return np.argmax(by_hour(grid.sums["n"]) > 0, axis=1)


def since_first(grid: Grid) -> Array:
    """1 from the first request of each series on."""
    hours = np.arange(grid.span.hours)
    return (hours[None, :] >= first_seen(grid)[:, None]) * 1.0
