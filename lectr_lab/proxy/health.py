"""What GET /health says: counts of this process, and nobody's name but an operator's."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from lectr_lab.proxy.observers.outbox import OutboxCounts
from lectr_lab.proxy.observers.spend_cap import SpendWatch

_KEPT_MINUTES = 60


class Callers:
    """What is counted of requests: how many are running, how many were not ours.

    Of an unknown caller nothing is kept but that there was one, and in which minute.
    """

    def __init__(self, utc_s: Callable[[], float] = time.time) -> None:
        self.in_flight = 0
        self.unknown = 0
        self.internal_errors = 0
        self._utc_s = utc_s
        self._minutes: deque[tuple[int, int]] = deque(maxlen=_KEPT_MINUTES)

    def count_unknown(self) -> None:
        """One more request without a key of ours."""
        self.unknown += 1
        minute, count = int(self._utc_s() // 60), 1
        if self._minutes and self._minutes[-1][0] == minute:
            count += self._minutes.pop()[1]
        self._minutes.append((minute, count))

    def unknown_per_minute(self) -> dict[str, int]:
        """Those of the last hour, by UTC minute; a minute without any is left out."""
        since = int(self._utc_s() // 60) - _KEPT_MINUTES
        return {
            f"{datetime.fromtimestamp(minute * 60, UTC):%Y-%m-%dT%H:%MZ}": count
            for minute, count in self._minutes
            if minute > since
        }


def health(
    counts: OutboxCounts,
    callers: Callers,
    spend: SpendWatch,
    rules: dict[str, Any],
    shadows: dict[str, int] | None,
    counting: int = 0,
    warnings: Sequence[str] = (),
) -> dict[str, Any]:
    """The reply to GET /health.

    Amounts are not in it: whoever can reach the port can read it.
    """
    return {
        "status": "ok",
        "writer": "failing" if counts.failing else "ok",
        "in_flight": callers.in_flight,
        "unknown_callers": callers.unknown,
        "unknown_callers_per_minute": callers.unknown_per_minute(),
        "internal_errors": callers.internal_errors,
        "queue_depth": counts.queued,
        "counting": counting,  # events whose tokens are being counted
        "events": {
            "received": counts.received,
            "written": counts.written,
            "dropped": counts.dropped,
        },
        "unread": counts.unread._asdict(),  # of the folder's journal, by sealers
        "rules": rules,
        "shadows": shadows,
        "warnings": [
            *spend.warnings(),
            *filter(None, [rules["problem"]]),
            *_journal_warnings(counts),
            *warnings,
        ],
    }


def _journal_warnings(counts: OutboxCounts) -> Iterator[str]:
    if counts.unread.batches:
        lost = counts.unread.in_words()
        yield f"Log incomplete: {lost}. `lectr-lab doctor` names the files."
    if counts.unsealed:
        yield "Sealing the journal met a fault; `lectr-lab doctor` says which."
