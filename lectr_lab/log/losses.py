"""What did not reach the log, where every reader can find it.

Small files in `state/`, written aside and renamed, so that a reader sees the old number
or the new one:

    dropped.<writer>        how many events a writer has dropped so far
    unread.<segment>        what of a segment could not be read when it was sealed, or
                            that no sealer could seal it
    unread.<part>.parquet   that a part cannot be read; until it can again
    unread.sealer           that a sealer died, or did not start; until one ends well

A file has one such note however often it is read, so nothing counts twice.
"""

import contextlib
import os
from collections.abc import Collection, Iterable
from datetime import date
from pathlib import Path
from typing import NamedTuple

from lectr_lab.files import read_regular, write_whole
from lectr_lab.log.folder import LabFolder, folder_date
from lectr_lab.log.frames import Unread, together
from lectr_lab.log.segment import unread_in

NOTED = 3
"""The exit code of a sealer that did what it could, and noted what it could not."""
_DROPPED = "dropped."
_UNREAD = "unread."
_PART = ".parquet"
_SEALER = "sealer"
_MOST_BYTES = 1000  # of a note


class Losses(NamedTuple):
    """What a log lacks: events dropped before the disk, and what was damaged on it."""

    dropped: int = 0
    unread: Unread = Unread()


def write_losses(lab: LabFolder, writer: str, dropped: int) -> bool:
    """Say how many events a writer has dropped so far.

    Args:
        lab: the lab folder.
        writer: a name that no other writer has; letters and digits.
        dropped: the count since that writer began.

    Returns:
        False where the disk did not take it; say it again later.
    """
    return _write(lab.state / f"{_DROPPED}{writer}", str(dropped))


def note_unread(lab: LabFolder, segment: Path, unread: Unread) -> bool:
    """Say what of a segment could not be read, for good, or that it was not sealed yet.

    Args:
        lab: the lab folder.
        segment: as it was named in the journal, or set aside.
        unread: what its reader counted.

    Returns:
        False where the disk did not take it.
    """
    return _note(lab, segment.stem, unread)


def note_sealed(lab: LabFolder, segment: Path) -> None:
    """Nothing is to be said of a segment any more."""
    _note(lab, segment.stem, Unread())


def note_sealer(lab: LabFolder, *, failed: bool) -> None:
    """Say whether the last sealer died, or did not even start."""
    _note(lab, _SEALER, Unread(unsealed=int(failed)))


def note_parts(lab: LabFolder, bad: Iterable[Path], well: Iterable[Path]) -> None:
    """Say which parts cannot be read; and of others that they can, again or as ever.

    A part that is gone keeps its note: so do its rows.
    """
    noted = _part_notes(lab)
    for part in bad:
        if (key := _key(part)) not in noted:
            _note(lab, key, _unread_part(part))
    if noted:
        for key in noted & set(map(_key, well)):
            _note(lab, key, Unread())


def noted_losses(lab: LabFolder) -> Losses:
    """What all writers and sealers have said so far. Cheap: only notes are read.

    >>> import tempfile; from pathlib import Path
    >>> lab = LabFolder.create(Path(tempfile.mkdtemp()))
    >>> write_losses(lab, "a1", 3), write_losses(lab, "b2", 4)
    (True, True)
    >>> note_unread(lab, lab.segment(date(2026, 11, 24), "0" * 32), Unread(1, 3400, 20))
    True
    >>> noted_losses(lab)
    Losses(dropped=7, unread=Unread(batches=1, bytes=3400, events=20, files=0, unsealed=0))
    """
    return Losses(_dropped(lab), together(_notes(lab).values()))


_NOT_SEALED = Unread(unsealed=1)


def losses(lab: LabFolder) -> Losses:
    """What the log lacks now: what is noted, and what no sealer has come to yet."""
    waiting, found = lab.segments(), _sealed(lab)  # in the order in which they move on
    here = [
        _unread_now(segment, ended=False)
        for segment in waiting
        if found.get(segment.stem, _NOT_SEALED).unsealed
    ]
    parts = [_unread_part(p) for p in _bad_parts(lab) if _key(p) not in found]
    return Losses(_dropped(lab), together([*found.values(), *here, *parts]))


def unread_of(
    lab: LabFolder, day: date | None = None, besides: Collection[Path] = ()
) -> Unread:
    """What was lost of segments that are sealed, and of parts, of one day or of all.

    Args:
        lab: the lab folder.
        day: of this one alone.
        besides: parts that are spoken of already.
    """
    start, known = "" if day is None else day.isoformat(), set(map(_key, besides))
    some = _sealed(lab).items()
    return together(
        unread for key, unread in some if key.startswith(start) and key not in known
    )


def unnoted(lab: LabFolder) -> list[Path]:
    """Segments set aside of which no note says what they lack."""
    aside, found = lab.set_aside(), _notes(lab)
    return [path for path in aside if path.stem not in found]


def forget_day(lab: LabFolder, day: date) -> None:
    """A day that is deleted lacks nothing any more, and leaves nothing behind."""
    aside = (p for p in lab.set_aside() if p.name.startswith(day.isoformat()))
    for path in [*aside, *lab.state.glob(f"{_UNREAD}{day.isoformat()}.*")]:
        path.unlink(missing_ok=True)


def _note(lab: LabFolder, key: str, unread: Unread) -> bool:
    """One note says it; nothing is said by none."""
    path = lab.state / f"{_UNREAD}{key}"
    if any(unread):
        return _write(path, " ".join(map(str, unread)))
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
    return True


def _write(path: Path, text: str) -> bool:
    try:
        write_whole(path, text.encode("ascii"), durable=False)
    except OSError:
        return False
    return True


def _numbers(path: Path) -> list[int]:
    """What a note says; nothing where it is none."""
    try:
        data = read_regular(path, follow=False, most_bytes=_MOST_BYTES)
        return [int(word) for word in data.decode("ascii").split()]
    except (OSError, ValueError):
        return []


def _dropped(lab: LabFolder) -> int:
    return sum(sum(_numbers(path)) for path in lab.state.glob(f"{_DROPPED}*"))


def _notes(lab: LabFolder) -> dict[str, Unread]:
    """By the name of a segment without its suffix, or of a part with its day."""
    found = {}
    for path in lab.state.glob(f"{_UNREAD}*"):
        key, numbers = path.name.removeprefix(_UNREAD), _numbers(path)
        if len(numbers) in (3, len(Unread._fields)):  # 3: of a version before
            found[key] = Unread(*numbers)
        if key in found and found[key].unsealed and not _waits(lab, key):
            del found[key]
    return found


def _waits(lab: LabFolder, key: str) -> bool:
    return key == _SEALER or os.path.lexists(lab.journal / f"{key}.journal")


def _part_notes(lab: LabFolder) -> set[str]:
    notes = lab.state.glob(f"{_UNREAD}*{_PART}")
    return {path.name.removeprefix(_UNREAD) for path in notes}


def _key(part: Path) -> str:
    day = folder_date(part.parent)
    return f"{day.isoformat() if day else part.parent.name}.{part.stem}{_PART}"


def _unread_part(part: Path) -> Unread:
    try:
        return Unread(files=1, bytes=part.lstat().st_size)
    except OSError:
        return Unread(files=1)


def _bad_parts(lab: LabFolder) -> Collection[Path]:
    """Those that no note can be written of, because the folder is not ours to write."""
    from lectr_lab.log.parts import current_schema  # a proxy reads notes without frames
    from lectr_lab.log.verify import bad_parts, is_bare, parts_of

    if is_bare(lab):
        return ()
    try:
        return bad_parts(lab, parts_of(lab), current_schema())
    except FileNotFoundError:  # merged a moment ago
        return ()


def _sealed(lab: LabFolder) -> dict[str, Unread]:
    """The notes; and where there is none, what was set aside speaks for itself."""
    aside = {path.stem: _unread_now(path, ended=True) for path in unnoted(lab)}
    return aside | _notes(lab)


def _unread_now(segment: Path, *, ended: bool) -> Unread:
    try:
        return unread_in(segment, ended=ended)
    except OSError:  # sealed a moment ago; or unreadable, which scan says
        return Unread()
