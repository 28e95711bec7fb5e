"""Which of a budget's sums a request counts in: those of its org, user, run and window.

A sum is found by a keyed hash of whom it is for: no name of anybody is in `state/`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from lectr_lab.budgets.windows import RUN, Window, window_of
from lectr_lab.config.budget_settings import EACH, BudgetSettings
from lectr_lab.core.event import UNTAGGED
from lectr_lab.core.identity.keyed_hash import KeyedHash

PUSD_PER_USD = 10**12
NEAR = 0.8
"""The part of a budget at which it is said that little is left."""

_MOST_KEPT = 10_000
_BETWEEN = "\x1f"


class Whose(NamedTuple):
    """Whom a request is of, in the columns that budgets go by."""

    org: str
    key: str | None = None
    feature: str | None = None
    user: str | None = None
    session: str | None = None


class Sum(NamedTuple):
    """Where a request counts: a budget's sum of one window."""

    meter: "Meter"
    key: bytes  # 16
    window: Window


class Meter:
    """One budget, as it is counted.

    Args:
        budget: as lectr.toml has it.
        hashes: under the lab's secret.
    """

    def __init__(self, budget: BudgetSettings, hashes: KeyedHash) -> None:
        self.budget, self._hashes = budget, hashes
        self.limit = round(budget.usd * PUSD_PER_USD)
        self.near = round(self.limit * NEAR)
        self.stops = budget.action == "stop"
        of = budget.of
        self.columns = tuple(of)
        self._wanted = [(Whose._fields.index(column), of[column]) for column in of]
        told = (budget.title, budget.per, budget.tz, *of, *of.values())
        self.id = hashes.of(_BETWEEN.join(("budget", *told)))[:16]
        self._window = RUN if budget.by_run else Window(0.0, 0.0)
        self._sums: dict[tuple[str, ...], Sum] = {}

    def sum_of(self, whose: Whose, at_s: float) -> Sum | None:
        """Where a request of that moment counts; None where the budget is not its.

        >>> hashes = KeyedHash("a secret")
        >>> users = Meter(BudgetSettings(usd=5, per="day", whom="user"), hashes)
        >>> users.sum_of(Whose("acme"), 0.0)
        >>> users.sum_of(Whose("acme", user="jane"), 0.0).window
        Window(start_s=0.0, end_s=86400.0)
        """
        names = self.names_of(whose)
        if names is None:
            return None
        found = self._sums.get(names)
        if found is None or not found.window.start_s <= at_s < found.window.end_s:
            if len(self._sums) >= _MOST_KEPT:
                self._sums.clear()
            window = self.window(at_s)
            found = self._sums[names] = Sum(self, self.key(names, window), window)
        return found

    def names_of(self, whose: Whose) -> tuple[str, ...] | None:
        """Whose sum it is, of each; None where the budget is not that request's."""
        names: tuple[str, ...] = ()
        for place, wanted in self._wanted:
            name = whose[place]
            if name is None and place == 2:  # a feature
                name = UNTAGGED
            if wanted == EACH:
                if name is None:
                    return None
                names = (*names, name)
            elif name != wanted:
                return None
        return names

    def key(self, names: Sequence[str], window: Window) -> bytes:
        """Of a sum, its 16 bytes in the state."""
        told = (self.id, str(window.start_s), *names)
        return bytes.fromhex(self._hashes.of(_BETWEEN.join(told)))

    def window(self, at_s: float) -> Window:
        """The window of a moment; mostly that of the request before."""
        if not self._window.has(at_s):
            self._window = window_of(self.budget.per, self.budget.tz, at_s)
        return self._window


class Sums:
    """Where requests count that are of the same names: mostly as one before.

    Args:
        meters: the budgets that may be theirs.
    """

    def __init__(self, meters: Sequence[Meter]) -> None:
        self._meters = meters
        columns = {column for meter in meters for column in meter.columns}
        self.by_key, self.by_feature = "key" in columns, "feature" in columns
        self.by_user, self.by_session = "user" in columns, "session" in columns
        self._known: dict[tuple[str | None, ...], tuple[list[Sum], Window]] = {}

    def __bool__(self) -> bool:
        """There are some."""
        return bool(self._meters)

    def of(
        self,
        org: str,
        key: str | None,
        feature: str | None,
        user: str | None,
        session: str | None,
        at_s: float,
    ) -> Sequence[Sum]:
        """Where a request of that moment counts, by the fields of `Whose`; those that no
        budget goes by are not looked at."""
        names = (
            org,
            key if self.by_key else None,
            feature if self.by_feature else None,
            user if self.by_user else None,
            session if self.by_session else None,
        )
        known = self._known.get(names)
        if known is not None:
            sums, (begins_s, ends_s) = known
            if begins_s <= at_s < ends_s:
                return sums
        whose = Whose._make(names)
        found = [meter.sum_of(whose, at_s) for meter in self._meters]
        sums = [one for one in found if one is not None]
        windows = [one.window for one in sums]
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        begins_s = max((window.start_s for window in windows), default=RUN.start_s)
        ends_s = min((window.end_s for window in windows), default=RUN.end_s)
        self._known[names] = sums, Window(begins_s, ends_s)
        return sums
