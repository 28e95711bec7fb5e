"""What an import may carry over: values that fit a column of the log, and nothing else.

An export holds prompts, answers and key hashes. Readers of exports name the columns
they take; here each value must also be what its column is for: a count, a time, one of
the column's own words, or a short name. Whatever does not fit is null.
"""

import hashlib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import (
    Any,
    Literal,
    NamedTuple,
    TypeAlias,
    get_args,
    get_origin,
    get_type_hints,
)

from lectr_lab.core.event import Event, columns
from lectr_lab.core.headers import MAX_FEATURE_CHARS, TASKS

_NAME = re.compile(r"[\w.:/@+-]{1,128}")
_THOUSANDS = re.compile(r"\s*\d{1,3}(?:,\d{3})+\s*")
_EUROPEAN = re.compile(r"\s*\d{1,3}(?:\.\d{3})+\s*")
_MAX_COUNT = 2**53
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_PER = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))

Cached: TypeAlias = Literal["apart", "included"]
"""Whether input is counted without its cached part, or with it."""


class Imported(NamedTuple):
    """One row of an export: what tells it from others, and values by column.

    `alias` is another id by which an earlier import may have known it. `is_own`: it was a
    row of a log like this one, and stays as it was.
    """

    source_id: str
    facts: Mapping[str, Any]
    alias: str | None = None
    is_own: bool = False


class Left(NamedTuple):
    """Something that was seen and not taken: `n` of what `reason` says."""

    reason: str
    n: int = 1


class Said(NamedTuple):
    """Something that was taken, and has to be told of: `n` of `what`."""

    what: str
    n: int = 1


Item: TypeAlias = Imported | Left | Said


class Rows(NamedTuple):
    """An export's rows, one after another; `total` is about how many, 0 if unknown."""

    total: int
    rows: Iterable[Item]


class Choices(NamedTuple):
    """What somebody says of a file beside its kind.

    `columns` are a table's map. `epoch` is where its times count from. `cached` tells
    whether counts of input hold what was read from a cache or written to one.
    `id_column` has a table's own ids. `at` is when calls were made that do not say it.
    `name` is what the source is called, within which its ids are its own. `feature` is
    that of rows that name none. `plan_pays`: a plan covered the calls. `hashed` gives
    the keyed hash of what may name a person.
    """

    columns: Mapping[str, str] = MappingProxyType({})
    epoch: datetime | None = None
    cached: Cached | None = None
    id_column: str | None = None
    at: datetime | None = None
    name: str | None = None
    feature: str | None = None
    plan_pays: bool = False
    hashed: Callable[[str], str] = lambda text: hashlib.sha256(
        text.encode("utf-8", "surrogatepass")
    ).hexdigest()[:32]


def fitted(column: str, value: Any) -> Any:
    """The value as its column holds it; None where it is not what the column is for.

    >>> fitted("input_tokens", "12"), fitted("input_tokens", "twelve")
    (12, None)
    >>> fitted("outcome", "ok"), fitted("outcome", "fine")
    ('ok', None)
    >>> fitted("model_requested", "gpt-4o"), fitted("model_requested", "Dear John, …")
    ('gpt-4o', None)
    """
    return None if value is None or value == "" else _fit_of(column)(column, value)


def number(value: Any) -> float | None:
    """A finite number, also from text.

    >>> number("1.5"), number("nan"), number(None)
    (1.5, None, None)
    """
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


@cache
def _fit_of(column: str) -> Callable[[str, Any], Any]:
    kind = _kinds()[column]
    if not isinstance(kind, frozenset):
        return _FIT[kind]

    def word(column: str, value: Any) -> str | None:
        return value if isinstance(value, str) and value in kind else None

    return word


@cache
def _kinds() -> Mapping[str, Any]:
    """A column's type, or the words that it may hold."""
    hints = get_type_hints(Event)
    return {c.name: _words(hints[c.name]) or c.python_type for c in columns()}


def _words(hint: Any) -> frozenset[str]:
    members = get_args(hint) if get_origin(hint) is not Literal else (hint,)
    words = (get_args(m) for m in members if get_origin(m) is Literal)
    return frozenset(word for group in words for word in group)


def _text(column: str, value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    value = value.strip()
    if not value:
        return None
    if column == "task" and value.lower() in TASKS:
        return value.lower()  # as a header is read: what protects `reasoning` reads it
    if column in ("feature", "org"):
        fits = len(value) <= MAX_FEATURE_CHARS and value.isprintable()
        return value if fits else None
    return value if _NAME.fullmatch(value) else None


def _count(column: str, value: Any) -> int | None:
    if isinstance(value, str):
        if _THOUSANDS.fullmatch(value):
            value = value.replace(",", "")
        elif _EUROPEAN.fullmatch(value):
            return None  # 5.000 may be five or five thousand
    found = number(value)
    most, least = (599, 100) if column == "status" else (_MAX_COUNT, 0)
    if found is None or not least <= found <= most or found % 1:
        return None
    return int(found)


def _float(column: str, value: Any) -> float | None:
    """Times at 1 µs, as the proxy's own."""
    found = number(value)
    return found if found is None or not column.endswith("_ms") else round(found, 3)


def _bool(column: str, value: Any) -> bool | None:
    words = {"true": True, "1": True, "false": False, "0": False}
    return words.get(str(value).lower())


def _time(column: str, value: Any) -> datetime | None:
    """ISO 8601 (UTC where it does not say), or seconds, ms, µs or ns since 1970."""
    if isinstance(value, datetime):
        return _in_utc(value)
    found = number(value)
    try:
        if found is None:
            return _in_utc(datetime.fromisoformat(str(value)))
        whole = int(value) if str(value).isdigit() else found  # ns need every digit
        per_s = next((per for least, per in _SECONDS_PER if found >= least), 1.0)
        return _EPOCH + timedelta(microseconds=round(whole * 1_000_000 / per_s))
    except (ValueError, OverflowError):
        return None


def _in_utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


_FIT: Mapping[Any, Any] = {
    str: _text,
    int: _count,
    float: _float,
    bool: _bool,
    datetime: _time,
    bytes: lambda column, value: None,  # ids are ours alone
}
