"""By what a row of a table is the same call in another version of the table."""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from lectr_lab.log.importers.fields import Choices
from lectr_lab.log.importers.records import (
    Record,
    Records,
    RowIds,
    missing_column,
    plain,
)

_MAPPED = ("provider_response_id", "provider_request_id")
_LOOKED_AT = 100_000  # rows
_MOSTLY = 0.9
_LONG = 12  # characters: what is shorter may be a number in another table too


class IdColumn(NamedTuple):
    """The column of a table's ids, and what tells the table from others.

    `prefix` stands before ids that are as short as a row's number; "" where the user
    named the column, and with it vouched for them. `late`: an import of the same table
    with another map may not have known it.
    """

    name: str
    prefix: str
    late: bool


def named_id(
    source: Path, records: Records, choices: Choices, mapped: Mapping[str, str]
) -> IdColumn | None:
    """The column that has an id of each row; None where there is none.

    Args:
        source: the table's file, for messages.
        records: the table. A column that was not named must have an id in every row,
            and few of them twice: these are rows of one call.
        choices: `id_column` is the column, if somebody said.
        mapped: the table's column of each column of the log that is one alone.

    Raises:
        LogError: there is no such column.
    """
    if choices.id_column is not None:
        if choices.id_column not in records.columns:
            raise missing_column(source, choices.id_column, records.columns)
        return IdColumn(choices.id_column, "", late=True)
    by_name = {plain(name): name for name in reversed(records.columns)}
    known = [by_name[name] for name in _id_names() if name in by_name]
    told = [mapped[column] for column in _MAPPED if column in mapped]
    for name in dict.fromkeys([*known, *told]):
        if _tells_apart(records, name):
            prefix = choices.hashed(repr(sorted(records.columns)))[:8]
            return IdColumn(name, prefix, late=name not in known)
    return None


def top_level(names: Sequence[str]) -> tuple[str, ...]:
    """The columns that are no field within another.

    >>> top_level(["usage", "usage.input", "a.b"])
    ('usage', 'a.b')
    """
    return tuple(n for n in names if "." not in n or n.partition(".")[0] not in names)


def id_of_row(
    row: Record, by: IdColumn | None, names: Collection[str], ids: RowIds
) -> tuple[str, str | None]:
    """A row's id, and under what else an earlier import may have known it.

    Args:
        row: the record.
        by: the column of ids, where there is one.
        names: the columns that are a whole row; none where nobody needs it.
        ids: gives ids to rows that have none.
    """
    all_of_it = {name: row.get(name) for name in names}
    whole = ids.of(None, all_of_it) if names else None
    if by is None:
        return str(whole), None
    own = str(row.get(by.name) or "").strip()
    if not own:
        return ids.of(None, row), None
    if by.prefix and len(own) < _LONG:
        own = f"{by.prefix}:{own}"
    return own, whole


def _tells_apart(records: Records, name: str) -> bool:
    seen: set[Any] = set()
    rows = 0
    for row in islice(records.read([name]), _LOOKED_AT):
        value = None if row is None else row.get(name)
        if value in (None, "") or not isinstance(value, str | int):
            return False
        seen.add(value)
        rows += 1
    return len(seen) > rows * _MOSTLY


@cache
def _id_names() -> tuple[str, ...]:
    text = files("lectr_lab.log.importers").joinpath("table_names.toml")
    return tuple(tomllib.loads(text.read_text("utf-8"))["id"]["names"])
