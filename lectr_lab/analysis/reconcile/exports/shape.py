"""What an export says, in the log's terms, and what all readers of exports share.

A row of an export is a mapping with its columns, or the keys of its JSON, in lower case.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

Row = Mapping[str, Any]

_MOST = 10**15  # more than a provider sells in a day


class Unclear(ValueError):
    """A row that cannot be followed; says why, in words for a user."""


class Dimensions(NamedTuple):
    """What a price depends on beside the model; None is what an export does not say."""

    tier: str | None = None  # "standard", "batch", "flex", "fast", …
    long: bool | None = None  # prompts above 200,000 tokens
    geo: str | None = None  # "" is anywhere

    def in_words(self) -> str:
        """Only what is out of the ordinary.

        >>> Dimensions("batch", True, "us").in_words(), Dimensions("standard").in_words()
        ('batch, long prompts, us', '')
        """
        tier = self.tier if self.tier != "standard" else None
        words = (tier, "long prompts" if self.long else None, self.geo)
        return ", ".join(filter(None, words))


class Used(NamedTuple):
    """What a provider counted of one model on one day."""

    day: date
    model: str
    requests: int | None  # None: the export does not say
    counts: dict[str, int]  # by the log's columns; all input, cached included
    dimensions: Dimensions = Dimensions()


class Charged(NamedTuple):
    """What a provider charged on one day, in USD; below zero where it gave something.

    A model of None is all of the day. What is for no model has a name of its own, such
    as "credits".
    """

    day: date
    model: str | None
    usd: float


class Said(NamedTuple):
    """What the rows of an export say, and what of it could not be taken.

    `tz` is the time zone whose days they are.
    """

    used: tuple[Used, ...] = ()
    charged: tuple[Charged, ...] = ()
    notes: tuple[str, ...] = ()
    tz: str = "UTC"


class Shape(NamedTuple):
    """One kind of export: how it is told, how it is read, and how we know.

    `seen` says of which real file its columns were read, or which documentation it is
    built from, and when. `operations` are those of the log that it counts.
    """

    name: str
    provider: str
    seen: str
    fits: Callable[[frozenset[str], Row], bool]
    read: Callable[[list[Row]], Said]
    operations: tuple[str, ...] | None = None
    clients: tuple[str, ...] | None = None


def count(row: Row, key: str) -> int:
    """A count; what is absent or empty was not used.

    A spreadsheet writes 1000 as 1000.0.

    >>> count({"n": "1000.0"}, "n"), count({}, "n")
    (1000, 0)
    """
    value = row.get(key)
    if value is None or value == "":
        return 0
    try:
        found = Decimal(str(value).strip())
        if 0 <= found <= _MOST and found % 1 == 0:
            return int(found)
    except ArithmeticError:
        pass
    raise Unclear(f"{key} is no count")


def dollars(row: Row, key: str) -> float:
    """An amount; what is absent or empty is 0.

    >>> dollars({"cost": "-1.25"}, "cost"), dollars({"cost": ""}, "cost")
    (-1.25, 0.0)
    """
    value = row.get(key)
    if value is None or value == "":
        return 0.0
    try:
        found = Decimal(str(value).strip().replace(",", ""))
    except ArithmeticError:
        raise Unclear(f"{key} is no amount") from None
    if not found.is_finite() or abs(found) > _MOST:
        raise Unclear(f"{key} is no amount")
    return float(found)


def in_dollars(row: Row, *keys: str) -> None:
    """Nothing else is compared: an amount in another money is none that is known.

    Raises:
        Unclear: the row names another.
    """
    money = next((found for key in keys if (found := word(row, key))), "usd")
    if money != "usd":
        raise Unclear(f"its amounts are in {money[:8].upper()}, not in US dollars")


def day_of(value: Any) -> date:
    """A day of UTC: from seconds since 1970, or a date, with or without a time.

    >>> day_of("1793577600"), day_of("11/02/2026"), day_of("2026-11-02T01:00:00+02:00")
    (datetime.date(2026, 11, 2), datetime.date(2026, 11, 2), datetime.date(2026, 11, 1))
    """
    text = str(value).strip().removesuffix(" UTC")
    try:
        if text.isdigit() and len(text) != 8:
            return datetime.fromtimestamp(int(text), UTC).date()
        if text.count("/") == 2:
            return datetime.strptime(text.split()[0], "%m/%d/%Y").date()
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise Unclear("a day cannot be read") from None
    return at.date() if at.tzinfo is None else at.astimezone(UTC).date()


def model_name(name: Any) -> str:
    """The model of a row.

    Raises:
        Unclear: it names none.
    """
    if not isinstance(name, str) or not name.strip():
        raise Unclear("it names no model: ask for the export by model")
    return name.strip()


def is_true(value: Any) -> bool:
    """Whether a cell says yes.

    >>> is_true(True), is_true("TRUE"), is_true("False"), is_true(None)
    (True, True, False, False)
    """
    return str(value).strip().lower() in ("true", "1", "yes")


def word(row: Row, key: str) -> str | None:
    """A word of a row in lower case; None where it says none."""
    value = row.get(key)
    return str(value).strip().lower() or None if value not in (None, "") else None


def some(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The counts that are not 0.

    >>> some([("input_tokens", 5), ("output_tokens", 0)])
    {'input_tokens': 5}
    """
    return {name: n for name, n in counts if n}
