"""What was counted of a log's files, kept beside it: `cells/facts/` and `cells/months/`.

    cells/facts/<YYYY-MM-DD>/<part>.<key>.<kind>.<crc32>.parquet
    cells/months/<YYYY-MM>.<key>.<kind>.<crc32>.parquet

Where a part has more features than cells tell apart, `.few` stands after the key. Kinds
are `sums`, `rest` and `taught` (`facts.py`) and `bins` (`bins.py`); months have `eras`,
`weekly` and `weeks`, too (`sets.py`). A part is written once, so what was counted of it holds for ever: the key names the
part, its size and checksum, and what a price can go by (`bands.py`), and no price. A
month is the sum of its parts', its sums by days, its bins together, and its sums
together but for the days on which the list changes a model's price (`eras.py`). A file
whose bytes are not those of its name is no file. So all of it may be deleted, torn or
old: then it is counted again, and no figure changes. Files are written aside and
renamed; whoever may not write them reads rows.

A part is counted where its day is closed: over, and with nothing of it in the journal.
"""

import contextlib
import os
import re
import time
import warnings
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from lectr_lab.analysis.cells.sets import (
    ERRORS,
    KINDS,
    OF_MONTHS,
    CellSet,
    Kept,
    counted,
    rolled_up,
    together,
)
from lectr_lab.analysis.elsewhere import each, is_elsewhere
from lectr_lab.analysis.pricing.bands import lengths, times
from lectr_lab.core.errors import LabError
from lectr_lab.core.pricing.price_changes import list_version
from lectr_lab.core.printable import printable
from lectr_lab.files import write_whole
from lectr_lab.log.checksums import checksum, checksums
from lectr_lab.log.folder import FOLDER_MODE, LabFolder, folder_date, segment_date
from lectr_lab.log.scan import LogWarning, scan_parts, snapshot

FORMAT = 1
_OF_MONTHS = (*KINDS, *OF_MONTHS)
_FILE = re.compile(
    r"(.+)\.([0-9a-f]{24})(?:\.few)?"
    rf"\.({'|'.join(_OF_MONTHS)})\.([0-9a-f]{{8}})\.parquet"
)
_FEW = ".few"
_DIGEST_BYTES = 12
_LINGER_S = 3 * 86_400.0  # a log that was opened before may still be read by them
_MOST_REMEMBERED = 1 << 16


def kept_facts(
    lab: LabFolder,
    parts: Sequence[Path],
    *,
    now: datetime | None = None,
    by_feature: bool = False,
) -> Kept:
    """What was counted of parts; of closed days, what was not is counted now and kept.

    Args:
        lab: the lab folder.
        parts: of its log, that can be read.
        now: the present, unless told.
        by_feature: leave those parts that have more features than cells tell apart.
    """
    found: list[tuple[Path, Mapping[str, Path]]] = []
    left: list[Path] = []
    is_open = _open_days(lab, now)
    folders: dict[date, tuple[Path, dict[str, Mapping[str, Path]]]] = {}
    missing: list[tuple[date, Path, str]] = []
    for day, some in _by_day(lab, parts).items():
        if day is None or is_open(day):
            left += some
            continue
        folder = lab.root / "cells" / "facts" / day.isoformat()
        keys, known = _part_keys(lab, day, some), _listed(folder)
        folders[day] = folder, known
        for part in some:
            stands_for = f"{part.stem}.{keys[part]}"
            if stands_for in known:
                found.append((part, known[stands_for]))
            else:
                missing.append((day, part, stands_for))
    made = each(
        _count_and_keep,
        [part.absolute() for _, part, _ in missing],
        [folders[day][0].absolute() for day, _, _ in missing],
        [stands_for for _, _, stands_for in missing],
        what="Counting days that are over, once",
    )
    unseen = 0
    for (day, part, stands_for), kept in zip(missing, made, strict=True):
        # Another machine may have a folder of the same path, and not the same folder.
        if kept is None or not all(file.exists() for file in kept.values()):
            left.append(part)
            unseen += is_elsewhere()
        else:
            found.append((part, kept))
            folders[day][1][stands_for] = kept
    for day, (folder, known) in folders.items():
        _forget(lab, day, folder, known)
    if unseen:
        warnings.warn(_unseen(lab, unseen), LogWarning, stacklevel=2)
    left += [part for part, kept in found if by_feature and _has_few(kept)]
    whole = [kept for _, kept in found if not (by_feature and _has_few(kept))]
    return together(whole, _in_order(left, parts))


def _unseen(lab: LabFolder, parts: int) -> str:
    return printable(
        f"The cluster could not count {parts} files of {lab.root}, and their rows are "
        "read here. Its processes must see that folder at the same path, and may write "
        "to cells/ in it."
    )


def kept_months(
    lab: LabFolder,
    parts: Sequence[Path],
    *,
    now: datetime | None = None,
    by_feature: bool = False,
    as_one: Callable[[date], bool] = lambda month: False,
    by_week: bool = False,
) -> Kept:
    """Months, each as one set of files: sums by days (UTC), and bins of the whole month.
    Of the one that runs, its days that are closed: it is added up again as one more is.

    Args:
        lab: the lab folder.
        parts: of its log, that can be read. Those of a month of which they are all.
        now: the present, unless told.
        by_feature: leave those months that have more features than cells tell apart.
        as_one: whether of a month, told by its first day, sums need not be told apart by
            days, but for those on which the list changes a price.
        by_week: but by weeks.

    Returns:
        The months' files; `left` are the parts that no month stands for.
    """
    is_open = _open_days(lab, now)
    months: dict[date, dict[date, list[Path]]] = {}
    left: list[Path] = []
    for day, some in _by_day(lab, parts).items():
        if day is None or is_open(day):
            left += some
        else:
            months.setdefault(day.replace(day=1), {})[day] = some
    folder = lab.root / "cells" / "months"
    known = _listed(folder, _OF_MONTHS)
    found: list[Mapping[str, Path]] = []
    closed = [day for day in lab.days() if not is_open(day)]
    for month, days in months.items():
        there = [day for day in closed if day.replace(day=1) == month]
        whole = {part for day in there for part in lab.day(day).glob("*.parquet")}
        some = [part for of_day in days.values() for part in of_day]
        is_whole = whole == set(some)
        kept = _month(lab, days, folder, known, now) if is_whole else None
        if kept is None or (by_feature and _has_few(kept)):
            left += some
        elif as_one(month):
            found.append({**kept, "sums": kept["weekly" if by_week else "eras"]})
        else:
            found.append(kept)
    return together(found, _in_order(left, parts))


def _month(
    lab: LabFolder,
    days: Mapping[date, Sequence[Path]],
    folder: Path,
    known: Mapping[str, Mapping[str, Path]],
    now: datetime | None,
) -> Mapping[str, Path] | None:
    """The files of a month, as kept or added up now; None where they cannot be."""
    keys = [
        f"{day} {key}"
        for day in sorted(days)
        for key in sorted(_part_keys(lab, day, days[day]).values())
    ]
    month = f"{min(days):%Y-%m}"
    name = f"{month}.{key_of([list_version(), *keys])}"
    if name in known:
        return known[name]
    if not _may_write(folder):
        return None
    of_days = kept_facts(
        lab, [part for some in days.values() for part in some], now=now
    )
    if of_days.left:
        return None
    few = any(_FEW in path.name for path in of_days.sums if isinstance(path, Path))
    kept = _keep(folder, name, rolled_up(of_days, few=few, steps=True))
    for other, files in known.items():
        if other.startswith(f"{month}.") and kept is not None:
            _remove(path for path in files.values() if _age_s(path) > _LINGER_S)
    return kept


def _age_s(path: Path) -> float:
    """How long ago it was written; a file that is gone is of no age."""
    with contextlib.suppress(OSError):
        return time.time() - path.stat(follow_symlinks=False).st_mtime
    return 0.0


def count_closed(lab: LabFolder, *, now: datetime | None = None) -> None:
    """Count what is not counted yet: parts of closed days, and their months.

    Where that cannot be, nothing is kept, and rows are read.
    """
    with warnings.catch_warnings(), contextlib.suppress(OSError, LabError):
        # What cannot be read is said where rows are; it is left out here alike.
        warnings.simplefilter("ignore")
        parts = snapshot(lab.root).parts
        kept_facts(lab, parts, now=now)
        kept_months(lab, parts, now=now)


def _count_and_keep(part: Path, folder: Path, name: str) -> Mapping[str, Path] | None:
    if not _may_write(folder):
        return None
    try:
        found = counted(scan_parts([part])[0])
    except ERRORS:
        return None
    return _keep(folder, name, found)


def _has_few(kept: Mapping[str, Path]) -> bool:
    """Features of these share a name."""
    return _FEW in kept["sums"].name


def _keep(folder: Path, name: str, found: CellSet) -> Mapping[str, Path] | None:
    """Write what was counted; None where it cannot be written."""
    if not _may_write(folder):
        return None
    kept: dict[str, Path] = {}
    try:
        for kind, data in found.files().items():
            crc = zlib.crc32(data)
            path = folder / f"{name}{_FEW * found.few}.{kind}.{crc:08x}.parquet"
            write_whole(path, data, durable=False)
            kept[kind] = path
    except OSError:
        return None
    return kept


def _listed(
    folder: Path, kinds: Sequence[str] = KINDS
) -> dict[str, Mapping[str, Path]]:
    """The whole sets of files of a folder, by the name of what they stand for."""
    found: dict[str, dict[str, Path]] = {}
    with contextlib.suppress(OSError):
        for path in sorted(folder.iterdir()):
            named = _FILE.fullmatch(path.name)
            if named and _is_whole(path, int(named[4], 16)):
                found.setdefault(f"{named[1]}.{named[2]}", {})[named[3]] = path
    return {name: some for name, some in found.items() if {*kinds} <= {*some}}


def _is_whole(path: Path, crc: int) -> bool:
    try:
        about = path.stat(follow_symlinks=False)
        return _seen(path, about.st_ino, about.st_size, about.st_mtime_ns) == crc
    except OSError:
        return False


@lru_cache(_MOST_REMEMBERED)
def _seen(path: Path, *_stamp: int) -> int:
    """A file's checksum, read once a process."""
    return checksum(path)


def _forget(
    lab: LabFolder, day: date, folder: Path, known: Mapping[str, Mapping[str, Path]]
) -> None:
    """Remove what was counted of parts that are gone."""
    parts = {part.stem for part in lab.day(day).glob("*.parquet")}
    for name, files in known.items():
        if name.rpartition(".")[0] not in parts and _may_write(folder):
            _remove(files.values())


def _remove(files: Iterable[Path]) -> None:
    for path in files:
        with contextlib.suppress(OSError):
            path.unlink()


def _may_write(folder: Path) -> bool:
    """The folder is there, made now where it can be, and files can be put into it."""
    with contextlib.suppress(OSError):
        for one in (folder.parent.parent, folder.parent, folder):
            one.mkdir(mode=FOLDER_MODE, exist_ok=True)
    return os.access(folder, os.W_OK | os.X_OK)


def _open_days(lab: LabFolder, now: datetime | None) -> Callable[[date], bool]:
    """Whether a day is not over, or something of it is in the journal."""
    today = (now or datetime.now(UTC)).astimezone(UTC).date()
    waiting = {segment_date(segment) for segment in lab.segments()}
    return lambda day: day >= today or day in waiting


def _by_day(lab: LabFolder, parts: Sequence[Path]) -> dict[date | None, list[Path]]:
    """Parts by their day; None for what is no part of the lab's log."""
    found: dict[date | None, list[Path]] = {}
    for part in parts:
        day = folder_date(part.parent)
        whose = day if day is not None and part.parent == lab.day(day) else None
        found.setdefault(whose, []).append(part)
    return found


def _part_keys(lab: LabFolder, day: date, parts: Sequence[Path]) -> dict[Path, str]:
    """What tells a part, and how it was counted."""
    sums = checksums(lab, day)
    keys = {}
    for part in parts:
        about = part.stat()
        known = sorted(sums.get(part.name, ())) or [about.st_mtime_ns]
        keys[part] = key_of([part.name, str(about.st_size), str(known)])
    return keys


def key_of(told: Sequence[str]) -> str:
    """What tells a set: what it was counted from, and how."""
    by = [str(FORMAT), str(lengths()), str(times())]
    text = "\n".join(ascii(one) for one in (*by, *told))
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def _in_order(left: Sequence[Path], parts: Sequence[Path]) -> list[Path]:
    some = set(left)
    return [part for part in parts if part in some]
