"""What is wrong with a lab folder, which file, and how to mend it.

`examine` only looks. `mend` does what loses nothing: it seals what dead writers left,
brings back whole batches of what was set aside, moves what is no part out of `log/` to
`journal/*.bad`, takes out rows that are there twice, closes what others may read,
removes what dead helpers left half done. The rest is for a person, and the finding says
what to do. Both may run beside the proxy.
"""

import contextlib
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType

import polars as pl

from lectr_lab.core.errors import LogError
from lectr_lab.files import strange
from lectr_lab.log.checksums import checksums
from lectr_lab.log.folder import FILE_MODE, FOLDER_MODE, LabFolder, folder_date
from lectr_lab.log.key_file import list_keys
from lectr_lab.log.losses import note_parts
from lectr_lab.log.parts import current_schema
from lectr_lab.log.seal import seal
from lectr_lab.log.shipped import destination, shipping_folder, taken
from lectr_lab.log.upkeep.compact import SUFFIX, remove_leftovers
from lectr_lab.log.upkeep.duplicates import doubles, without_doubles
from lectr_lab.log.upkeep.journal_doctor import (
    Finding,
    bring_back,
    lost,
    segments,
    set_aside,
)
from lectr_lab.log.verify import ailment

_LOW_DISK_BYTES = 200_000_000
_STALE_S = 3600.0  # no helper works on one file for an hour
_LATE_S = 86_400.0
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def examine(
    lab: LabFolder, on_bytes: Callable[[int, int], None] = lambda done, total: None
) -> list[Finding]:
    """Look at every file of a lab; nothing is changed.

    Args:
        lab: a folder that exists, in use or not.
        on_bytes: told how many bytes of how many were looked at, now and then.

    Returns:
        What is wrong, the worst first; empty where all is well.

    Raises:
        LogError: there is no such folder.

    >>> import tempfile
    >>> examine(LabFolder.create(Path(tempfile.mkdtemp()) / "lab"))
    []
    """
    LabFolder.existing(lab.root)
    step = _counting(lab, on_bytes)
    found = [
        *_disk(lab),
        *_keys(lab),
        *_strangers(lab),
        *_bad_parts(lab, step),
        *segments(lab),
        *set_aside(lab),
        *_leftovers(lab),
        *lost(lab),
        *_unshipped(lab),
        *_open_to_others(lab),
    ]
    bad = {f.path for f in found if f.kind in ("bad part", "stranger")}
    return found + [f for day in lab.days() for f in _twice(lab.day(day), bad, step)]


def _counting(
    lab: LabFolder, on_bytes: Callable[[int, int], None]
) -> Callable[[Path], None]:
    """Adds up the files looked at: each part twice, by itself and beside others."""
    total = 2 * sum(map(lab.day_bytes, lab.days()))
    done = 0

    def step(path: Path) -> None:
        nonlocal done
        with contextlib.suppress(FileNotFoundError):
            done = min(done + path.stat().st_size, total)
        on_bytes(done, total)

    return step


def mend(lab: LabFolder, findings: list[Finding]) -> list[Finding]:
    """Put right what can be put right without losing anything.

    Args:
        lab: the lab folder.
        findings: what `examine` found in it.

    Returns:
        The findings that were dealt with.

    Raises:
        LogError: one could not be dealt with; those before it were.
    """
    mended = []
    # What others may open is closed first: what is wrong with it too may move it away.
    for finding in sorted(findings, key=lambda one: one.kind != "mode"):
        if finding.kind in MENDED:
            try:
                MENDED[finding.kind](lab, finding.path)
            except (OSError, pl.exceptions.PolarsError) as error:
                raise LogError(f"{finding.path} could not be mended: {error}") from None
            mended.append(finding)
    return mended


def _disk(lab: LabFolder) -> Iterator[Finding]:
    free = shutil.disk_usage(lab.root).free
    if free < _LOW_DISK_BYTES:
        how = "Make room: `lectr-lab compact --keep-days`, or move the lab."
        what = (
            f"The disk has {free / 1e6:.0f} MB left; events are lost when it is full."
        )
        yield Finding("disk", lab.root, what, how)


def _keys(lab: LabFolder) -> Iterator[Finding]:
    try:
        list_keys(lab)
    except LogError as error:
        yield Finding("keys", lab.state / "keys.json", str(error), "See there.")


def _strangers(lab: LabFolder) -> Iterator[Finding]:
    """Anything in log/ that is no part: it breaks a plain reader's scan."""
    if not lab.log.is_dir():
        return
    for path in sorted(lab.log.iterdir()):
        if path.is_symlink() or folder_date(path) is None or not path.is_dir():
            yield _stranger(path)
            continue
        for inside in sorted(path.iterdir()):
            if inside.suffix != ".parquet" or strange(inside.lstat().st_mode):
                yield _stranger(inside)


def _stranger(path: Path) -> Finding:
    how = "Move it away; `--mend` moves it into journal/."
    what = "It is no part of the log."
    if path.is_symlink():
        what = "It is a link: plain readers count the rows that it leads to twice."
    return Finding("stranger", path, what, how)


def _bad_parts(lab: LabFolder, step: Callable[[Path], None]) -> Iterator[Finding]:
    schema = current_schema()
    for day in lab.days():
        sums = checksums(lab, day)
        for part in sorted(lab.day(day).glob("*.parquet")):
            step(part)
            try:
                if strange(part.lstat().st_mode):
                    continue  # named already
                reason = ailment(part, schema, sums.get(part.name, ()))
            except FileNotFoundError:
                continue  # compacted meanwhile
            if reason:
                how = "Bring it back from a copy, or `--mend`: it is kept in journal/."
                yield Finding("bad part", part, f"It cannot be read: {reason}.", how)


def _leftovers(lab: LabFolder) -> Iterator[Finding]:
    """Half-done work of helpers that died; whatever it was made from is still there."""
    for path in sorted(lab.journal.glob("*.tmp")) + sorted(lab.state.glob("*.tmp")):
        if _age_s(path) > _STALE_S:
            what = "A helper died while it wrote this; nothing of it is missing."
            yield Finding("leftover", path, what, "Delete it, or `--mend`.")
    for path in sorted(lab.journal.glob(f"*{SUFFIX}")):
        if _age_s(path) > _STALE_S:
            what = "A compaction died here; the day itself is whole."
            yield Finding("compaction", path, what, "`lectr-lab compact` removes it.")


def _unshipped(lab: LabFolder) -> Iterator[Finding]:
    """Of a lab that is shipped: what has waited for a day."""
    to = destination(lab)
    if to is None:
        return
    waiting = list(shipping_folder(lab).glob("*.parquet"))
    for day in lab.days():
        known = taken(lab, day)
        waiting += [p for p in lab.day(day).glob("*.parquet") if p.name not in known]
    late = sum(_age_s(path) > _LATE_S for path in waiting)
    if late:
        files = "1 file has" if late == 1 else f"{late:,} files have"
        what = f"{files} waited for more than a day to be shipped to {to}."
        how = "`lectr-lab ship --once` ships them, or says why it cannot."
        yield Finding("shipping", shipping_folder(lab), what, how)


def _open_to_others(lab: LabFolder) -> Iterator[Finding]:
    folders = [f for f in (lab.log, lab.journal, lab.state) if f.is_dir()]
    inside = (path for folder in folders for path in sorted(folder.rglob("*")))
    for path in [lab.root, *folders, *inside]:
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            continue
        if not stat.S_ISLNK(mode) and mode & _OTHERS:
            what = f"Other users of this machine may open it ({mode & 0o777:03o})."
            yield Finding("mode", path, what, "chmod go=, or `--mend`.")


def _twice(
    folder: Path, bad: set[Path], step: Callable[[Path], None]
) -> Iterator[Finding]:
    """Parts with rows that an earlier part of the day, or a row before, has too."""
    parts = sorted(set(folder.glob("*.parquet")) - bad)
    if not parts:
        return
    for part, count in doubles(parts).items():
        what = f"{count} of its rows are in the log twice."
        yield Finding("twice", part, what, "`--mend` takes the second ones out.")
    for part in parts:
        step(part)


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


def _move_part_aside(lab: LabFolder, path: Path) -> None:
    note_parts(lab, [path], ())  # its rows are missing all the same
    _move_aside(lab, path)


def _move_aside(lab: LabFolder, path: Path) -> None:
    target = lab.journal / f"{path.name}.{time.time_ns()}.bad"
    path.rename(target)


def _close_to_others(lab: LabFolder, path: Path) -> None:
    path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)


def _delete(lab: LabFolder, path: Path) -> None:
    path.unlink(missing_ok=True)


MENDED = MappingProxyType(
    {
        "stranger": _move_aside,
        "bad part": _move_part_aside,
        "segment": lambda lab, path: seal(lab),
        "whole events": bring_back,
        "leftover": _delete,
        "compaction": lambda lab, path: remove_leftovers(lab),
        "mode": _close_to_others,
        "twice": without_doubles,
    }
)
"""What `mend` does about each kind of finding."""
