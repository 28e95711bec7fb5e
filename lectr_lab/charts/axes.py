"""Ticks that are chosen before a chart is drawn, each with its words: none is cut, none
stands twice, none upon another."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil, floor, log10
from typing import Any

from lectr_lab.charts import style
from lectr_lab.charts.measured import widest_px
from lectr_lab.core.formatting import tokens

_TICKS = 4
_GAP_PX = 16  # between two words
_UNITS_MS = ((3_600_000, "h"), (60_000, "min"), (1_000, "s"))
_CLOCK = [timedelta(minutes=n) for n in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)]
_DAYS = [timedelta(days=n) for n in (1, 2, 7, 14, 28, 91, 182, 364, 1_820)]


def usd_axis(most: float) -> dict[str, Any]:
    """Dollars from 0 to `most`, with the decimals that the step needs."""
    values = ticks(most)
    decimals = max(-floor(log10(values[1]) + 1e-9), 0)
    return _axis(
        values, [f"${value:,.{decimals}f}" if value else "$0" for value in values]
    )


def count_axis(most: float) -> dict[str, Any]:
    """Whole numbers from 0 to `most`."""
    values = ticks(most, least=1)
    return _axis(values, [f"{value:,.0f}" for value in values])


def tokens_axis(most: float) -> dict[str, Any]:
    """Tokens from 0 to `most`."""
    values = ticks(most, least=1)
    return _axis(values, [tokens(round(value)) for value in values])


def ms_axis(most: float) -> dict[str, Any]:
    """Durations from 0 to `most`, in the unit that they are read in."""
    unit, word = next((one for one in _UNITS_MS if most >= 2 * one[0]), (1, "ms"))
    values = [value * unit for value in ticks(most / unit)]
    return _axis(values, [f"{value / unit:,.12g} {word}" for value in values])


def ticks(most: float, least: float = 0.0) -> list[float]:
    """Round numbers from 0 to `most`, about four, whose step is `least` at least.

    >>> ticks(7), ticks(0.3), ticks(2, least=1)
    ([0.0, 2.0, 4.0, 6.0], [0.0, 0.1, 0.2, 0.3], [0.0, 1.0, 2.0])
    """
    rough = max((most or 1.0) / _TICKS, least)
    power = floor(log10(rough))
    steps = [float(f"{digit}e{power}") for digit in (1, 2, 5, 10)]
    step = next((one for one in steps if one >= rough * 0.999), steps[-1])
    whole = max(floor((most or 1.0) / step + 1e-9), 1)
    return [float(f"{n * step:.12g}") for n in range(whole + 1)]


def time_axis(first: datetime, end: datetime, every: str, px: float) -> dict[str, Any]:
    """Moments of wall-clock time, as far apart as their words need in so many pixels.

    Days are named where the steps are of days; hours by the clock, each day by its date.
    """
    span = end - first
    is_of_days = every[-1] not in "smh"
    for gap in _DAYS if is_of_days else [*_CLOCK, *_DAYS]:
        many = _moments(first, end, gap)
        words = _words(many, gap, first, end)
        needs = widest_px(words, style.LABEL_PX) + _GAP_PX
        if gap / span * px >= needs:
            break
    values = [int(moment.timestamp() * 1000) for moment in many]
    return _lookup(values, words, "time(datum.value)")


def _moments(first: datetime, end: datetime, gap: timedelta) -> list[datetime]:
    """Round moments from the first to the end; where there is none, the first."""
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    start = first if gap >= timedelta(days=2) else midnight
    skipped = ceil((first - start) / gap)
    many: list[datetime] = []
    moment = start + skipped * gap
    while moment < end and len(many) < 2_000:
        many.append(moment)
        moment += gap
    return many or [first]


def _words(
    many: Sequence[datetime], gap: timedelta, first: datetime, end: datetime
) -> list[str]:
    year = " %Y" if first.year != end.year or gap >= timedelta(days=91) else ""
    day = f"%-d %b{year}"
    if gap >= timedelta(days=1):
        return [f"{moment:{day}}" for moment in many]
    words = []
    for place, moment in enumerate(many):
        is_midnight = moment.hour == moment.minute == 0
        form = day if is_midnight else "%H:%M"
        if place == 0 and not is_midnight:
            form = f"{day} %H:%M"
        words.append(f"{moment:{form}}")
    return words


def _axis(values: list[float], words: list[str]) -> dict[str, Any]:
    room = {"minExtent": ceil(widest_px(words, style.LABEL_PX)) + style.LABEL_GAP_PX}
    return room | _lookup(values, words, "datum.value")


def _lookup(values: Sequence[float], words: list[str], value: str) -> dict[str, Any]:
    """An axis of these values, each with its words."""
    listed = f"{json.dumps(words)}[indexof({json.dumps(values)}, {value})]"
    return {"values": values, "labelExpr": listed, "labelOverlap": False}
