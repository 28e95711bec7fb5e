"""A clock that a tape drives: figures are those of the recording, to the microsecond.

It stands still while the program works, and moves when an answer's piece is played, to
the moment at which that piece came. Each request has a time of its own, so others that
run beside it change nothing. The time of day and the dice repeat as well: the n-th
request of a clock is always at the same second and has the same id.
"""

import random
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

FIRST_AT = datetime(2026, 1, 1, tzinfo=UTC)
_PASSED_MS: ContextVar[float] = ContextVar("lectr_lab_played_ms", default=0.0)


class PlayedClock:
    """The time as recorded. Give the same one to the proxy and to its `TapeEngine`.

    >>> clock = PlayedClock()
    >>> clock.now_s(), clock.utc_now() == FIRST_AT
    (0.0, True)
    """

    def __init__(self, first_at: datetime = FIRST_AT) -> None:
        self._first_at = first_at
        self._requests = 0
        self._dice = random.Random(0)

    def now_s(self) -> float:
        """Seconds since the running request began."""
        return _PASSED_MS.get() / 1000

    def play_until(self, at_ms: float) -> None:
        """Move the running request's time forward; it never goes back."""
        _PASSED_MS.set(max(at_ms, _PASSED_MS.get()))

    def utc_now(self) -> datetime:
        """The time of day: a second later whenever it is asked."""
        at = self._first_at + timedelta(seconds=self._requests)
        self._requests += 1
        return at

    def random_bits(self, bits: int) -> int:
        """The same numbers in the same order, every time."""
        return self._dice.getrandbits(bits)
