"""Forgetting old days: a day's folder leaves the log whole, then it is deleted.

It is renamed into `journal/` first, so that a reader finds all of the day or nothing.
What could not be read of that day, set aside, is forgotten with it. Today and what is to
come are never deleted.
"""

import contextlib
import secrets
import shutil
from datetime import UTC, date, datetime
from typing import NamedTuple

from lectr_lab.core.errors import LogError
from lectr_lab.files import sync_folder
from lectr_lab.log.checksums import checksum_file, checksums
from lectr_lab.log.folder import LabFolder, day_locked
from lectr_lab.log.losses import forget_day
from lectr_lab.log.parts import current_schema
from lectr_lab.log.seal import seal
from lectr_lab.log.shipped import destination, taken
from lectr_lab.log.upkeep.compact import SUFFIX
from lectr_lab.log.verify import ailment


class RetainReport(NamedTuple):
    """The days that are gone, oldest first, and the bytes they had; and days that stay,
    for an object store does not have them yet."""

    days: tuple[date, ...] = ()
    freed_bytes: int = 0
    unshipped: tuple[date, ...] = ()


def retain(
    lab: LabFolder,
    *,
    max_age_days: int | None = None,
    max_bytes: int | None = None,
    today: date | None = None,
) -> RetainReport:
    """Delete the oldest days of a log, until what is left is within bounds.

    Args:
        lab: a folder that exists, in use or not.
        max_age_days: days before today that stay; 30 keeps the last 30 and today.
        max_bytes: the parts of all days together stay at or below this, if today's do.
        today: the day that is still being written (UTC).

    Returns:
        What was deleted.

    Raises:
        LogError: there is no such folder, a bound is below 0, or a day cannot be
            deleted.
    """
    for bound in (max_age_days, max_bytes):
        if bound is not None and bound < 0:
            raise LogError(f"A bound for the log is 0 or more, not {bound}.")
    seal(lab)
    today = today or datetime.now(UTC).date()
    sizes = {day: lab.day_bytes(day) for day in lab.days()}
    kept_bytes, gone, unshipped = sum(sizes.values()), [], []
    for day in (d for d in sizes if d < today):
        too_old = max_age_days is not None and (today - day).days > max_age_days
        too_much = max_bytes is not None and kept_bytes > max_bytes
        if (too_old or too_much) and _waits(lab, day):
            unshipped.append(day)
        elif too_old or too_much:
            _delete(lab, day)
            gone.append(day)
            kept_bytes -= sizes[day]
    freed_bytes = sum(sizes[day] for day in gone)
    return RetainReport(tuple(gone), freed_bytes, tuple(unshipped))


def _waits(lab: LabFolder, day: date) -> bool:
    """The lab is shipped, and a part of the day that can be read is not on its way."""
    if destination(lab) is None:
        return False
    known, sums, schema = taken(lab, day), checksums(lab, day), current_schema()
    return any(
        part.name not in known and not ailment(part, schema, sums.get(part.name, ()))
        for part in sorted(lab.day(day).glob("*.parquet"))
    )


def _delete(lab: LabFolder, day: date) -> None:
    folder = lab.day(day)
    away = lab.journal / f"{day.isoformat()}.{secrets.token_hex(16)}{SUFFIX}"
    try:
        with day_locked(folder, alone=True):
            folder.rename(away)
        sync_folder(lab.log)
    except OSError as error:
        raise LogError(f"{folder} cannot be deleted: {error.strerror}.") from None
    shutil.rmtree(away, ignore_errors=True)  # the next compaction takes what is left
    with contextlib.suppress(FileNotFoundError):
        checksum_file(lab, day).unlink()
    _forget_counts(lab, day)
    forget_day(lab, day)


def _forget_counts(lab: LabFolder, day: date) -> None:
    """Remove what readers counted of a day: its cells, and those of its month and of all
    months, which are counted again from what is left."""
    cells = lab.root / "cells"
    shutil.rmtree(cells / "facts" / day.isoformat(), ignore_errors=True)
    counted = [*cells.glob(f"months/{day:%Y-%m}.*"), *cells.glob(f"odd/{day}.*")]
    for file in [*counted, *cells.glob("whole/*")]:
        with contextlib.suppress(OSError):
            file.unlink()
