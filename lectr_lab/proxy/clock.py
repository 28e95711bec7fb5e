"""What tells the proxy the time, and its dice: an argument, so that tests can fix them."""

import random
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Durations, the time of day, and random bits for ids."""

    def now_s(self) -> float:
        """Seconds of a clock that only goes forward, since any moment."""
        ...

    def utc_now(self) -> datetime:
        """The time of day, with UTC as its zone."""
        ...

    def random_bits(self, bits: int, /) -> int:
        """A number of that many bits."""
        ...


class SystemClock:
    """The machine's own.

    >>> SystemClock().now_s() <= SystemClock().now_s()
    True
    """

    now_s = staticmethod(time.perf_counter)
    random_bits = staticmethod(random.getrandbits)

    @staticmethod
    def utc_now() -> datetime:
        """The time of day."""
        return datetime.now(UTC)
