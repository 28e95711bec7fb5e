"""The budgets in force, and those of before that still have something set aside.

Settings that are read again may name other budgets. What was set aside for a request is
given back where it was.
"""

from typing import TYPE_CHECKING, Any

from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange

if TYPE_CHECKING:  # only with a budget: prices are large
    from lectr_lab.proxy.gates.budgets import Budgets


class Spending:
    """An observer: each event is told to the budgets that let its request pass."""

    name, at_end_only, needed = "budgets", True, True

    def __init__(self, now: "Budgets | None" = None) -> None:
        self.now = now
        self._before: list[Budgets] = []

    @property
    def active(self) -> bool:
        """There is a budget."""
        return self.now is not None or bool(self._before)

    def begin(self, exchange: Exchange, body: memoryview) -> None:
        """What it can cost was set aside."""

    def ended(self, event: Event) -> None:
        """A request is over: it is soon counted what it cost."""
        budgets = self.now
        for one in self._before:
            if one.holds(event.event_id):
                budgets = one
        if budgets is not None:
            budgets.ended(event)

    def about(self) -> dict[str, Any]:
        """For whoever looks at /health."""
        return self.now.about() if self.now else {}

    def start(self) -> None:
        """They count since they were made."""

    def follow(self, new: "Budgets | None") -> None:
        """These are in force from now on."""
        if new is not self.now:
            self._before += [self.now] if self.now else []
            self.now = new

    def tidy(self) -> bool:
        """Those that have nothing set aside any more end; True where none is left."""
        for one in [one for one in self._before if not one.holding]:
            self._before.remove(one)
            one.stop()
        return not self._before

    def stop(self) -> None:
        """Write what is still owed."""
        for one in [*self._before, *([self.now] if self.now else [])]:
            one.stop()
