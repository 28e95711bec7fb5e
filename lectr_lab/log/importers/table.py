"""Any table: CSV with any separator, Parquet, JSON or JSON lines.

Columns whose names are known (`table_names.toml`) are found; a map says the others. An
entry of the map is a column's name, a sum of names (`a+b+c`), either with a factor for
another unit (`latency_s*1000`), a constant (`=openai`), or nothing, for a column that is
not to be taken. Of JSON and structs `usage.input` names a field within another.

A row is known by its own id: in the column that `--id` names, else in one that is called
like an id, else in one that the map takes for a provider's. Without any it is known by a
hash of the whole row. So neither depends on what else the map says.
"""

import re
import tomllib
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from lectr_lab.core.errors import LogError
from lectr_lab.core.event import columns
from lectr_lab.log.importers.cached_input import (
    AS_STATED,
    TOLD_APART,
    convention,
    counts,
    with_cached,
)
from lectr_lab.log.importers.fields import (
    Cached,
    Choices,
    Imported,
    Item,
    Left,
    Rows,
    Said,
    fitted,
    number,
)
from lectr_lab.log.importers.provider_names import (
    model_and_provider,
    provider_name,
    provider_of_model,
)
from lectr_lab.log.importers.records import (
    Record,
    Records,
    RowIds,
    missing_column,
    plain,
    records_of,
)
from lectr_lab.log.importers.table_ids import id_of_row, named_id, top_level

_OURS = ("event_id", "org", "kind", "shadow_of", "source", "source_id")
_FACTOR = re.compile(r"(.+)\*([-+0-9.eE_]+)")
_CACHE = ("cache_read_tokens", "cache_write_tokens")

NO_ROW = "lines that are no record"
KNOWN = "table with columns known by their names: {}"
TAKEN_INCLUDED = (
    "calls with cached input, taken to be a part of the input; if the table counts it apart, "
    "import it again with --cached-apart, which puts it right"
)


class _Entry(NamedTuple):
    """Where a column's values come from: names added up times a factor, or a constant."""

    names: tuple[str, ...] = ()
    factor: float | None = None
    constant: str | None = None


def table_rows(source: Path, choices: Choices) -> Rows:
    """The rows of a table, one a call.

    Args:
        source: `.parquet`, JSON, or CSV with a header.
        choices: `columns` maps columns of the log to entries, as above; numbers in
            `started_at` are seconds since `epoch`, where there is one.

    Raises:
        LogError: an entry names a column that is not there, nothing tells when calls
            were made, or the file is no table.
        OSError: it cannot be read.
    """
    records = records_of(source)
    entries = _entries(source, choices, records.columns)
    if "started_at" not in entries and choices.at is None:
        error = missing_column(source, "started_at", records.columns)
        raise LogError(
            "A table needs a column for started_at: --column started_at=<its column>. "
            f"{error}"
        )
    return Rows(records.total, _items(source, records, entries, choices))


def _entries(
    source: Path, choices: Choices, has: Sequence[str]
) -> Mapping[str, _Entry]:
    """Of each column where its values are, by the map and by the names that are known."""
    told = choices.columns
    given = {c: _entry(c, text, has) for c, text in told.items() if text}
    for entry in given.values():
        for name in entry.names:
            if name not in has:
                raise missing_column(source, name, has)
    used = {name for entry in given.values() for name in entry.names}
    found = {plain(name): name for name in reversed(has) if name not in used}
    for column, names in _names()["columns"].items():
        here = [name for name in names if name in found]
        if column not in told and here:
            given[column] = _Entry((found.pop(here[0]),))
        elif column not in told and _may_be_within(column):
            inner = [path for name in names for path in _ending_in(name, found)]
            if inner:
                given[column] = _Entry((found.pop(inner[0]),))
    return given


def _may_be_within(column: str) -> bool:
    return column.startswith("model_") or column.endswith("_tokens")


def _ending_in(name: str, found: Mapping[str, str]) -> list[str]:
    return [path for path in found if path.rpartition(".")[2] == name and "." in path]


def _entry(column: str, text: str, has: Collection[str]) -> _Entry:
    known = [c.name for c in columns() if c.name not in _OURS]
    if column not in known:
        near = ", ".join(get_close_matches(column, known)) or ", ".join(known)
        raise LogError(f"The log has no column {column!r} to import; near: {near}.")
    if text.startswith("="):
        return _Entry(constant=text[1:])
    factor = None
    scaled = _FACTOR.fullmatch(text) if text not in has else None
    if scaled and (factor := number(scaled[2])) is not None:
        text = scaled[1]
    return _Entry(_summands(text, has), factor)


def _summands(text: str, has: Collection[str]) -> tuple[str, ...]:
    """The names that are added up; a name may have a plus in it itself."""
    if text in has or "+" not in text:
        return (text,)
    parts = text.split("+")
    for length in range(len(parts), 0, -1):
        name = "+".join(parts[:length]).strip()
        if name in has:
            rest = "+".join(parts[length:])
            return (name, *(_summands(rest.strip(), has) if rest else ()))
    return tuple(part.strip() for part in parts)


def _items(
    source: Path, records: Records, entries: Mapping[str, _Entry], choices: Choices
) -> Iterator[Item]:
    mapped = {c: e.names[0] for c, e in entries.items() if len(e.names) == 1}
    by = named_id(source, records, choices, mapped)
    ids = RowIds(choices.hashed)
    asks = _Convention(source, entries, choices)
    found = [
        f"{c}={e.names[0]}" for c, e in entries.items() if c not in choices.columns
    ]
    if found:
        yield Said(KNOWN.format(", ".join(found)))
    whole = () if by is not None and not by.late else top_level(records.columns)
    wanted = {name for entry in entries.values() for name in entry.names} | set(whole)
    totals = [
        name for name in records.columns if plain(name) in _names()["total"]["names"]
    ]
    errors = _errors(records)
    wanted |= {*errors, *totals} | ({by.name} if by else set())
    for row in records.read(wanted):
        if row is None:
            yield Left(NO_ROW)
            continue
        facts = {column: _value(row, entry) for column, entry in entries.items()}
        facts["started_at"] = _when(facts.get("started_at"), choices)
        _say_as_we_do(facts, [row.get(name) for name in errors])
        total = next((row[name] for name in totals if row.get(name)), None)
        how = yield from asks.told(facts, total)
        source_id, alias = id_of_row(row, by, whole, ids)
        yield Imported(source_id, with_cached(facts, how), alias)


class _Convention:
    """Whether the table's input holds its cached part; asks, before anything is written."""

    def __init__(
        self, source: Path, entries: Mapping[str, _Entry], choices: Choices
    ) -> None:
        self._source, self._stated = source, choices.cached
        whole = entries.get("input_tokens", _Entry())
        cached = [name for c in _CACHE for name in entries.get(c, _Entry()).names]
        self._matters = bool(cached) and whole.constant is None
        self._summed = len(whole.names) > 1
        self._as_ours = all(name in _CACHE for name in cached)
        self._named_apart = any(
            plain(name) in _names()["apart"]["names"] for name in whole.names
        )

    def told(
        self, facts: Mapping[str, Any], total: Any = None
    ) -> Generator[Item, None, Cached | None]:
        """What holds for a row; says so, or raises where nobody can know.

        Raises:
            LogError: the user has to say it.
        """
        given, parts = counts(facts)
        if not self._matters or self._summed or not parts or given is None:
            return None
        told: Cached | None = self._stated
        if told is None and self._named_apart:
            told = "apart"
            yield Said(TOLD_APART)
        if told is not None:
            return told
        by_total = convention(facts, total)
        if by_total == "included" or (by_total == "apart" and total is not None):
            if by_total == "apart":
                yield Said(TOLD_APART)
            return by_total
        if by_total == "apart":
            if self._as_ours:
                yield Said(AS_STATED)
                return None
            raise self._ask("It has rows with more cached input than input")
        if self._as_ours:
            return None
        model = facts.get("model_actual") or facts.get("model_requested")
        if "anthropic" in (facts.get("provider"), provider_of_model(model)):
            raise self._ask("It has calls of Anthropic's with cached input")
        yield Said(TAKEN_INCLUDED)
        return None

    def _ask(self, why: str) -> LogError:
        return LogError(
            f"{self._source}: {why}, and does not say whether its input includes that. Add "
            "--cached-apart if input, cache reads and cache writes stand beside each "
            "other (as Anthropic counts), --cached-included if input is all of it, or "
            "add columns up: --column input_tokens=a+b+c. Nothing was imported."
        )


def _value(row: Record, entry: _Entry) -> Any:
    if not entry.names:
        return entry.constant
    if len(entry.names) == 1 and entry.factor is None:
        return row.get(entry.names[0])
    values = [row.get(name) for name in entry.names]
    found = [number(value) for value in values if value not in (None, "")]
    if not found:
        return None
    if None in found:
        return next(v for v in values if v not in (None, "") and number(v) is None)
    return round(sum(n for n in found if n is not None) * (entry.factor or 1.0), 6)


def _errors(records: Records) -> list[str]:
    """The columns that say of a row whether it failed."""
    return [
        name for name in records.columns if plain(name) in _names()["errors"]["names"]
    ]


def _say_as_we_do(facts: dict[str, Any], errors: list[Any]) -> None:
    """The words of others for an outcome and a provider."""
    words = _names()["outcomes"]
    for column in ("outcome", "status"):
        word = str(facts.get(column) or "").strip().lower()
        if word in words:
            facts[column] = None
            facts["outcome"] = words[word]
    if facts.get("outcome") is None and errors:
        failed = any(fitted("stream", value) for value in errors)
        facts["outcome"] = "provider_error" if failed else None
    if (whose := provider_name(facts.get("provider"))) is not None:
        facts["provider"] = whose
        for column in ("model_requested", "model_sent", "model_actual"):
            if facts.get(column) is not None:
                facts[column], _ = model_and_provider(facts[column], whose)


def _when(value: Any, choices: Choices) -> Any:
    if value in (None, ""):
        return choices.at
    if choices.epoch is None:
        return value
    seconds = number(value)
    return None if seconds is None else _later(choices, seconds)


def _later(choices: Choices, seconds: float) -> Any:
    try:
        return choices.epoch + timedelta(seconds=seconds) if choices.epoch else None
    except OverflowError:
        return None


@cache
def _names() -> Mapping[str, Any]:
    text = files("lectr_lab.log.importers").joinpath("table_names.toml")
    return tomllib.loads(text.read_text("utf-8"))
