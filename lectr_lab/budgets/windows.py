"""From when until when a budget's dollars are counted together, in its time zone."""

import math
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

RUN_KEPT_S = 30 * 86_400.0
"""A run has no end of its own: it is over when nothing came for so long."""


class Window(NamedTuple):
    """Seconds since 1970, the end left out; a run's has neither end."""

    start_s: float
    end_s: float

    def has(self, at_s: float) -> bool:
        """The moment is in it."""
        return self.start_s <= at_s < self.end_s


RUN = Window(0.0, math.inf)


def window_of(per: str, tz: str, at_s: float) -> Window:
    """The window that a moment is in.

    Args:
        per: day, week, month; else it is a run's.
        tz: the time zone in which days begin.
        at_s: seconds since 1970.

    >>> autumn = datetime(2026, 10, 25, 12, tzinfo=UTC).timestamp()
    >>> day = window_of("day", "Europe/Berlin", autumn)
    >>> (day.end_s - day.start_s) / 3600
    25.0
    """
    if per not in ("day", "week", "month"):
        return RUN
    zone = ZoneInfo(tz)
    today = datetime.fromtimestamp(at_s, zone).date()
    if per == "day":
        first, after = today, today + timedelta(days=1)
    elif per == "week":
        first = today - timedelta(days=today.weekday())
        after = first + timedelta(days=7)
    else:
        first = today.replace(day=1)
        after = (first + timedelta(days=31)).replace(day=1)
    return Window(_begins_s(first, zone), _begins_s(after, zone))


def told_moment(at_s: float, tz: str) -> str:
    """A moment as a person reads it in a time zone; "" where it never comes.

    >>> told_moment(1_798_761_600.0, "Europe/Berlin")
    '2027-01-01 01:00 Europe/Berlin'
    """
    if math.isinf(at_s):
        return ""
    return f"{datetime.fromtimestamp(at_s, ZoneInfo(tz)):%Y-%m-%d %H:%M} {tz}"


def _begins_s(day: date, zone: tzinfo) -> float:
    """The first moment of a day. Where midnight is skipped, that of the change."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return midnight.astimezone(UTC).timestamp()
