"""What was counted of a log's files, kept beside it: `cells/facts/` and `cells/months/`.

    cells/facts/<YYYY-MM-DD>/<part>.<key>.<kind>.<crc32>.parquet
    cells/months/<YYYY-MM>.<key>.<kind>.<crc32>.parquet
    cells/whole/<YYYY-MM>_<YYYY-MM>.<key>.<kind>.<crc32>.parquet

Where a part has more features than cells tell apart, `.few` stands after the key. Kinds
are `sums`, `rest` and `taught` (`facts.py`) and `bins` (`bins.py`, a row for each
histogram); months have `eras`, `weekly` and `weeks`, too (`sets.py`). A part is written
once, so what was counted of it holds for ever: the key names the part, its size and
checksum, and what a price can go by (`bands.py`), and no price. A month is the sum of
its parts', its sums by days, its bins together, and its sums together but for the days
on which the list changes a model's price (`eras.py`). All months that are over are one
set more, for who does not ask when: so a year is read as fast as a month. A file whose
bytes are not those of its name is no file (`set_files.py`). So all of it may be deleted,
torn or old: then it is counted again, and no figure changes. Files are written aside
and renamed; whoever may not write them reads rows.

A part is counted where its day is closed: over, and with nothing of it in the journal.
"""

import contextlib
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from hashlib import blake2b
from pathlib import Path

from lectr_lab.analysis.cells.set_files import (
    has_few,
    keep,
    listed,
    may_write,
    remove,
    remove_old,
)
from lectr_lab.analysis.cells.sets import (
    ERRORS,
    KINDS,
    OF_MONTHS,
    Kept,
    as_one_set,
    counted,
    rolled_up,
    together,
)
from lectr_lab.analysis.elsewhere import each, is_elsewhere
from lectr_lab.analysis.pricing.bands import lengths, times
from lectr_lab.core.errors import LabError
from lectr_lab.core.pricing.price_changes import list_version
from lectr_lab.core.printable import printable
from lectr_lab.log.checksums import checksums
from lectr_lab.log.folder import LabFolder, folder_date, segment_date
from lectr_lab.log.scan import LogWarning, scan_parts, snapshot

FORMAT = 2
_OF_MONTHS = (*KINDS, *OF_MONTHS)
_DIGEST_BYTES = 12


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
        keys, known = _part_keys(lab, day, some), listed(folder)
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
    left += [part for part, kept in found if by_feature and has_few(kept)]
    whole = [kept for _, kept in found if not (by_feature and has_few(kept))]
    return together(whole, _in_order(left, parts), few=any(map(has_few, whole)))


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
    as_whole: bool = False,
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
        as_whole: nor those months from each other that are over.

    Returns:
        The months' files; `left` are the parts that no month stands for.
    """
    months, left = _months(lab, parts, now)
    found: list[Mapping[str, Path]] = []
    over = {month: days for month, days in months.items() if month < _month_of(now)}
    if as_whole and len(over) > 1:
        whole = _as_whole(lab, over, now)
        if whole is not None and not (by_feature and has_few(whole)):
            found.append(whole)
            months = {
                month: days for month, days in months.items() if month not in over
            }
    folder = lab.root / "cells" / "months"
    known = listed(folder, _OF_MONTHS) if months else {}
    more = len(over) - 1 if found else 0
    for month, days in months.items():
        kept = _month(lab, days, folder, known, now)
        if kept is None or (by_feature and has_few(kept)):
            left += [part for of_day in days.values() for part in of_day]
        elif as_one(month):
            found.append({**kept, "sums": kept["weekly" if by_week else "eras"]})
        else:
            found.append(kept)
    few = any(map(has_few, found))
    return together(found, _in_order(left, parts), few=few)._replace(more=more)


_Days = Mapping[date, Sequence[Path]]


def _months(
    lab: LabFolder, parts: Sequence[Path], now: datetime | None
) -> tuple[dict[date, _Days], list[Path]]:
    """The parts of closed days, of months of which they are all; and the others."""
    is_open = _open_days(lab, now)
    months: dict[date, dict[date, list[Path]]] = {}
    left: list[Path] = []
    for day, some in _by_day(lab, parts).items():
        if day is None or is_open(day):
            left += some
        else:
            months.setdefault(day.replace(day=1), {})[day] = some
    cut = {
        day.replace(day=1)
        for day in lab.days()
        if not is_open(day) and _there(lab, day) != {p.name for p in _of(months, day)}
    }
    left += [
        p for month in cut & {*months} for of in months[month].values() for p in of
    ]
    return {month: days for month, days in months.items() if month not in cut}, left


def _of(months: Mapping[date, _Days], day: date) -> Sequence[Path]:
    return months.get(day.replace(day=1), {}).get(day, ())


def _there(lab: LabFolder, day: date) -> set[str]:
    """The parts of a day by their names, as they are now."""
    with contextlib.suppress(FileNotFoundError), os.scandir(lab.day(day)) as entries:
        return {one.name for one in entries if one.name.endswith(".parquet")}
    return set()


def _month_key(lab: LabFolder, days: _Days) -> str:
    keys = [
        f"{day} {key}"
        for day in sorted(days)
        for key in sorted(_part_keys(lab, day, days[day]).values())
    ]
    return key_of([list_version(), *keys])


def _month(
    lab: LabFolder,
    days: _Days,
    folder: Path,
    known: Mapping[str, Mapping[str, Path]],
    now: datetime | None,
) -> Mapping[str, Path] | None:
    """The files of a month, as kept or added up now; None where they cannot be."""
    month = f"{min(days):%Y-%m}"
    name = f"{month}.{_month_key(lab, days)}"
    if name in known:
        return known[name]
    if not may_write(folder):
        return None
    parts = [part for some in days.values() for part in some]
    of_days = kept_facts(lab, parts, now=now)
    if of_days.left:
        return None
    kept = keep(folder, name, rolled_up(of_days, few=of_days.few, steps=True))
    for other, files in known.items():
        if other.startswith(f"{month}.") and kept is not None:
            remove_old(files.values())
    return kept


def _as_whole(
    lab: LabFolder, months: Mapping[date, _Days], now: datetime | None
) -> Mapping[str, Path] | None:
    """The files of several months that are over, as one set; likewise."""
    folder = lab.root / "cells" / "whole"
    keys = [_month_key(lab, days) for _, days in sorted(months.items())]
    name = f"{min(months):%Y-%m}_{max(months):%Y-%m}.{key_of(['as one', *keys])}"
    known = listed(folder)
    if name in known:
        return known[name]
    if not may_write(folder):
        return None
    parts = [p for days in months.values() for some in days.values() for p in some]
    each_month = kept_months(lab, parts, now=now, as_one=lambda month: True)
    if each_month.left:
        return None
    kept = keep(folder, name, as_one_set(each_month, few=each_month.few))
    if kept is not None:
        for files in known.values():
            remove_old(files.values())
    return kept


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
        kept_months(lab, parts, now=now, as_whole=True)


def _count_and_keep(part: Path, folder: Path, name: str) -> Mapping[str, Path] | None:
    if not may_write(folder):
        return None
    try:
        found = counted(scan_parts([part])[0])
    except ERRORS:
        return None
    return keep(folder, name, found)


def _forget(
    lab: LabFolder, day: date, folder: Path, known: Mapping[str, Mapping[str, Path]]
) -> None:
    """Remove what was counted of parts that are gone."""
    parts = {part.stem for part in lab.day(day).glob("*.parquet")}
    for name, files in known.items():
        if name.rpartition(".")[0] not in parts and may_write(folder):
            remove(files.values())


def _today(now: datetime | None) -> date:
    return (now or datetime.now(UTC)).astimezone(UTC).date()


def _month_of(now: datetime | None) -> date:
    return _today(now).replace(day=1)


def _open_days(lab: LabFolder, now: datetime | None) -> Callable[[date], bool]:
    """Whether a day is not over, or something of it is in the journal."""
    today = _today(now)
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
