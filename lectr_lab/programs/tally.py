"""What passed while a program ran: which events there were, for the line at the end."""

from datetime import date
from typing import Any

import msgspec

from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange


class Passed(msgspec.Struct):
    """Requests that are over: their events' ids, their days (UTC), how many failed."""

    event_ids: list[bytes] = []
    days: set[date] = set()
    failed: int = 0


class Tally:
    """An observer that keeps count.

    >>> Tally().passed
    Passed(event_ids=[], days=set(), failed=0)
    """

    name, active = "tally", True
    at_end_only = True

    def __init__(self) -> None:
        self.passed = Passed()

    def begin(self, exchange: Exchange, body: memoryview) -> None:
        """Only what is over is counted."""

    def ended(self, event: Event) -> None:
        """One more."""
        self.passed.event_ids.append(event.event_id)
        self.passed.days.add(event.started_at.date())
        self.passed.failed += event.outcome != "ok"

    def about(self) -> dict[str, Any]:
        """Nothing that /health does not say already."""
        return {}

    def start(self) -> None:
        """Nothing to start."""

    stop = start
