"""Which two spans are compared: what "last week" is, and what was before it.

Days, weeks and months are those of a time zone. A span that is still running goes as far
as now, and what is before it goes as far.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from lectr_lab.analysis.views.select import Period, period
from lectr_lab.analysis.views.time_steps import zone
from lectr_lab.core.errors import LabError

Spanned = str | date | tuple[object, object] | None
"""A span in words, a day, or its two ends; None is chosen by what the log has."""

PREVIOUS = "previous"
_WORDS = re.compile(r"(last|this) (day|week|month)|today|yesterday")
_AS_WORDS = {"today": "this day", "yesterday": "last day"}
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_NO_SPAN = (
    "{!r} is not a span. Write last week, this month, yesterday, 7d, 2026-11, a day, or "
    "2026-11-01..2026-11-07; before may be previous."
)


class Span(NamedTuple):
    """From `first` to before `end`, of one time zone."""

    first: datetime
    end: datetime


class Reach(NamedTuple):
    """What a log has: its first and its last moment."""

    first_at: datetime
    last_at: datetime


def spans(
    before: Spanned,
    after: Spanned,
    reach: Reach | None,
    *,
    tz: str = "UTC",
    now: datetime,
) -> tuple[Span, Span]:
    """The two spans, the earlier one first as it was asked for.

    Args:
        before: as `compare` takes it; None or "previous" is what was before the other.
        after: likewise; None is the last whole week of the log, where it has two, else
            the later half of it.
        reach: what the log has; None where it is empty.
        tz: the time zone in which days begin.
        now: what "last week" and "7d" go by.

    Raises:
        LabError: words that are no span, or one that ends before it begins.

    >>> noon = datetime(2026, 11, 18, 12, tzinfo=UTC)
    >>> first, last = spans(None, "last week", None, now=noon)
    >>> f"{first.first:%d %b} to {first.end:%d %b}, then to {last.end:%d %b}"
    '02 Nov to 09 Nov, then to 16 Nov'
    """
    where = zone(tz)
    here = now.astimezone(where)
    if after is None:
        second, first = _of_the_log(reach, here)
        return (first if before in (None, PREVIOUS) else _span(before, here)), second
    second = _span(after, here)
    if before in (None, PREVIOUS):
        return _before(after, second, here), second
    return _span(before, here), second


def _of_the_log(reach: Reach | None, here: datetime) -> tuple[Span, Span]:
    """The last whole week and the one before; else the two halves of the days, or of the
    hours."""
    where = here.tzinfo
    if reach is None:
        end = _midnight(here)
        return Span(_back(end, 7), end), Span(_back(end, 14), _back(end, 7))
    begin, last = (moment.astimezone(where) for moment in reach)
    today = _midnight(last)
    end = _back(today, -1)
    if end > here:  # a day that is still running is not whole
        end = today
    monday = _back(end, end.weekday())
    first = _midnight(begin)
    if _back(monday, 14) >= first:
        return Span(_back(monday, 7), monday), Span(_back(monday, 14), _back(monday, 7))
    half = (end.date() - first.date()).days // 2
    if half:
        middle = _back(end, half)
        return Span(middle, end), Span(_back(middle, half), middle)
    length = (last - begin) / 2
    after_all = last + timedelta(microseconds=1)
    return Span(begin + length, after_all), Span(begin, begin + length)


def _span(said: Spanned, here: datetime) -> Span:
    if isinstance(said, str):
        return _in_words(" ".join(said.lower().split()), here) or _written(said, here)
    if isinstance(said, date) and not isinstance(said, datetime):
        first = datetime(said.year, said.month, said.day, tzinfo=here.tzinfo)
        return Span(first, _back(first, -1))
    if isinstance(said, Sequence) and len(said) == 2:
        return _of_ends(said[0], said[1], here)
    raise LabError(_NO_SPAN.format(said))


def _of_ends(first: object, end: object, here: datetime) -> Span:
    """Two ends, each a moment, a day (the last one included) or a text."""
    texts = []
    for one in (first, end):
        if not isinstance(one, str | date | None):
            raise LabError(_NO_SPAN.format((first, end)))
        texts.append(one.isoformat() if isinstance(one, date) else one)
    found = period(texts[0], texts[1], now=here, tz=str(here.tzinfo))
    return _closed(found, here, (first, end))


def _written(said: str, here: datetime) -> Span:
    """`2026-11`, `7d`, a day, or a period with dots."""
    month = _MONTH.fullmatch(said.strip())
    if month is not None and 1 <= int(month[2]) <= 12:
        first = datetime(int(month[1]), int(month[2]), 1, tzinfo=here.tzinfo)
        return Span(first, _month(first, 1))
    try:
        is_one_day = ".." not in said and date.fromisoformat(said.strip())
        until = said if is_one_day else None
        found = period(said, until, now=here, tz=str(here.tzinfo))
    except (LabError, ValueError):
        pass
    else:
        return _closed(found, here, said)
    try:
        return _closed(period(said, now=here, tz=str(here.tzinfo)), here, said)
    except LabError:
        raise LabError(_NO_SPAN.format(said)) from None


def _closed(found: Period, here: datetime, said: object) -> Span:
    """With both ends; what is open at its end goes as far as now."""
    if found.first is None:
        raise LabError(f"{said!r} has no beginning; write both ends.")
    end = here if found.end is None else found.end
    if end <= found.first:
        raise LabError(f"The span ends before it begins: {said!r}.")
    return Span(*(at.astimezone(here.tzinfo) for at in (found.first, end)))


def _in_words(said: str, here: datetime) -> Span | None:
    """ "last week", "this month", "yesterday"; None where it is none of these."""
    if not _WORDS.fullmatch(said):
        return None
    which, step = _AS_WORDS.get(said, said).split()
    first = _start(step, here)
    if which == "last":
        return Span(_stepped(step, first, -1), first)
    return Span(first, max(here, first + timedelta(microseconds=1)))


def _before(said: Spanned, span: Span, here: datetime) -> Span:
    """What was before: of a calendar's span the one before it, and of one that is still
    running as much of that; else as many days, or as long a time."""
    step = _step_of(said)
    if step is not None:
        first = _stepped(step, span.first, -1)
        if span.end == _stepped(step, span.first, 1):
            return Span(first, span.first)
        wall = _wall(first) + (_wall(span.end) - _wall(span.first))
        return Span(first, min(wall.replace(tzinfo=here.tzinfo), span.first))
    whole_days = all(at == _midnight(at) for at in span)
    if whole_days:
        return Span(
            _back(span.first, (span.end.date() - span.first.date()).days), span.first
        )
    length = span.end.astimezone(UTC) - span.first.astimezone(UTC)
    return Span(
        (span.first.astimezone(UTC) - length).astimezone(here.tzinfo), span.first
    )


def _step_of(said: Spanned) -> str | None:
    """Of a calendar's span, what it is one of."""
    if not isinstance(said, str):
        return None
    text = " ".join(said.lower().split())
    if _WORDS.fullmatch(text):
        return _AS_WORDS.get(text, text).split()[1]
    return "month" if _MONTH.fullmatch(text) else None


def _start(step: str, at: datetime) -> datetime:
    today = _midnight(at)
    if step == "week":
        return _back(today, today.weekday())
    return today.replace(day=1) if step == "month" else today


def _stepped(step: str, at: datetime, n: int) -> datetime:
    steps: dict[str, Callable[[], datetime]] = {
        "day": lambda: _back(at, -n),
        "week": lambda: _back(at, -7 * n),
        "month": lambda: _month(at, n),
    }
    return steps[step]()


def _month(at: datetime, n: int) -> datetime:
    """The first day of the month so many months on."""
    months = at.year * 12 + at.month - 1 + n
    return at.replace(year=months // 12, month=months % 12 + 1, day=1)


def _back(at: datetime, days: int) -> datetime:
    """So many days before, at the same time of the clock."""
    return at - timedelta(days=days)


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


def _wall(at: datetime) -> datetime:
    return at.replace(tzinfo=None)


def named(span: Span) -> str:
    """A span in words: its days, or its moments where it has none.

    >>> of = Span(datetime(2026, 11, 9, tzinfo=UTC), datetime(2026, 11, 16, tzinfo=UTC))
    >>> named(of)
    '9 to 15 Nov 2026'
    """
    first, end = span
    if not all(at == _midnight(at) for at in span):
        return f"{first:%-d %b %Y %H:%M} to {end:%-d %b %Y %H:%M}"
    last = _back(end, 1)
    if first.date() == last.date():
        return f"{first:%-d %b %Y}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {last:%-d %b %Y}"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first:%-d %b}{year} to {last:%-d %b %Y}"


def zone_of(span: Span) -> str:
    """Its time zone, where that is not UTC."""
    where = span.first.tzinfo
    name = where.key if isinstance(where, ZoneInfo) else "UTC"
    return "" if name == "UTC" else f" {name}"
