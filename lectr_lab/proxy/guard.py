"""Calls of parts that a request must not depend on: their faults are counted, not felt."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar, TypeVarTuple

_Ts = TypeVarTuple("_Ts")
_T = TypeVar("_T")

SLOW_S = 0.05  # all that we do for a request takes 0.2 ms of processor time
_MOST_SLOW = 5  # calls within so many seconds:
_WITHIN_S = 60.0


class Guard:
    """Calls one part of the proxy. It never raises, and says how often that part did.

    Nothing can interrupt a call on the event loop. So a part that is slow five times
    within a minute is called no more, if it can be done without: that bounds its cost.

    Args:
        name: of the part, as /health shows it.
        now_s: any clock that goes on.
        needed: it is called however slow it is.
    """

    def __init__(
        self,
        name: str,
        now_s: Callable[[], float] = time.perf_counter,
        *,
        needed: bool = False,
    ) -> None:
        self._name, self._now_s, self._needed = name, now_s, needed
        self._raised = self._slow = 0
        self._slow_at_s: deque[float] = deque(maxlen=_MOST_SLOW)
        self.off = False

    def call(self, part: Callable[[*_Ts], _T], *args: *_Ts) -> _T | None:
        """What the part returns; None where it raised, or is called no more."""
        if self.off:
            return None
        began_s = self._now_s()
        try:
            return part(*args)
        except Exception:  # noqa: BLE001 - its text could hold a client's words
            self.raised()
            return None
        finally:
            if self._now_s() - began_s >= SLOW_S:
                self.was_slow(began_s)

    # For who calls several parts, one after another, and looks at the clock in between

    def raised(self) -> None:
        """The part did."""
        self._raised += 1

    def was_slow(self, began_s: float) -> None:
        """The part, called then, took `SLOW_S` or more."""
        self._slow += 1
        self._slow_at_s.append(began_s)
        many = len(self._slow_at_s) == _MOST_SLOW
        if many and began_s - self._slow_at_s[0] < _WITHIN_S:
            self.off = not self._needed

    def about(self) -> dict[str, Any]:
        """For whoever looks at /health: nothing, while nothing is wrong.

        >>> guard = Guard("shadows")
        >>> guard.call(lambda: 1 / 0), guard.about()["faults"]
        (None, {'shadows': {'raised': 1, 'slow': 0, 'off': False}})
        """
        if not (self._raised or self._slow):
            return {}
        counts = {"raised": self._raised, "slow": self._slow, "off": self.off}
        ended = ", and is called no more" if self.off else ""
        warning = (
            f"{self._name}: raised {self._raised} times, was slow {self._slow} "
            f"times{ended}. Requests went on."
        )
        return {"faults": {self._name: counts}, "warnings": [warning]}
