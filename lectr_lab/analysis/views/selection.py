"""Which part of a log is meant: names, and a time. `select` is the door to it."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, Self
from zoneinfo import ZoneInfo

import polars as pl

from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.columns import column
from lectr_lab.analysis.views.time_steps import zone
from lectr_lab.core.errors import LabError
from lectr_lab.core.event import unnamed

_AGO = re.compile(r"(\d{1,6})\s*(m|h|d|w)")
_NO_TIME = (
    "{!r} is not a time. Write 24h, 7d, 2026-11-01, 2026-11-01T09:30 or "
    "2026-11-01..2026-11-07."
)
_STEPS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

Names = str | Sequence[str] | None
"""One name, several, or None for all."""


class Period(NamedTuple):
    """From `first` to before `end`, both with a time zone; None is open."""

    first: datetime | None = None
    end: datetime | None = None


class Selection(NamedTuple):
    """What rows must be to be looked at: one of these names in each of these columns,
    sent in this time. Nothing is asked where there is none."""

    names: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    when: Period = Period()

    @property
    def columns(self) -> set[str]:
        """The columns that are asked for a name."""
        return {name for name, _ in self.names}

    def of_columns(self, some: Collection[str]) -> Self:
        """What it asks of these columns, and of the time."""
        return self._replace(names=tuple(one for one in self.names if one[0] in some))

    def and_(self, other: Self) -> Self:
        """What fits both."""
        firsts = [one.when.first for one in (self, other) if one.when.first is not None]
        ends = [one.when.end for one in (self, other) if one.when.end is not None]
        when = Period(max(firsts, default=None), min(ends, default=None))
        return self._replace(names=self.names + other.names, when=when)

    def of(self, log: pl.LazyFrame) -> pl.LazyFrame:
        """The rows of a log that fit.

        Raises:
            LabError: a column that the log does not have.
        """
        # What a log has is not looked at where nothing is asked of it.
        types = log.collect_schema() if self.names else pl.Schema()
        fits = self.fits(types)
        return log.filter(*fits) if fits else log

    def fits(self, types: pl.Schema) -> list[pl.Expr]:
        """What is asked of a row of a frame of such columns.

        Raises:
            LabError: a column that there is not.
        """
        fits = [_is_one(name, list(some), types) for name, some in self.names]
        at, (first, end) = pl.col("started_at"), self.when
        if first is not None:
            fits.append(at >= first.astimezone(UTC))
        if end is not None:
            fits.append(at < end.astimezone(UTC))
        return fits


ALL = Selection()
"""Nothing is asked: every row."""


def selection(
    names: Mapping[str, Any],
    since: str | None = None,
    until: str | None = None,
    *,
    tz: str = "UTC",
    now: datetime | None = None,
) -> Selection:
    """What `select` is asked, in the form that logs are narrowed by.

    Args:
        names: by column, one name, several, or None for all.
        since: as `select` takes it, as are the rest.
        until: likewise.
        tz: the time zone in which days begin.
        now: what "24h" counts back from.

    Raises:
        LabError: a time that cannot be read.

    >>> selection({"feature": "chat", "org": None}).names
    (('feature', ('chat',)),)
    """
    wanted = {name: _list(some) for name, some in names.items() if some is not None}
    when = period(since, until, tz=tz, now=now or datetime.now(UTC))
    return Selection(tuple((name, tuple(some)) for name, some in wanted.items()), when)


def period(
    since: str | None, until: str | None = None, *, now: datetime, tz: str = "UTC"
) -> Period:
    """What `since` and `until` say, as moments.

    >>> noon = datetime(2026, 11, 2, 12, tzinfo=UTC)
    >>> period("24h", now=noon).first.isoformat()
    '2026-11-01T12:00:00+00:00'
    >>> period("2026-11-01..2026-11-07", now=noon).end.isoformat()
    '2026-11-08T00:00:00+00:00'
    """
    where = zone(tz)
    if since is not None and ".." in since:
        if until is not None:
            raise LabError(
                f"since={since!r} is a whole period: leave out until={until!r}, or the dots."
            )
        since, until = (end.strip() or None for end in since.split("..", 1))
    first = None if since is None else _start(since, where, now)
    end = None if until is None else _end(until, where, now)
    if first is not None and end is not None and end <= first:
        raise LabError(f"The period ends before it begins: {since} to {until}.")
    return Period(first, end)


def _start(text: str, where: ZoneInfo, now: datetime) -> datetime:
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return _back(now, ago)
    return _moment(text, where)


def _end(text: str, where: ZoneInfo, now: datetime) -> datetime:
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return _back(now, ago)
    if not _is_day(text):
        return _moment(text, where)
    try:
        next_day = date.fromisoformat(text.strip()) + timedelta(days=1)
    except OverflowError:
        raise LabError(_NO_TIME.format(text)) from None
    return datetime(next_day.year, next_day.month, next_day.day, tzinfo=where)


def _back(now: datetime, ago: re.Match[str]) -> datetime:
    try:
        return now - timedelta(**{_STEPS[ago[2]]: int(ago[1])})
    except OverflowError:
        raise LabError(f"{ago[0]} is longer ago than any log.") from None


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text.strip())
    except ValueError:
        return False
    return True


def _moment(text: str, where: ZoneInfo) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo is not None else at.replace(tzinfo=where)).astimezone(
            UTC
        )
    except (ValueError, OverflowError):
        raise LabError(_NO_TIME.format(text)) from None


def _list(some: Any) -> list[Any]:
    is_one = isinstance(some, str | bytes) or not isinstance(some, Iterable)
    return [some] if is_one else list(some)


def _is_one(name: str, wanted: list[Any], types: pl.Schema) -> pl.Expr:
    """A row has one of these; what is missing has the name that views give it."""
    if name == "feature":
        return rows.feature().is_in(wanted)
    found, none = column(name, types), unnamed(name)
    fits = found.is_in([some for some in wanted if some != none])
    if none in wanted:
        is_text = name == "model" or types[name] == pl.String
        fits |= (found == "").fill_null(True) if is_text else found.is_null()
    return fits
