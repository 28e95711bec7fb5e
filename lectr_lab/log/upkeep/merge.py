"""Merging: which of a day's parts are small, and how several become one file.

Rows are sorted so that like lie beside like, which halves some columns, within files of
ROWS rows, which bounds the memory. A merged file says how many rows went into it, so
that it is not merged again once it is full.

The provider's id of a call is 30 random characters, which nothing compresses: 19 of 62
bytes a row. Support asks for ids of calls that failed, so merging keeps those alone.
"""

import secrets
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import polars as pl

from lectr_lab.core.ids import event_id
from lectr_lab.log.checksums import checksum, checksums
from lectr_lab.log.folder import FILE_MODE, LabFolder
from lectr_lab.log.parts import LogSchema, part_rows
from lectr_lab.log.verify import ailment

ROWS = 250_000
"""Rows of a merged file: about 11 MB, and what is held in memory at a time."""

# Bytes a row and CPU of the merge: 3: 46.2, 3.8 µs · 9: 43.3, 5.1 µs · 12: 43.1, 6.7 µs
# · 15: 43.2, 9.5 µs · 19: 42.6, 19 µs.
ZSTD_LEVEL = 9
SORTED_BY = ("org", "feature", "model_requested", "outcome", "started_at")
_ROWS_KEY = "lectr_lab_merged_rows"


class Part(NamedTuple):
    """A file of the log, as it was looked at."""

    path: Path
    rows: int
    size: int
    crc: int


def small_parts(
    lab: LabFolder, day: date, schema: LogSchema, rows_per_part: int
) -> tuple[list[Part], dict[Path, str]]:
    """The day's parts that can be merged and are not full yet; and why others cannot.

    Every byte of each was looked at.
    """
    sums = checksums(lab, day)
    small, bad = [], {}
    for path in sorted(lab.day(day).glob("*.parquet")):
        if reason := ailment(path, schema, sums.get(path.name, ())):
            bad[path] = reason
        elif (_merged_rows(path, schema) or 0) < rows_per_part:
            ids = pl.read_parquet(path, columns=["event_id"], hive_partitioning=False)
            size, crc = path.stat().st_size, checksum(path)
            small.append(Part(path, ids.height, size, crc))
    return small, bad


def _merged_rows(path: Path, schema: LogSchema) -> int | None:
    """How many rows were merged into a part; None where it is not such a one."""
    metadata = pl.read_parquet_metadata(path)
    current = all(metadata.get(key) == value for key, value in schema.metadata.items())
    return int(metadata[_ROWS_KEY]) if current and _ROWS_KEY in metadata else None


def worth_it(small: list[Part], schema: LogSchema) -> bool:
    """There are several, or one that is as it was sealed."""
    return len(small) > 1 or any(_merged_rows(p.path, schema) is None for p in small)


def groups(parts: list[Part], rows_per_part: int) -> Iterator[list[Part]]:
    """Neighbouring parts, gathered until each group has `rows_per_part` rows or more."""
    group: list[Part] = []
    for part in parts:
        group.append(part)
        if sum(p.rows for p in group) >= rows_per_part:
            yield group
            group = []
    if group:
        yield group


def merge(
    group: list[Part],
    folder: Path,
    schema: LogSchema,
    *,
    keep_request_ids: bool = False,
) -> Part:
    """One sorted part of a group's rows, in `folder`; the group's own files stay.

    Args:
        group: parts that have been looked at.
        folder: where the merged part goes; on the same file system as the log.
        schema: the version to write.
        keep_request_ids: also those of calls that ended well.

    Raises:
        OSError: it could not be written, or does not hold every row.
    """
    rows = sum(part.rows for part in group)
    name = event_id(_first_ms(group), secrets.randbits(80)).hex()
    path = folder / f"{name}.parquet"
    keys = [key for key in SORTED_BY if key in schema.columns]
    merged = pl.concat(part_rows(part.path, schema) for part in group)
    if not keep_request_ids and "provider_request_id" in schema.columns:
        merged = merged.with_columns(ids_of_failures())
    merged.sort(keys, nulls_last=True).sink_parquet(
        path,
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        row_group_size=max(rows, 1),
        metadata={**schema.metadata, _ROWS_KEY: str(rows)},
        sync_on_close="all",
    )
    path.chmod(FILE_MODE)
    if pl.read_parquet(path, columns=["event_id"]).height != rows:
        raise OSError(f"{path} has not the rows that went into it; nothing is changed.")
    return Part(path, rows, path.stat().st_size, checksum(path))


def ids_of_failures() -> pl.Expr:
    """The provider's ids, without those of calls that are known to have ended well."""
    well = (pl.col("outcome") == "ok") & (pl.col("status").fill_null(0) < 400)
    return pl.when(~well.fill_null(False)).then("provider_request_id")


def _first_ms(group: list[Part]) -> int:
    """So that a merged part sorts among others by its time, as sealed ones do."""
    try:
        return int(group[0].path.stem[:12], 16)
    except ValueError:
        return 0
