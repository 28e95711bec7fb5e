"""One call that reads a lab: sealed parts and the journal's tail, each row once.

Nothing is locked, and nothing written but derived notes in `state/`. Segments are read
first, then the parts are listed: a segment sealed in between is in both, and its part
counts, if it can be read. Where a segment is gone by then without a part, or a part that
was listed, they were merged into another part meanwhile: the reading begins again.
"""

import warnings
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import polars as pl

from lectr_lab.core.errors import LogError
from lectr_lab.core.event import Event
from lectr_lab.core.printable import printable
from lectr_lab.log.folder import LabFolder, segment_date
from lectr_lab.log.losses import note_parts, unread_of
from lectr_lab.log.parts import current_schema, part_rows, part_version
from lectr_lab.log.schema import frame
from lectr_lab.log.segment import read_segment
from lectr_lab.log.verify import bad_parts, is_bare, parts_of

_ATTEMPTS = 20


class LogWarning(UserWarning):
    """Something of the log cannot be read and is left out; the rest is there."""


class Snapshot(NamedTuple):
    """A lab's log at one moment: its parts, and the events that are in none of them."""

    lab: LabFolder
    parts: tuple[Path, ...]
    tail: pl.DataFrame

    def rows(self) -> pl.LazyFrame:
        """All its events, as `scan` gives them."""
        frames = scan_parts(self.parts)
        if self.tail.height or not frames:
            frames.append(self.tail.lazy())
        return frames[0] if len(frames) == 1 else pl.concat(frames)


def scan(folder: str | Path, day: date | None = None) -> pl.LazyFrame:
    """The events of a lab, as they are now.

    Args:
        folder: a lab folder, in use or not; or any folder of the log's Parquet parts.
        day: of a lab folder, the files of this day alone (UTC).

    Returns:
        One row per event, with the columns of `polars_schema()` and in no particular
        order. The journal's tail is read now; Parquet parts when it is collected, and
        then only the columns and row groups that are asked for. Before that, each part
        is compared once with its checksum (`log/verify.py`). Columns that an older part
        does not have are null. Where a day is compacted in between, collecting raises:
        scan again.

    Raises:
        LogError: there is no such folder.

    Warns:
        LogWarning: files, or batches of the journal, could not be read now or when
            they were sealed; they are named, and left out.

    >>> import tempfile
    >>> scan(tempfile.mkdtemp()).collect().height
    0
    """
    return snapshot(folder, day).rows()


def snapshot(folder: str | Path, day: date | None = None) -> Snapshot:
    """What `scan` reads, file by file; as of `scan`."""
    lab = LabFolder.existing(Path(folder))
    parts, bad, events = _snapshot(lab, day)
    for part, reason in bad.items():
        _warn(
            f"{part} cannot be read and is left out: {reason}. `lectr-lab doctor` says "
            "what to do."
        )
    if not is_bare(lab):
        note_parts(lab, bad, parts)
    if (lost := unread_of(lab, day, bad)).things:
        _warn(f"{lab.root}: {lost.in_words()}. `lectr-lab doctor` names the files.")
    return Snapshot(lab, tuple(parts), frame(events))


def _snapshot(
    lab: LabFolder, day: date | None
) -> tuple[list[Path], dict[Path, str], list[Event]]:
    """The parts that can be read, those that cannot, and events that are in no part."""
    schema = current_schema()
    for _ in range(_ATTEMPTS):
        segments = (s for s in lab.segments() if day in (None, segment_date(s)))
        tails = {segment: _tail(segment) for segment in segments}
        try:
            parts = parts_of(lab, day)
            bad = bad_parts(lab, parts, schema)
        except FileNotFoundError:
            continue  # merged into another part since it was listed
        well = [part for part in parts if part not in bad]
        sealed = set(well)
        unsealed = [s for s in tails if lab.part(s) not in sealed]
        if all(segment.exists() for segment in unsealed):
            return well, bad, [event for s in unsealed for event in tails[s]]
    raise LogError(f"{lab.root} is changing faster than it can be read. Try again.")


def _tail(segment: Path) -> list[Event]:
    try:
        events, _, unread = read_segment(segment)
        if unread.bytes:
            _warn(f"{segment}: {unread.in_words()}.")
    except FileNotFoundError:
        return []  # sealed a moment ago: its part is listed next
    except OSError as error:
        _warn(str(error))
        return []
    return events


def scan_parts(parts: Sequence[Path]) -> list[pl.LazyFrame]:
    """Parts of this version in one scan; older ones each through its migrations."""
    schema = current_schema()
    older = [p for p in parts if schema.migrations and _is_older(p, schema.version)]
    present = sorted(set(parts) - set(older))
    frames = [part_rows(part, schema) for part in older]
    if present:
        frames.append(
            pl.scan_parquet(
                present,
                schema=schema.columns,
                missing_columns="insert",
                extra_columns="ignore",
                hive_partitioning=False,
            )
        )
    return frames


def _is_older(part: Path, present: int) -> bool:
    version = part_version(part)
    return version is not None and version < present


def _warn(message: str) -> None:
    warnings.warn(printable(message), LogWarning, stacklevel=2)
