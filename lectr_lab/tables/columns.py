"""What a frame's columns become: a heading, and a text or a small line per row."""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import polars as pl

from lectr_lab.core import formatting
from lectr_lab.core.event import UNTAGGED
from lectr_lab.core.formatting import UNKNOWN

MOST_ROWS = 50
_SHARE = re.compile(r"(^|_)(share|rate)(_|$)|_of_")
_MORE_OR_LESS = re.compile(r"(^|_)(missing|difference|change|from)(_|$)")
_USD = re.compile(r"(^|_)usd(_|$)")
_LETTERS = 80
_SENTENCE_LETTERS = 300  # of the package's own words
_NAME_LETTERS = 40
_LIST_ITEMS = 5

_PERCENTILE = re.compile(r"(^|_)p\d+_ms$")
_BINNED = {"percentiles": "binned"}  # the column that says that they are

_SELDOM = ("plan_usd", "stated_usd")  # left out where no row has any
_SELDOM_BEGIN = ("lost_to_", "longer_")

Row = dict[str, Any]


class Column(NamedTuple):
    """One column, written out: all lists are as long as the table has rows."""

    heading: str
    texts: list[str]
    right: bool  # a figure
    lines: list[list[float | None]] | None = None  # in place of the texts: sparklines
    shares: list[float | None] | None = None  # beside the texts: 0 to 1
    whole: bool = False  # a moment or a name, which no line's end should part
    name: str = ""  # the frame's


def written(frame: pl.DataFrame) -> list[Column]:
    """The columns of a frame as people read them; ends of intervals join their middle,
    and percentiles that are not exact say ≈.

    >>> [rate] = written(pl.DataFrame(
    ...     {"error_rate": [0.1], "error_rate_low": [0.05], "error_rate_high": [0.2]}))
    >>> rate.heading, rate.texts
    ('error rate', ['10 % [5.0 %, 20 %]'])
    """
    seldom = [name for name in frame.columns if _is_seldom(name)]
    frame = frame.drop(
        name for name in seldom if frame[name].null_count() == len(frame)
    )
    ends = {name: _ends(name, frame.columns) for name in frame.columns}
    joined = {end for pair in ends.values() if pair for end in pair}
    rows = frame.to_dicts()
    if rows and all(row.items() >= _BINNED.items() for row in rows):
        joined |= {*_BINNED}  # each figure says so
    return [
        _column(frame, name, ends[name], rows)
        for name in frame.columns
        if name not in joined
    ]


def _is_seldom(name: str) -> bool:
    return name in _SELDOM or name.startswith(_SELDOM_BEGIN)


def _ends(name: str, names: Sequence[str]) -> tuple[str, str] | None:
    """The columns that hold an interval's ends: `x_low`, or `x_low_ms` for `x_ms`."""
    stem, _, unit = name.rpartition("_")
    for low, high in (
        (f"{name}_low", f"{name}_high"),
        (f"{stem}_low_{unit}", f"{stem}_high_{unit}"),
    ):
        if low in names and high in names:
            return low, high
    return None


def _column(
    frame: pl.DataFrame, name: str, ends: tuple[str, str] | None, rows: list[Row]
) -> Column:
    kind = frame.schema[name]
    if isinstance(kind, pl.List | pl.Array) and kind.inner.is_numeric():
        drawn = [row[name] or [] for row in rows]
        return Column(_heading(name), [], False, drawn, name=name)
    write = _writer(name, kind)

    def text(row: Row) -> str:
        if row[name] is None:
            return _missing(name, row)
        about = row.items() >= _BINNED.items() and _PERCENTILE.search(name)
        written = f"{'≈ ' if about else ''}{write(row[name])}"
        if ends is None:
            return written
        low, high = (row[end] for end in ends)
        return f"{written} [{_end(low, write)}, {_end(high, write)}]"

    is_share = kind.is_numeric() and _SHARE.search(name) and ends is None
    shares = [row[name] for row in rows] if is_share else None
    texts = [text(row) for row in rows]
    is_name = kind == pl.String and bool(texts) and all(map(_is_short_word, texts))
    right, whole = kind.is_numeric(), kind.is_temporal() or is_name
    return Column(_heading(name), texts, right, None, shares, whole, name)


def _is_short_word(text: str) -> bool:
    return " " not in text and len(text) <= _NAME_LETTERS


def _end(value: Any, write: Callable[[Any], str]) -> str:
    return UNKNOWN if value is None else write(value)


def _heading(name: str) -> str:
    """A column's name in words; its unit stands beside each figure."""
    words = re.sub(r"_usd_(month|day)$", r" a \1", name)
    words = _USD.sub(r"\1\2", words.removesuffix("_ms").removesuffix("_at"))
    words = words.replace("per_mtok", "per million tokens")
    return formatting.name(" ".join(words.replace("_", " ").split()) or name)


def _writer(name: str, kind: pl.DataType) -> Callable[[Any], str]:
    """How the values of a column are written; None is not among them."""
    if kind.is_numeric():
        write = _figure_writer(name, kind)
        if _MORE_OR_LESS.search(name):
            return lambda value: f"+{write(value)}" if value > 0 else write(value)
        return write
    if isinstance(kind, pl.Datetime):
        return _moment(kind.time_zone)
    if isinstance(kind, pl.List | pl.Array):
        return _several
    if kind == pl.Boolean:
        return lambda value: "yes" if value else "no"
    letters = _SENTENCE_LETTERS if name == "advice" else _LETTERS
    return lambda value: formatting.name(_plain(value), letters)


def _figure_writer(name: str, kind: pl.DataType) -> Callable[[Any], str]:
    if _USD.search(name):
        return lambda value: _signed(formatting.usd, float(value))
    if name.endswith("_ms"):
        return lambda value: _signed(formatting.duration, float(value))
    if name.endswith("_bytes"):
        return lambda value: formatting.size(int(value))
    if kind.is_integer():
        return formatting.count
    if _SHARE.search(name):
        return lambda value: _signed(formatting.percent, value)
    return lambda value: f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _signed(write: Callable[[float], str], value: float) -> str:
    return write(value) if value >= 0 else f"-{write(-value)}"


def _moment(zone: str | None) -> Callable[[datetime], str]:
    after = f" {zone}" if zone else ""

    def text(at: datetime) -> str:
        return f"{at:%Y-%m-%d %H:%M:%S}".removesuffix(":00") + after

    return text


def _several(values: list[Any]) -> str:
    more = f"; … and {len(values) - _LIST_ITEMS} more"
    listed = "; ".join(
        formatting.name(_plain(v), _LETTERS) for v in values[:_LIST_ITEMS]
    )
    return listed + (more if len(values) > _LIST_ITEMS else "")


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, date) else str(value)


def _missing(name: str, row: Row) -> str:
    """A dash, and why the value is not there where the row says so."""
    if name == "feature":
        return UNTAGGED
    if _is_seldom(name):
        return UNKNOWN
    if _USD.search(name) and row.get("unpriced"):
        return f"{UNKNOWN} no price known"
    if _USD.search(name) and row.get("uncounted"):
        return f"{UNKNOWN} no token count"
    stem = re.sub(r"_p\d+_ms$", "", name)
    if stem != name and row.get("total_n", row.get(f"{stem}_n")) == 0:
        return f"{UNKNOWN} none succeeded" if stem != "ttft" else UNKNOWN
    return UNKNOWN
