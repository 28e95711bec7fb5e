"""What GET /health says: counts of this process. It names an organisation to nobody but
whoever has the admin secret: who can reach the port can read the rest."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

_KEPT_MINUTES = 60
_HIDDEN = frozenset(
    {"name", "for", "usd", "spent_usd", "held_usd", "lost_usd", "left_usd"}
)


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

    def about(self) -> dict[str, Any]:
        """For whoever looks at /health."""
        return {
            "in_flight": self.in_flight,
            "unknown_callers": self.unknown,
            "unknown_callers_per_minute": self.unknown_per_minute(),
            "internal_errors": self.internal_errors,
        }


def merged(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What all parts say: lists follow each other, mappings are filled up, and of the
    rest the first word stands.

    >>> merged([{"warnings": ["a"], "n": 1}, {"warnings": ["b"]}])
    {'warnings': ['a', 'b'], 'n': 1}
    """
    all_of_it: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            before = all_of_it.get(name)
            if isinstance(before, list):
                all_of_it[name] = [*before, *value]
            elif isinstance(before, dict):
                all_of_it[name] = value | before
            elif name not in all_of_it:
                all_of_it[name] = value
    return all_of_it


def health(
    parts: Iterable[Mapping[str, Any]], *, name_orgs: bool = False
) -> dict[str, Any]:
    """The reply to GET /health.

    Args:
        parts: what each part of the proxy says of itself; `warnings` are sentences, and
            `org_warnings` pairs of an organisation and what is said of it.
        name_orgs: whoever asks may know which organisation it is.

    >>> health([{"org_warnings": [("me", "is over.")]}])["warnings"]
    ['An organisation is over.']
    """
    whole = merged([{"status": "ok", "faults": {}, "warnings": []}, *parts])
    of_orgs = whole.pop("org_warnings", [])
    said = (
        f"{org if name_orgs else 'An organisation'} {what}" for org, what in of_orgs
    )
    whole["warnings"] = [*whole["warnings"], *dict.fromkeys(said)]
    if not name_orgs and "budgets" in whole:
        whole["budgets"] = without_names(whole["budgets"])
    return whole


def without_names(states: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What whoever reaches the port may read of budgets: neither whose nor how much.

    >>> without_names([{"name": "org a, a day, stop", "usd": 5.0, "state": "ok"}])
    [{'state': 'ok'}]
    """
    return [{k: v for k, v in one.items() if k not in _HIDDEN} for one in states]
