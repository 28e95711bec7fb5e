"""Finished segments become Parquet parts: `python -m lectr_lab.log.seal <lab folder>`.

A short-lived process beside the proxy, of low priority. Any number may run at once: a
segment is held by flock while it is sealed. A part is written aside and renamed, and
only then is its segment removed; whoever finds both knows that the part counts.
"""

import contextlib
import io
import os
import sys
import zlib
from pathlib import Path
from typing import NamedTuple

import polars as pl

from lectr_lab.core.printable import printable
from lectr_lab.files import sync_folder, write_whole
from lectr_lab.log.checksums import note_checksums
from lectr_lab.log.folder import (
    FOLDER_MODE,
    LabFolder,
    day_locked,
    folder_date,
)
from lectr_lab.log.frames import Unread, together
from lectr_lab.log.losses import (
    NOTED,
    note_sealed,
    note_sealer,
    note_unread,
    unnoted,
)
from lectr_lab.log.schema import file_metadata, frame
from lectr_lab.log.segment import claimed, read_segment

# Level 3 costs 1.6 µs a row, 9 twice that for 4 % less; compaction writes again anyway.
_ZSTD_LEVEL = 3


_FAILURES = OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException


class SealReport(NamedTuple):
    """What one run did. `problems` are sentences, each naming its file."""

    parts: int = 0
    events: int = 0
    unread: Unread = Unread()
    problems: tuple[str, ...] = ()


def seal(lab: LabFolder) -> SealReport:
    """Turn every segment whose writer has finished or died into its Parquet part.

    Args:
        lab: a folder that exists. Live segments in it are left alone.

    Returns:
        What was done. A segment that could not be sealed stays where it is, one that
        could not all be read is noted in `state/` and kept as `journal/*.bad`; both
        are problems.

    Raises:
        LogError: there is no such folder.
    """
    LabFolder.existing(lab.root)
    reports = []
    for segment in lab.segments():
        try:
            with claimed(segment) as mine:
                if mine:
                    reports.append(_seal_one(lab, segment))
        except _FAILURES as error:
            reason = getattr(error, "strerror", None) or str(error)
            named = reason if str(segment) in reason else f"{segment}: {reason}"
            note_unread(lab, segment, Unread(unsealed=1))
            reports.append(SealReport(problems=(named,)))
    _note_what_was_set_aside(lab)
    note_sealer(lab, failed=False)
    return _together(reports)


def _note_what_was_set_aside(lab: LabFolder) -> None:
    """By a version that took no notes, or when there was no room for one."""
    for path in unnoted(lab):
        with contextlib.suppress(OSError):
            note_unread(lab, path, read_segment(path, ended=True).unread)


def _together(reports: list[SealReport]) -> SealReport:
    return SealReport(
        sum(r.parts for r in reports),
        sum(r.events for r in reports),
        together(r.unread for r in reports),
        tuple(problem for r in reports for problem in r.problems),
    )


def _seal_one(lab: LabFolder, segment: Path) -> SealReport:
    part = lab.part(segment)
    there = part.exists()  # its sealer died before it was done with the segment
    events, _, unread = read_segment(segment, ended=True)
    if unread.bytes:
        note_unread(lab, segment, unread)
    else:
        note_sealed(lab, segment)
    if events and not there:
        put_part(lab, part, frame(events))
    problems: tuple[str, ...] = ()
    if unread.bytes:
        aside = segment.rename(segment.with_suffix(".bad"))
        problem = (
            f"{segment}: {unread.in_words()} (an interrupted write, or a bad disk). It "
            f"is kept as {aside}; what is whole in it is in the log."
        )
        problems = (problem,)
    else:
        segment.unlink()
    new = 0 if there else len(events)
    return SealReport(int(new > 0), new, unread, problems)


def put_part(
    lab: LabFolder,
    part: Path,
    rows: pl.DataFrame,
    metadata: dict[str, str] | None = None,
) -> None:
    """A new part with its checksum, while nobody swaps its day's folder.

    Args:
        lab: the lab folder; the file is written in `journal/` first.
        part: `log/date=YYYY-MM-DD/<name>.parquet`.
        rows: what it is to hold.
        metadata: what it says of itself; None: what this version's parts do.

    Raises:
        OSError: there is no such part then.
    """
    buffer = io.BytesIO()
    rows.write_parquet(
        buffer,
        compression="zstd",
        compression_level=_ZSTD_LEVEL,
        metadata=file_metadata() if metadata is None else metadata,
    )
    data, aside = buffer.getvalue(), lab.journal / f"{part.stem}.tmp"
    day = folder_date(part.parent)
    assert day is not None
    while True:
        if not part.parent.is_dir():
            part.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            sync_folder(part.parent.parent)
        with day_locked(part.parent, alone=False) as in_place:
            if in_place:
                note_checksums(lab, day, {part.name: zlib.crc32(data)})
                write_whole(part, data, aside)
                return


def main(arguments: list[str]) -> int:
    """Seal one lab folder; silent when all is well, else one line on stderr."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m lectr_lab.log.seal <lab folder>\n")
        return 2
    os.nice(10)
    try:
        problems = seal(LabFolder(Path(arguments[0]))).problems
    except OSError as error:
        problems = (str(error),)
    if problems:
        sys.stderr.write(printable(f"lectr-lab seal: {' · '.join(problems)}\n"))
    return NOTED if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
