"""What a budget promises, and what was measured of that promise.

`measured.toml` is written by `tests/benchmarks/odd_datasheet.py`, as is the whole
datasheet, `data/odd_datasheet.md`.
"""

import tomllib
from functools import cache
from importlib.resources import files

import msgspec


class Measured(msgspec.Struct, frozen=True):
    """False alarms a feature-week at a stated rate, on traffic with nothing odd in it."""

    stated: float
    measured: float
    low: float  # ends of its 95 % interval
    high: float
    feature_weeks: float


class _Table(msgspec.Struct, frozen=True):
    date: str
    generated: tuple[Measured, ...]
    real: tuple[Measured, ...] = ()


FLOOR = 0.1
"""Stated rates below it are kept no better than it, for silence."""

_KINDS_OF_REQUESTS = 2 / 11  # more and fewer, of eleven kinds
_FLOOR_TEXT = (
    "Under a budget of 0.1, false alarms of silence stay near 0.1 a feature-week: a few "
    "weeks of record cannot show that traffic never stops."
)


@cache
def measured() -> _Table:
    """What the datasheet's last run found.

    >>> measured().generated[0].feature_weeks > 0
    True
    """
    text = files("lectr_lab.analysis.odd").joinpath("measured.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), type=_Table)


def in_words(budget: float) -> str:
    """A budget, and beside it what was measured nearest to it.

    >>> in_words(0.3).startswith("Stated: 0.3 false alarms a feature-week. Measured ")
    True
    """
    near = min(measured().generated, key=lambda one: abs(one.stated - budget))
    text = (
        f"Stated: {budget:g} false alarms a feature-week. Measured on generated traffic at "
        f"a stated {near.stated:g}: {near.measured:.2g} ({near.low:.2g} to "
        f"{near.high:.2g})."
    )
    if measured().real:
        of_requests = budget * _KINDS_OF_REQUESTS
        real = min(measured().real, key=lambda one: abs(one.stated - of_requests))
        text += (
            f" On real traffic, requests alone, hours shuffled between days, at a stated "
            f"{real.stated:.2g}: {real.measured:.2g} ({real.low:.2g} to {real.high:.2g})."
        )
    return f"{text} {_FLOOR_TEXT}" if budget < FLOOR else text
