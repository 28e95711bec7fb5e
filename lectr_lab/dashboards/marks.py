"""What happened when: lines with a word on the time chart.

What the user notes (a deploy), prices of used models that changed, rules that began.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl

from lectr_lab.analysis.log import AnyLog, Log
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.time_steps import zone
from lectr_lab.core.errors import LabError
from lectr_lab.core.formatting import name
from lectr_lab.core.pricing.price import Found, PriceList, PriceQuery, find_price
from lectr_lab.core.pricing.price_changes import change_days
from lectr_lab.dashboards.counted import Counted

Note = tuple[date, str]
"""When something happened, and a word for it. A moment without a zone is one of the
page's; a day is its beginning."""

MOST_MARKS = 40
_LETTERS = 60


def marks(
    log: AnyLog | None,
    counted: Counted,
    notes: Sequence[Note],
    *,
    tz: str = "UTC",
    prices: PriceList = (),
) -> list[dict[str, Any]]:
    """What happened while the log was written, ready for JSON: `at` (ms since 1970),
    `text` and `kind` (note, price or rule), in the order of time.

    Args:
        log: events, of which only the rules are read; without them, no rule is told.
        counted: the same, counted.
        notes: what the user knows of.
        tz: the zone of moments without one.
        prices: the user's own.

    Raises:
        LabError: a note is no moment with a word.
    """
    found = [(moment(when, tz), word, "note") for when, word in map(_checked, notes)]
    if counted.first_at is not None and counted.last_at is not None:
        span = counted.first_at, counted.last_at
        used = counted.leaders.models
        found += [
            (at, word, "price") for at, word in _price_changes(used, span, prices)
        ]
        rules = () if log is None else _rules(log, span[0])
        found += [(at, word, "rule") for at, word in rules]
    return [
        {"at": round(at.timestamp() * 1000), "text": name(word, _LETTERS), "kind": kind}
        for at, word, kind in sorted(found)[:MOST_MARKS]
    ]


def moment(when: date, tz: str = "UTC") -> datetime:
    """A note's moment.

    >>> moment(date(2026, 11, 2), "Asia/Tokyo").isoformat()
    '2026-11-02T00:00:00+09:00'
    """
    at = when if isinstance(when, datetime) else datetime.combine(when, time())
    return at if at.tzinfo else at.replace(tzinfo=zone(tz))


def _checked(note: Any) -> Note:
    if isinstance(note, tuple | list) and len(note) == 2:
        when, word = note
        if isinstance(when, date) and isinstance(word, str):
            return when, word
    raise LabError(
        f"{note!r} is no note. Write a sentence, or when and a word: "
        '(datetime(2026, 11, 2, 9), "deploy").'
    )


def _price_changes(
    models: Sequence[tuple[str | None, str | None]],
    span: tuple[datetime, datetime],
    prices: PriceList,
) -> Iterator[tuple[datetime, str]]:
    """Of the models that lead: the days on which another price began to hold."""
    days = [d for d in change_days(prices) if span[0].date() < d <= span[1].date()]
    for provider, model in models:
        for day in days:
            before, after = (
                _price(provider, model, at, prices)
                for at in (day - timedelta(days=1), day)
            )
            if before and after and before.price != after.price:
                yield datetime.combine(day, time(), UTC), f"{model}: another price"


def _price(
    provider: str | None, model: str | None, day: date, prices: PriceList
) -> Found | None:
    noon = datetime.combine(day, time(12), UTC)
    return find_price(PriceQuery(provider, model, None, None, None, noon), prices)


def _rules(log: AnyLog, first: datetime) -> Iterator[tuple[datetime, str]]:
    """The rules that began after the log did, at the first request that each changed."""
    at = pl.col("started_at")
    stored = log.stored() if isinstance(log, Log) else log
    named = stored.filter(pl.col("rule").is_not_null())
    began = (
        named.group_by("rule").agg(at.min().alias("at")).filter(pl.col("at") > first)
    )
    for rule, when in collected(began.sort("at", "rule")).iter_rows():
        yield when, f"rule {name(rule, 40)}"
