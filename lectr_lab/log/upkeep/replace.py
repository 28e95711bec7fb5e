"""Rows of a day change for others in one step, as readers see it.

Parts are never written into: those that have a row to go are built anew without it, and
the day's folder changes places with one in which they, and the new rows, are (as in
`log/upkeep/compact.py`). Dying anywhere leaves the old day or the new one.
"""

import secrets
import shutil
from collections.abc import Collection, Iterable
from datetime import date
from pathlib import Path

import polars as pl

from lectr_lab.core.ids import event_id
from lectr_lab.files import sync_folder
from lectr_lab.log.checksums import (
    checksum,
    checksums,
    note_checksums,
    replace_checksums,
)
from lectr_lab.log.folder import FILE_MODE, FOLDER_MODE, LabFolder, day_locked
from lectr_lab.log.schema import file_metadata
from lectr_lab.log.seal import put_part
from lectr_lab.log.shipped import note_rewritten
from lectr_lab.log.upkeep.compact import SUFFIX
from lectr_lab.log.upkeep.swap import exchange

_ZSTD_LEVEL = 3


def replace_rows(
    lab: LabFolder,
    day: date,
    new: Iterable[pl.DataFrame],
    gone: Collection[bytes] = (),
    parts: Collection[Path] = (),
) -> Path | None:
    """Add rows to a day, and take others out of it.

    Nobody else may rewrite parts of the lab meanwhile: hold `compact.only_one`.

    Args:
        lab: the lab folder.
        day: the day (UTC) that all of these rows are of.
        new: rows with the columns of `polars_schema`; each frame becomes a part.
        gone: `event_id` of the rows that go.
        parts: those of the day that hold them; others stay as they are.

    Returns:
        The day's old folder, if it was swapped out: for `compact.linger`.

    Raises:
        OSError: nothing has changed.
    """
    if not parts:
        for rows in new:
            put_part(lab, lab.day(day) / _name(rows), rows)
        return None
    built = lab.journal / f"{day.isoformat()}.{secrets.token_hex(16)}{SUFFIX}"
    built.mkdir(mode=FOLDER_MODE)
    try:
        for part in sorted(parts):
            _write_rest(lab, day, part, built, gone)
        for rows in new:
            path = built / _name(rows)
            _write(rows, path, file_metadata())
        _swap(lab, day, built, {part.name for part in parts})
    except BaseException:
        shutil.rmtree(built, ignore_errors=True)
        raise
    return built


def _write_rest(
    lab: LabFolder, day: date, part: Path, built: Path, gone: Collection[bytes]
) -> None:
    """A part without the rows that go; none where nothing is left of it."""
    rows = pl.read_parquet(part, hive_partitioning=False)
    out = pl.Series("event_id", list(gone), pl.Binary)
    rest = rows.filter(~pl.col("event_id").is_in(out.implode()))
    if not rest.height:
        return
    metadata = pl.read_parquet_metadata(part)
    metadata.pop("ARROW:schema", None)
    path = built / _name(rest)
    note_rewritten(lab, day, [part.name], [path.name])
    _write(rest, path, metadata)


def _write(rows: pl.DataFrame, path: Path, metadata: dict[str, str]) -> None:
    # `sink` syncs the file, which `write` does not.
    rows.lazy().sink_parquet(
        path,
        compression="zstd",
        compression_level=_ZSTD_LEVEL,
        metadata=metadata,
        sync_on_close="all",
    )
    path.chmod(FILE_MODE)


def _name(rows: pl.DataFrame) -> str:
    ms = int(rows["started_at"].dt.timestamp("ms").to_list()[0])
    return f"{event_id(ms, secrets.randbits(80)).hex()}.parquet"


def _swap(lab: LabFolder, day: date, built: Path, old: set[str]) -> None:
    folder = lab.day(day)
    new = {file.name: checksum(file) for file in built.iterdir()}
    with day_locked(folder, alone=True) as in_place:
        here = {file.name: file for file in folder.iterdir()} if in_place else {}
        if not old <= here.keys():
            raise OSError(f"{folder} was changed by somebody else. Try again.")
        for name in here.keys() - old:
            (built / name).hardlink_to(here[name])
        sync_folder(built)
        note_checksums(lab, day, new)
        exchange(built, folder)
        sync_folder(lab.log)
        sync_folder(lab.journal)
        there = here.keys() - old | new.keys()
        sums = {name: s for name, s in checksums(lab, day).items() if name in there}
        replace_checksums(lab, day, sums)
