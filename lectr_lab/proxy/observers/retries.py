"""Tells requests that are sent again after a failure: agents do so by themselves, and say
it in no header.

What was sent is known by its length and CRC-32, for ten minutes, in this process's
memory: of a key's own bodies of one length, one pair in four billion is taken for one.
A body over 256 KB is not looked at.
"""

import time
import zlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeAlias

from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange

MOST_BYTES = 256 * 1024
WITHIN_S = 600.0
_MOST_FAILED = 4096
_MOST_RUNNING = 65_536  # more than there can be connections

# Whose key, what kind of call, which body.
_Asked: TypeAlias = tuple[str, str, int, int]


class Retries:
    """Remembers what failed. `now_s` is any clock that goes on.

    What is asked again while it still runs, or after it was answered, is no retry.
    """

    name, active = "retries", True
    at_end_only = False

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._running: dict[bytes, _Asked] = {}
        self._failed_s: OrderedDict[_Asked, float] = OrderedDict()

    def begin(self, exchange: Exchange, body: memoryview) -> None:
        """Say of a request whether the same one has failed; where that cannot be seen
        (no body, or a large one), say nothing."""
        if not 0 < len(body) <= MOST_BYTES:
            return
        which = len(body), zlib.crc32(body)
        asked = (exchange.key.key_id, exchange.operation, *which)
        failed_s = self._failed_s.get(asked)
        exchange.retry_of_failed = (
            failed_s is not None and self._now_s() - failed_s <= WITHIN_S
        )
        if len(self._running) < _MOST_RUNNING:
            self._running[exchange.event_id] = asked

    def ended(self, event: Event) -> None:
        """Remember it, if it failed; forget it, if it did not."""
        asked = self._running.pop(event.event_id, None)
        if asked is None:
            return
        self._failed_s.pop(asked, None)
        if event.outcome == "ok" and (event.status or 0) < 400:
            return
        self._failed_s[asked] = self._now_s()
        if len(self._failed_s) > _MOST_FAILED:
            self._failed_s.popitem(last=False)

    def about(self) -> dict[str, Any]:
        """Nothing for /health."""
        return {}

    def start(self) -> None:
        """There is nothing to begin."""

    def stop(self) -> None:
        """Nor to end."""
