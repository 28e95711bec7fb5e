"""What an organisation may ask: requests a minute, streams at once. One process counts
in its memory; the workers of one port count together (`shared_limits`).

The `limits` library (5.8) counts as well, but takes 6 to 13 µs a request and 120 ms to
import, against 0.5 µs here, and its fixed windows let twice the limit through where two
of them meet.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from lectr_lab.config.settings import OrgSettings, Settings
from lectr_lab.core import error_responses
from lectr_lab.core.error_responses import Refusal
from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange
from lectr_lab.proxy.gates import shared_limits
from lectr_lab.proxy.gates.gate import Gate
from lectr_lab.proxy.stderr import say

_WINDOW_S = 60.0


def limits(
    orgs: Mapping[str, OrgSettings],
    now_s: Callable[[], float],
    shared: Path | None = None,
) -> tuple[Gate, ...]:
    """The gates that are configured: what has no limit is not counted.

    Args:
        orgs: by name.
        now_s: a clock that goes on; where it is shared, one that all processes share.
        shared: the lab's `state/`, where other processes count as well.

    >>> limits({"acme": OrgSettings(concurrent_streams=2)}, lambda: 0.0)[0].name
    'concurrent_streams'
    """
    rates = {
        org: own.requests_per_minute
        for org, own in orgs.items()
        if own.requests_per_minute is not None
    }
    streams = {
        org: own.concurrent_streams
        for org, own in orgs.items()
        if own.concurrent_streams is not None
    }
    if shared is not None and (rates or streams):
        try:
            return _shared(rates, streams, shared_limits.made(shared), now_s)
        except OSError as error:
            say(shared_limits.alone(error), code="limits", level="warning")
    gates: list[Gate] = []
    if rates:
        gates.append(RequestRate(rates, now_s))
    if streams:
        gates.append(ConcurrentStreams(streams))
    return tuple(gates)


def _shared(
    rates: Mapping[str, int],
    streams: Mapping[str, int],
    folder: Path,
    now_s: Callable[[], float],
) -> tuple[Gate, ...]:
    gates: list[Gate] = []
    if rates:
        gates.append(shared_limits.SharedRate(rates, folder, now_s))
    if streams:
        gates.append(shared_limits.SharedStreams(streams, folder))
    return tuple(gates)


class RequestRate:
    """Counts each organisation's requests.

    Exact: within any 60 seconds no more than the limit are admitted. A refused request
    does not count, so a client that keeps asking is let in in its turn.
    """

    name, at_head = "requests_per_minute", True

    def __init__(self, limits: Mapping[str, int], now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._admitted_s: dict[str, deque[float]] = {
            org: deque(maxlen=limit) for org, limit in limits.items()
        }

    def go_on(self, before: "RequestRate") -> None:
        """Count on where another left off: the limits were read again."""
        for org, admitted_s in before._admitted_s.items():
            if org in self._admitted_s:
                self._admitted_s[org].extend(admitted_s)

    def admit(self, exchange: Exchange) -> Refusal | None:
        """Count a request, or say why not."""
        admitted_s = self._admitted_s.get(exchange.key.org)
        if admitted_s is None:
            return None
        now_s, limit = self._now_s(), admitted_s.maxlen or 0
        if len(admitted_s) < limit or now_s - admitted_s[0] >= _WINDOW_S:
            admitted_s.append(now_s)  # the oldest falls out
            return None
        wait_s = admitted_s[0] + _WINDOW_S - now_s
        return error_responses.rate_limited(limit, max(1, math.ceil(wait_s)))

    def ended(self, event: Event) -> None:
        """It counts all the same."""


class ConcurrentStreams:
    """Gives each stream of an organisation a place while it runs."""

    name, at_head = "concurrent_streams", False

    def __init__(self, limits: Mapping[str, int]) -> None:
        self._limits = limits
        self._running: dict[str, set[bytes]] = {org: set() for org in limits}

    def go_on(self, before: "ConcurrentStreams") -> None:
        """Count on where another left off; what it let in, it lets out."""
        own = set(self._running)
        self._running = before._running
        for org in own:
            self._running.setdefault(org, set())

    def admit(self, exchange: Exchange) -> Refusal | None:
        """Take a place, or say that there is none. What is no stream needs none."""
        org = exchange.key.org
        limit = self._limits.get(org)
        if limit is None or not exchange.request.stream:
            return None
        if len(self._running[org]) >= limit:
            return error_responses.too_many_streams(limit)
        self._running[org].add(exchange.event_id)
        return None

    def ended(self, event: Event) -> None:
        """Give the place back."""
        if event.org in self._running:
            self._running[event.org].discard(event.event_id)


def max_body_bytes(settings: Settings, org: str) -> int:
    """The largest body an organisation may send: its own limit, else the proxy's.

    >>> max_body_bytes(Settings(), "acme")
    33554432
    """
    own = settings.orgs.get(org)
    return (own and own.max_body_bytes) or settings.max_body_bytes
