"""What a reader must know of a column of the log, and how a struct's fields tell it."""

from functools import cache
from types import NoneType, UnionType
from typing import (
    Any,
    Literal,
    NamedTuple,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

Null = Literal["never", "imported", "any"]
"""Which rows may have null: none, only those imported from elsewhere, or any."""

# An import has these of every call; of the others it has what its source says.
_ALSO_IMPORTED = frozenset({"event_id", "started_at", "org", "kind", "token_source"})


class ColumnSpec(NamedTuple):
    """One column of the log, ready for a schema, a docs table or file metadata."""

    name: str
    python_type: type
    null: Null
    unit: str
    meaning: str
    otel: str


class Column(NamedTuple):
    """What a reader must know of a column beyond its name and type."""

    unit: str
    meaning: str
    otel: str


def column(meaning: str, otel: str, unit: str = "") -> Column:
    """A column's meaning, its OpenTelemetry name, and its unit if it has one."""
    return Column(unit, meaning, otel)


def tokens(meaning: str, otel: str) -> Column:
    """A column that counts tokens."""
    return Column("tokens", meaning, otel)


@cache
def columns_of(struct: type[msgspec.Struct]) -> tuple[ColumnSpec, ...]:
    """The columns that a struct's annotated fields are, in their order."""
    hints = get_type_hints(struct, include_extras=True)
    return tuple(_spec(name, hints[name]) for name in struct.__struct_fields__)


def _spec(name: str, hint: Any) -> ColumnSpec:
    annotated, column = get_args(hint)
    members = (
        get_args(annotated)
        if get_origin(annotated) in (Union, UnionType)
        else (annotated,)
    )
    [member] = [m for m in members if m is not NoneType]
    python_type = str if get_origin(member) is Literal else member
    here: Null = "never" if name in _ALSO_IMPORTED else "imported"
    null: Null = "any" if NoneType in members else here
    return ColumnSpec(name, python_type, null, *column)
