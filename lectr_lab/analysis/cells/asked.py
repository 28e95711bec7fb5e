"""What a view asks of a log, and whether cells know it."""

from typing import NamedTuple

from lectr_lab.analysis.cells.facts import NAMES
from lectr_lab.analysis.cells.spans import DAY, is_days, is_quarters, whole_steps
from lectr_lab.analysis.views.selection import Selection
from lectr_lab.analysis.views.time_steps import polars_zone

OF_FAILURES = frozenset({"status", "error_type", "error_source"})
"""What a cell says of requests that failed, and of no others."""

_STEPS = frozenset({"day", "hour"})
_OF_ALL = frozenset({*NAMES, "model"}) - OF_FAILURES


class Asked(NamedTuple):
    """What a view asks of a log, as far as it decides what is read."""

    columns: frozenset[str] = frozenset()
    steps: tuple[str, ...] = ()
    tz: str = "UTC"
    failures: bool = False  # of those alone
    ends: bool = False  # when the first and the last were
    total: bool = False  # of durations, `total_ms` alone, two bins as one

    def covers(self, other: "Asked") -> bool:
        """Its answer has that of another; it is said of no cell when it began."""
        fewer = other.columns <= self.columns and {*other.steps} <= {*self.steps}
        return fewer and other.tz == self.tz and not other.ends

    @property
    def is_by_day(self) -> bool:
        """Days (UTC) need not be told apart any further."""
        return all(map(is_days, self.steps)) and polars_zone(self.tz) == "UTC"

    @property
    def is_at_any_time(self) -> bool:
        """Nor from each other."""
        return not (self.steps or self.columns & _STEPS)


def can_say(asked: Asked, selected: Selection) -> bool:
    """Cells know what is asked of the selected part.

    >>> can_say(Asked(frozenset({"feature", "day"}), ("1w",)), Selection())
    True
    >>> can_say(Asked(frozenset({"session"})), Selection())
    False
    """
    known = _OF_ALL | _STEPS | (OF_FAILURES if asked.failures else frozenset())
    names = asked.columns <= known and selected.columns <= _OF_ALL
    if asked.ends:  # a cell says them of a feature's whole day
        whole = whole_steps(selected.when, DAY) == selected.when
        names &= selected.columns <= {"org", "feature"} and whole
    return names and all(map(is_quarters, asked.steps))
