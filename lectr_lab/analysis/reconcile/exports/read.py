"""Reads exports of usage and costs, whichever of the known ones a file is.

JSON in pages, a list of pages, of their buckets or of plain rows, or a row a line; CSV
with commas, semicolons or tabs. Several pages are one file as a JSON list of them. Days
are those of the export, in UTC; one on which nothing was used may be there without
figures.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from lectr_lab.analysis.reconcile.exports import (
    anthropic,
    azure,
    google,
    openai,
    openrouter,
)
from lectr_lab.analysis.reconcile.exports.shape import (
    Charged,
    Row,
    Shape,
    Unclear,
    Used,
    day_of,
)
from lectr_lab.config.text_files import read_text
from lectr_lab.core.errors import ConfigError

SHAPES: tuple[Shape, ...] = (
    *openai.SHAPES,
    *anthropic.SHAPES,
    *openrouter.SHAPES,
    *azure.SHAPES,
    *google.SHAPES,
)
"""Every export that can be read; the first that fits is taken."""

_WHEN = {"start_time", "end_time", "start_time_iso", "end_time_iso"}
_DAYS = ("start_time", "usage_date_utc")
_NOT_SEEN = ", whose form is from documentation and not from a real file"
_MORE = (
    "It is not the last page of its export: what is on the others looks as if the "
    "provider had not counted it. Write all pages into one JSON list."
)


class Export(NamedTuple):
    """What a file, or several of one provider, say."""

    provider: str
    used: tuple[Used, ...] = ()
    charged: tuple[Charged, ...] = ()
    days: frozenset[date] = frozenset()  # those without usage, too
    operations: frozenset[str] | None = None  # of the log, that it counts; None is all
    clients: frozenset[str] | None = None
    notes: tuple[str, ...] = ()  # what it leaves open
    tz: str = "UTC"  # whose days they are


def read_export(path: Path) -> Export:
    """What a provider's usage or cost export says.

    Args:
        path: JSON, JSON lines or CSV, as the provider gives it.

    Raises:
        ConfigError: it cannot be read, has no row, or is no export that is known; says
            which are.
    """
    text = read_text(path)
    try:
        every = [_lower(row) for row in _rows(text)]
    except (ValueError, RecursionError, csv.Error, TypeError) as error:
        raise ConfigError(f"{path}: {_why(error)}.") from None
    rows = [row for row in every if _says_something(row)]
    if not rows:
        raise ConfigError(
            f"{path}: has no rows. Was anything used in the days that were asked for?"
        )
    keys = frozenset(key for row in rows for key in row)
    shape = next((s for s in SHAPES if s.fits(keys, rows[0])), None)
    if shape is None:
        known = "; ".join(f"{one.name}" for one in SHAPES)
        raise ConfigError(f"{path}: is no export that is known. Known are: {known}.")
    try:
        said = shape.read(rows)
        days = frozenset(
            day_of(row[key]) for row in every for key in _DAYS if row.get(key)
        )
    except KeyError as error:
        raise ConfigError(
            f"{path}: looks like {shape.name}, but a row has no {error.args[0]!r}. Ask "
            "for the export by model and day."
        ) from None
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path}: looks like {shape.name}, but {_why(error)}."
        ) from None
    doubt = _NOT_SEEN if shape.seen.startswith("built") else ""
    named = f"{path.name}: read as {shape.name}{doubt}."
    notes = (*said.notes, _MORE) if _has_more(text) else said.notes
    return Export(
        shape.provider,
        said.used,
        said.charged,
        days,
        None if shape.operations is None else frozenset(shape.operations),
        None if shape.clients is None else frozenset(shape.clients),
        (named, *(f"{path.name}: {note}" for note in notes)),
        said.tz,
    )


def together(exports: list[Export]) -> Export:
    """Several exports of one provider as one.

    Raises:
        ConfigError: they are of several providers.
    """
    first, *others = exports
    for other in others:
        if other.provider != first.provider:
            raise ConfigError(
                f"The exports are of {first.provider} and of {other.provider}: reconcile "
                "them one after the other."
            )
        if other.tz != first.tz:
            raise ConfigError(
                f"The exports have days of {first.tz} and of {other.tz}: reconcile them "
                "one after the other."
            )
    of_use = [e for e in exports if e.used] or exports
    return Export(
        first.provider,
        tuple(one for e in exports for one in e.used),
        tuple(one for e in exports for one in e.charged),
        frozenset(day for e in exports for day in e.days),
        _all_of([e.operations for e in of_use]),
        _all_of([e.clients for e in of_use]),
        tuple(note for e in exports for note in e.notes),
        first.tz,
    )


def _all_of(some: list[frozenset[str] | None]) -> frozenset[str] | None:
    """What any of them has; one that is not told has all."""
    told = [one for one in some if one is not None]
    return frozenset().union(*told) if len(told) == len(some) else None


def _rows(text: str) -> Iterator[Row]:
    if text.lstrip()[:1] not in ("{", "["):
        return _rows_of_csv(text)
    return _rows_of_json(_parsed(text))


def _parsed(text: str) -> list[Any]:
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError:
        lines = [line for line in text.splitlines() if line.strip()]
        parsed = [json.loads(line) for line in lines]
    return parsed if isinstance(parsed, list) else [parsed]


def _rows_of_csv(text: str) -> Iterator[Row]:
    """One dict per line; a spreadsheet may have saved it with other marks between."""
    heads = text.partition("\n")[0]
    mark = max(",;\t", key=heads.count)
    return csv.DictReader(io.StringIO(text, newline=""), delimiter=mark)


def _rows_of_json(items: list[Any]) -> Iterator[Row]:
    """One mapping per model and day, its bucket's time with it.

    An item is a page (`data`), a bucket (`results`) or a row.
    """
    for item in items:
        if not isinstance(item, Mapping):
            raise Unclear("it is a list of something else than objects")
        if "data" in item:
            inner = item["data"]
            yield from _rows_of_json(inner if isinstance(inner, list) else [inner])
        elif "results" in item:
            results = item["results"]
            if not isinstance(results, list):
                raise Unclear("its results are no list")
            when = item.get("start_time", item.get("starting_at"))
            for result in results or [{}]:
                if not isinstance(result, Mapping):
                    raise Unclear("its results are no objects")
                yield {"start_time": when, **result}
        else:
            yield item


def _has_more(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    last = _parsed(text)[-1]
    return isinstance(last, Mapping) and bool(last.get("has_more"))


def _lower(row: Row) -> Row:
    """A row by its keys in lower case; what has no heading is left out."""
    return {key.strip().lower(): value for key, value in row.items() if key is not None}


def _says_something(row: Row) -> bool:
    return any(value and key not in _WHEN for key, value in row.items())


def _why(error: Exception) -> str:
    """A reason in words, whatever a library says."""
    if isinstance(error, json.JSONDecodeError):
        return f"it is no JSON that can be read (line {error.lineno})"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, csv.Error):
        return f"it is no CSV that can be read ({error})"
    if isinstance(error, Unclear):
        return str(error)
    return "a row has another form than it should"
