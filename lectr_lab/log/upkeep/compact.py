"""A closed day's parts become few: `python -m lectr_lab.log.upkeep.compact <lab>`.

What a plain reader may see decides how. Between adding a merged file and removing the
old ones, every row would be there twice; the other way round, not at all. So the day's
folder is built anew in `journal/` and changes places with the old one in a single step
(`log/upkeep/swap.py`). A reader that listed the old folder and comes too late finds its files
gone, and raises; it never counts a row twice or misses one.

    seal      no segment outlives the part that its events are merged into
    merge     small parts, in the order of their names (that is: of time), into files of
              about ROWS rows, sorted so that like rows lie together; row counts agree
    lock      the day, alone: sealers add no part now (`day_locked`)
    carry     hard links for files that are not merged: large ones, bad ones, new ones
    swap      the two folders; the old one goes once no reader is listing it

Dying anywhere leaves the old day or the new one, and a folder in `journal/` that the
next run removes. One run at a time works on a lab: it holds flock on `journal/`.
"""

import contextlib
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import polars as pl

from lectr_lab.core.printable import printable
from lectr_lab.files import sync_folder
from lectr_lab.log.checksums import checksums, note_checksums, replace_checksums
from lectr_lab.log.folder import FOLDER_MODE, LabFolder, day_locked
from lectr_lab.log.losses import note_parts
from lectr_lab.log.parts import LogSchema, current_schema
from lectr_lab.log.seal import seal
from lectr_lab.log.segment import try_lock
from lectr_lab.log.shipped import note_rewritten, taken
from lectr_lab.log.upkeep.merge import ROWS, Part, groups, merge, small_parts, worth_it
from lectr_lab.log.upkeep.swap import exchange

SUFFIX = ".compact"
KEEP_REQUEST_IDS = "--keep-request-ids"
# A reader that opened the old folder and has not listed it yet must not find it empty.
_LINGER_S = 0.2


class CompactReport(NamedTuple):
    """What one run did. `problems` are sentences, each naming its file."""

    days: int = 0
    rows: int = 0
    parts_before: int = 0
    parts_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    problems: tuple[str, ...] = ()


class _Plan(NamedTuple):
    """How days are merged."""

    schema: LogSchema
    rows_per_part: int
    keep_request_ids: bool


class _Busy(OSError):
    """Somebody else is at work on this; the next run will find it."""


def compact(
    lab: LabFolder,
    *,
    today: date | None = None,
    schema: LogSchema | None = None,
    rows_per_part: int = ROWS,
    keep_request_ids: bool = False,
    on_bytes: Callable[[int, int], None] = lambda done, total: None,
) -> CompactReport:
    """Merge the parts of every day before today, and rewrite those of older versions.

    Args:
        lab: a folder that exists, in use or not.
        today: the day that is still being written (UTC).
        schema: the version to write; this lectr_lab's.
        rows_per_part: a merged file has about that many.
        keep_request_ids: keep the provider's ids also of calls that ended well. What
            an earlier run has dropped is gone.
        on_bytes: told how many bytes of how many were looked at, now and then.

    Returns:
        What was done, 0 where there was nothing to do. A part that cannot be read
        stays where it is and is a problem.

    Raises:
        LogError: there is no such folder.
    """
    problems = list(seal(lab).problems)
    today = today or datetime.now(UTC).date()
    plan = _Plan(schema or current_schema(), rows_per_part, keep_request_ids)
    reports = []
    with only_one(lab) as mine:
        if not mine:
            problems.append(f"{lab.root} is being compacted by another process.")
        else:
            remove_leftovers(lab)
            closed = [day for day in lab.days() if day < today]
            reports = _days(lab, closed, plan, on_bytes)
        if any(report.days for report in reports):
            time.sleep(_LINGER_S)
            remove_leftovers(lab)
    return _together([CompactReport(problems=tuple(problems)), *reports])


def remove_leftovers(lab: LabFolder) -> None:
    """What a run that died was building, or had swapped out."""
    for left in lab.journal.glob(f"*{SUFFIX}"):
        shutil.rmtree(left, ignore_errors=True)


def linger(swapped_out: list[Path]) -> None:
    """Remove days' folders that were swapped out, once no reader is listing them."""
    if swapped_out:
        time.sleep(_LINGER_S)
    for folder in swapped_out:
        shutil.rmtree(folder, ignore_errors=True)


def _together(reports: list[CompactReport]) -> CompactReport:
    sums = [sum(column) for column in zip(*(r[:-1] for r in reports), strict=True)]
    problems = tuple(problem for r in reports for problem in r.problems)
    return CompactReport._make([*sums, problems])


def _days(
    lab: LabFolder,
    days: list[date],
    plan: _Plan,
    on_bytes: Callable[[int, int], None],
) -> list[CompactReport]:
    sizes = [lab.day_bytes(day) for day in days]
    reports, done, total = [], 0, sum(sizes)
    for day, size in zip(days, sizes, strict=True):
        on_bytes(done, total)
        step = partial(_step, on_bytes, done, total)
        reports.append(_tried(lab, day, plan, step))
        done += size
    on_bytes(done, total)
    return reports


def _step(
    on_bytes: Callable[[int, int], None], before: int, total: int, merged: int
) -> None:
    on_bytes(min(before + merged, total), total)


def _tried(
    lab: LabFolder, day: date, plan: _Plan, on_merged: Callable[[int], None]
) -> CompactReport:
    """One bad day costs no other."""
    try:
        return _compact_day(lab, day, plan, on_merged)
    except _Busy:
        return CompactReport()
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        return CompactReport(problems=(f"{lab.day(day)} is left as it is: {error}",))


def _compact_day(
    lab: LabFolder, day: date, plan: _Plan, on_merged: Callable[[int], None]
) -> CompactReport:
    schema, keep_ids = plan.schema, plan.keep_request_ids
    small, bad = small_parts(lab, day, schema, plan.rows_per_part)
    note_parts(lab, bad, (part.path for part in small))
    problems = tuple(f"{path} is left as it is: {why}." for path, why in bad.items())
    known = taken(lab, day)  # a part that is being shipped is merged with such alone
    both = (
        [p for p in small if (p.path.name in known) is its] for its in (True, False)
    )
    kinds = [kind for kind in both if worth_it(kind, schema)]
    small = [part for kind in kinds for part in kind]
    if not small:
        return CompactReport(problems=problems)
    built = lab.journal / f"{day.isoformat()}.{secrets.token_hex(16)}{SUFFIX}"
    built.mkdir(mode=FOLDER_MODE)
    try:
        merged, merged_bytes = [], 0
        for group in (g for kind in kinds for g in groups(kind, plan.rows_per_part)):
            made = merge(group, built, schema, keep_request_ids=keep_ids)
            note_rewritten(lab, day, [p.path.name for p in group], [made.path.name])
            merged.append(made)
            merged_bytes += sum(part.size for part in group)
            on_merged(merged_bytes)
        _put_in_place(lab, day, built, small, merged)
    except BaseException:
        shutil.rmtree(built, ignore_errors=True)
        raise
    return CompactReport(
        days=1,
        rows=sum(p.rows for p in merged),
        parts_before=len(small),
        parts_after=len(merged),
        bytes_before=sum(p.size for p in small),
        bytes_after=sum(p.size for p in merged),
        problems=problems,
    )


def _put_in_place(
    lab: LabFolder, day: date, built: Path, old: list[Part], new: list[Part]
) -> None:
    folder = lab.day(day)
    gone = {part.path.name for part in old}
    with day_locked(folder, alone=True) as in_place:
        held = {lab.part(segment).name for segment in lab.segments()}
        here = {file.name: file for file in folder.iterdir()} if in_place else {}
        if not in_place or held & gone or not gone <= here.keys():
            raise _Busy
        for name in here.keys() - gone:
            (built / name).hardlink_to(here[name])
        sync_folder(built)
        note_checksums(lab, day, {part.path.name: part.crc for part in new})
        exchange(built, folder)
        sync_folder(lab.log)
        sync_folder(lab.journal)
        there = here.keys() - gone | {part.path.name for part in new}
        sums = {name: s for name, s in checksums(lab, day).items() if name in there}
        replace_checksums(lab, day, sums)


@contextlib.contextmanager
def only_one(lab: LabFolder) -> Iterator[bool]:
    """Nobody else who does so rewrites the lab's parts meanwhile; False where one does."""
    lab.journal.mkdir(mode=FOLDER_MODE, exist_ok=True)
    fd = os.open(lab.journal, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield try_lock(fd)
    finally:
        os.close(fd)


def main(arguments: list[str]) -> int:
    """Compact one lab folder; silent when all is well, else one line on stderr."""
    folders = [argument for argument in arguments if argument != KEEP_REQUEST_IDS]
    if len(folders) != 1:
        usage = (
            f"python -m lectr_lab.log.upkeep.compact [{KEEP_REQUEST_IDS}] <lab folder>"
        )
        sys.stderr.write(f"usage: {usage}\n")
        return 2
    os.nice(19)
    lab, keep = LabFolder(Path(folders[0])), KEEP_REQUEST_IDS in arguments
    try:
        problems = compact(lab, keep_request_ids=keep).problems
    except OSError as error:
        problems = (str(error),)
    if problems:
        sys.stderr.write(printable(f"lectr-lab compact: {' · '.join(problems)}\n"))
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
