"""One part as a frame: checked, and brought to the present schema.

A part of an older version is read through the migrations between its version and this
one. A migration is one function of a frame; columns that were only added or dropped
need none.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import msgspec
import polars as pl

from lectr_lab.core.event import SCHEMA_VERSION
from lectr_lab.log.schema import METADATA_KEY, file_metadata, polars_schema

Migration = Callable[[pl.LazyFrame], pl.LazyFrame]

MIGRATIONS: Mapping[int, Migration] = MappingProxyType({})
"""From version → what makes its rows those of the next version."""


class LogSchema(NamedTuple):
    """A version of the log: its columns, how to get there, what its files say."""

    version: int
    columns: pl.Schema
    migrations: Mapping[int, Migration]
    metadata: Mapping[str, str]


class PartMetadata(msgspec.Struct):
    """What a part's metadata says, as far as a reader needs it."""

    schema_version: int


def current_schema() -> LogSchema:
    """The version that this lectr_lab writes."""
    return LogSchema(SCHEMA_VERSION, polars_schema(), MIGRATIONS, file_metadata())


def part_version(part: Path) -> int | None:
    """The schema version a part says it has; None where it does not say.

    Raises:
        OSError, polars.exceptions.PolarsError, msgspec.DecodeError: it is no such file.
    """
    metadata = pl.read_parquet_metadata(part).get(METADATA_KEY)
    return (
        None
        if metadata is None
        else msgspec.json.decode(metadata, type=PartMetadata).schema_version
    )


def damage(part: Path, schema: LogSchema) -> str | None:
    """Why a part cannot be read at all or with the others; None where it can.

    Raises:
        FileNotFoundError: it is gone.
    """
    return objection_of(part, lambda: _objection(part, schema))


def objection_of(part: Path, look: Callable[[], str | None]) -> str | None:
    """What looking at a part says; where it fails in any way, why.

    Raises:
        FileNotFoundError: it is gone.
    """
    try:
        return look()
    except FileNotFoundError:
        raise
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 - damaged bytes end in every kind of error
        if not os.path.lexists(part):
            raise FileNotFoundError(f"{part} is gone.") from None
        return getattr(error, "strerror", None) or str(error).split("\n")[0]


def decode(part: Path) -> str | None:
    """Read every value of a part of which no checksum is known, a few rows at a time.

    Returns:
        Why it is none of a log; None where it is well.

    Raises:
        OSError, polars.exceptions.PolarsError, polars.exceptions.PanicException: it
            cannot be read.
    """
    rows = pl.scan_parquet(part, hive_partitioning=False)
    count = rows.select(pl.len()).collect().item()
    # An event's id alone takes bytes, however well it is packed; what has more rows
    # than bytes is made to fill the memory of who reads it.
    if count > part.stat().st_size:
        return f"{count:,} rows in {part.stat().st_size:,} bytes are no log's"
    rows.sink_batches(lambda _: None, engine="streaming")
    return None


def part_rows(part: Path, schema: LogSchema) -> pl.LazyFrame:
    """A part's rows with the columns of a schema, whatever version it has.

    Args:
        part: one that `damage` has nothing against.
        schema: the version wanted.
    """
    rows = _migrated(part, schema)
    has = rows.collect_schema()
    return rows.select(
        pl.col(name) if name in has else pl.lit(None, dtype).alias(name)
        for name, dtype in schema.columns.items()
    )


def _objection(part: Path, schema: LogSchema) -> str | None:
    if part_version(part) == schema.version:
        return None
    theirs = _migrated(part, schema).collect_schema()
    if "event_id" not in theirs or "started_at" not in theirs:
        return "it is not a part of this log"
    for name in schema.columns.keys() & theirs.keys():
        if theirs[name] != schema.columns[name]:
            return f"its column {name} is {theirs[name]}, not {schema.columns[name]}"
    return None


def _migrated(part: Path, schema: LogSchema) -> pl.LazyFrame:
    rows = pl.scan_parquet(part, hive_partitioning=False)
    version = part_version(part)
    if version is None:
        return rows
    for older in range(version, schema.version):
        if older in schema.migrations:
            rows = schema.migrations[older](rows)
    return rows
