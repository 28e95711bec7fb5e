"""Gates: each may refuse a request, once its head is here or once all of it is.

A gate that raises lets the request pass: nothing of ours refuses by mistake. It answers
from memory, in microseconds; how often one was slower than 50 ms is in /health.
"""

import time
from collections.abc import Callable
from typing import Any, Protocol

from lectr_lab.core.error_responses import Refusal
from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange
from lectr_lab.proxy.guard import Guard


class Gate(Protocol):
    """What may refuse a request. One with `counts_nothing = True` is not told of those
    that are over."""

    name: str
    at_head: (
        bool  # asked before the body is read, when the exchange knows the head alone
    )

    def admit(self, exchange: Exchange) -> Refusal | None:
        """Why not, or None; what is counted for a request is counted here."""

    def ended(self, event: Event) -> None:
        """The request is over, whether it was admitted or not."""


class Gates:
    """Asks each in its order; the first that refuses has refused."""

    def __init__(
        self, *gates: Gate, now_s: Callable[[], float] = time.perf_counter
    ) -> None:
        self._all = [(Guard(one.name, now_s, needed=True), one) for one in gates]
        self._at_head = [pair for pair in self._all if pair[1].at_head]
        self._at_request = [pair for pair in self._all if not pair[1].at_head]
        self._at_end = [
            pair for pair in self._all if not getattr(pair[1], "counts_nothing", False)
        ]

    def admit_head(self, exchange: Exchange) -> Refusal | None:
        """The request's head is here."""
        return _first_refusal(self._at_head, exchange)

    def admit(self, exchange: Exchange) -> Refusal | None:
        """All of it is here, and read."""
        if not self._at_request:
            return None
        return _first_refusal(self._at_request, exchange)

    def ended(self, event: Event) -> None:
        """It is over."""
        for guard, gate in self._at_end:
            guard.call(gate.ended, event)

    def about(self) -> list[dict[str, Any]]:
        """For whoever looks at /health."""
        return [guard.about() for guard, _ in self._all]


def _first_refusal(
    gates: list[tuple[Guard, Gate]], exchange: Exchange
) -> Refusal | None:
    for guard, gate in gates:
        refusal = guard.call(gate.admit, exchange)
        if refusal is not None:
            return refusal
    return None
