"""Tells requests that are sent again after a failure: agents do so by themselves, and say
it in no header.

What was sent is known by its length and CRC-32, for ten minutes, in memory (of this
process, or of all workers of a port): of a key's own bodies of one length, one pair in
four billion is taken for one. A body over 256 KB is not looked at.
"""

import time
import zlib
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeAlias

from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange

MOST_BYTES = 256 * 1024
WITHIN_S = 600.0
_MOST_FAILED = 4096
_MOST_RUNNING = 65_536  # more than there can be connections

_Asked: TypeAlias = tuple[str, str, int, int]


class Failures(Protocol):
    """When requests failed, by what was asked."""

    def name(self, key_id: str, operation: str, size_bytes: int, crc32: int, /) -> Any:
        """What is called by a name: whose key, what kind of call, which body."""

    def get(self, asked: Any, /) -> float | None:
        """When it last failed; None: it has not, or that is forgotten."""

    def add(self, asked: Any, failed_s: float, /) -> None:
        """It has failed."""

    def forget(self, asked: Any, /) -> None:
        """It has not, this time."""


class OwnFailures:
    """Those of this process."""

    def __init__(self) -> None:
        self._failed_s: OrderedDict[_Asked, float] = OrderedDict()

    def name(self, *asked: *_Asked) -> _Asked:
        """All of it."""
        return asked

    def get(self, asked: _Asked) -> float | None:
        """When it last failed."""
        return self._failed_s.get(asked)

    def add(self, asked: _Asked, failed_s: float) -> None:
        """It has failed, later than all others."""
        self._failed_s[asked] = failed_s
        if len(self._failed_s) > _MOST_FAILED:
            self._failed_s.popitem(last=False)

    def forget(self, asked: _Asked) -> None:
        """It has not, this time."""
        self._failed_s.pop(asked, None)


class Retries:
    """Remembers what failed.

    What is asked again while it still runs, or after it was answered, is no retry.

    Args:
        now_s: any clock that goes on; where failures are shared, one that is, too.
        shared: the failures of all workers of a port; None: of this process alone.
    """

    name, active = "retries", True
    at_end_only = False

    def __init__(
        self,
        now_s: Callable[[], float] = time.monotonic,
        shared: Failures | None = None,
    ) -> None:
        self._now_s, self._is_shared = now_s, shared is not None
        self._running: dict[bytes, tuple[Any, float]] = {}
        self._failures: Failures = OwnFailures() if shared is None else shared

    def begin(self, exchange: Exchange, body: memoryview) -> None:
        """Say of a request whether the same one has failed; where that cannot be seen
        (no body, or a large one), say nothing."""
        if not 0 < len(body) <= MOST_BYTES:
            return
        which = len(body), zlib.crc32(body)
        asked = self._failures.name(exchange.key.key_id, exchange.operation, *which)
        now_s = self._now_s()
        exchange.retry_of_failed = self._has_failed(asked, now_s)
        if len(self._running) < _MOST_RUNNING:
            self._running[exchange.event_id] = asked, now_s
            if self._is_shared and not exchange.retry_of_failed:
                # Its client may have known before the other worker had said so.
                exchange.taps.append(partial(self._look_again, exchange))

    def ended(self, event: Event) -> None:
        """Remember it, if it failed; forget it, if it did not."""
        asked, began_s = self._running.pop(event.event_id, (None, 0.0))
        if asked is None:
            return
        self._failures.forget(asked)
        if event.outcome == "ok" and (event.status or 0) < 400:
            return
        failed_s = self._now_s()
        if self._is_shared and event.ttfb_ms is not None:
            # Whoever asks once more elsewhere may do so before this is said.
            failed_s = min(failed_s, began_s + event.ttfb_ms / 1000)
        self._failures.add(asked, failed_s)

    def _has_failed(self, asked: Any, now_s: float) -> bool:
        failed_s = self._failures.get(asked)
        return failed_s is not None and 0 <= now_s - failed_s <= WITHIN_S

    def _look_again(self, exchange: Exchange, _: bytes) -> bool:
        running = self._running.get(exchange.event_id)
        if running is not None:
            exchange.retry_of_failed = self._has_failed(*running)
        return True

    def about(self) -> dict[str, Any]:
        """Nothing for /health."""
        return {}

    def start(self) -> None:
        """There is nothing to begin."""

    def stop(self) -> None:
        """Nor to end."""
