"""Which steps of time are whole: months, days (UTC) and quarters of an hour.

A cell says what was in a whole step. Where a time that is asked for ends within one, the
step is told apart.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from lectr_lab.analysis.views.selection import Period
from lectr_lab.analysis.views.time_steps import clock_seconds
from lectr_lab.log.folder import folder_date

QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
_MONTHS = re.compile(r"\d+(mo|q|y)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_quarters(step: str) -> bool:
    """A step begins where a quarter of an hour does.

    >>> is_quarters("45m"), is_quarters("7m"), is_quarters("1d")
    (True, False, True)
    """
    return clock_seconds(step) % QUARTER.total_seconds() == 0


def is_days(step: str) -> bool:
    """A step begins where a day does, in its own time zone."""
    return clock_seconds(step) % DAY.total_seconds() == 0


def is_months(step: str) -> bool:
    """A step begins where a month does.

    >>> is_months("1q"), is_months("1w")
    (True, False)
    """
    return _MONTHS.fullmatch(step) is not None


def is_hours(step: str) -> bool:
    """Its steps begin with hours."""
    return clock_seconds(step) % HOUR.total_seconds() == 0


def is_weeks(step: str) -> bool:
    """Its steps begin with weeks, or months."""
    return step == "1w" or is_months(step)


def begins_day(at: datetime) -> bool:
    """A moment is the start of a day."""
    return _since(at) % DAY == timedelta()


def begins_month(at: datetime) -> bool:
    """A moment is the start of a month."""
    return begins_day(at) and at.astimezone(UTC).day == 1


def days_cut(when: Period, begins: Callable[[datetime], bool]) -> frozenset[date]:
    """The days of those ends of a time that do not begin what they should."""
    some = (at for at in when if at is not None and not begins(at))
    return frozenset(at.astimezone(UTC).date() for at in some)


def months_around(days: frozenset[date]) -> frozenset[date]:
    """The months of days; and the next, whose files have what was written late.

    >>> [str(month) for month in sorted(months_around(frozenset({date(2026, 1, 31)})))]
    ['2026-01-01', '2026-02-01']
    """
    months = {day.replace(day=1) for day in days}
    return frozenset(months | {(month + 31 * DAY).replace(day=1) for month in months})


def month_of(part: Path) -> date | None:
    """The month of a file's day; None where its folder names none."""
    day = folder_date(part.parent)
    return None if day is None else day.replace(day=1)


def whole_steps(when: Period, step: timedelta) -> Period:
    """From the first to the last whole step within a time."""
    first, end = when
    begins = None if first is None else -(-_since(first) // step) * step
    stops = None if end is None else _since(end) // step * step
    return Period(
        None if begins is None else _EPOCH + begins,
        None if stops is None else _EPOCH + stops,
    )


def beside_steps(when: Period, step: timedelta) -> list[tuple[datetime, datetime]]:
    """What of a time is in no whole step of it, from the one to before the other."""
    (first, end), (begins, stops) = when, whole_steps(when, step)
    if begins and stops and begins > stops:
        assert first and end
        return [(first, end)] if first < end else []
    found = []
    if first and begins and first < begins:
        found.append((first, begins))
    if end and stops and stops < end:
        found.append((stops, end))
    return found


def _since(at: datetime) -> timedelta:
    return at - _EPOCH
