"""What did not reach the log, where every reader can find it.

Small files in `state/`, written aside and renamed, so that a reader sees the old number
or the new one:

    dropped.<writer>      how many events a writer has dropped so far
    unread.<segment>      what of a segment could not be read when it was sealed

A segment has one such note however often it is read, so nothing counts twice.
"""

import contextlib
from datetime import date
from pathlib import Path
from typing import NamedTuple

from lectr_lab.log.folder import FILE_MODE, LabFolder
from lectr_lab.log.frames import Unread, together
from lectr_lab.log.segment import unread_in

_DROPPED = "dropped."
_UNREAD = "unread."


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
    """Say what of a segment could not be read, for good.

    Args:
        lab: the lab folder.
        segment: as it was named in the journal, or set aside.
        unread: what its reader counted.

    Returns:
        False where the disk did not take it.
    """
    text = " ".join(map(str, unread))
    return _write(lab.state / f"{_UNREAD}{segment.stem}", text)


def noted_losses(lab: LabFolder) -> Losses:
    """What all writers and sealers have said so far. Cheap: only notes are read.

    >>> import tempfile; from pathlib import Path
    >>> lab = LabFolder.create(Path(tempfile.mkdtemp()))
    >>> write_losses(lab, "a1", 3), write_losses(lab, "b2", 4)
    (True, True)
    >>> note_unread(lab, lab.segment(date(2026, 11, 24), "0" * 32), Unread(1, 3400, 20))
    True
    >>> noted_losses(lab)
    Losses(dropped=7, unread=Unread(batches=1, bytes=3400, events=20))
    """
    return Losses(_dropped(lab), together(_notes(lab).values()))


def losses(lab: LabFolder) -> Losses:
    """What the log lacks now: what is noted, and what no sealer has come to yet."""
    waiting, found = lab.segments(), _sealed(lab)  # in the order in which they move on
    unsealed = (s for s in waiting if s.stem not in found)
    here = [_unread_now(segment, ended=False) for segment in unsealed]
    return Losses(_dropped(lab), together([*found.values(), *here]))


def unread_of(lab: LabFolder, day: date | None = None) -> Unread:
    """What was lost of segments that are sealed, of one day or of all."""
    start = "" if day is None else day.isoformat()
    some = _sealed(lab).items()
    return together(unread for name, unread in some if name.startswith(start))


def unnoted(lab: LabFolder) -> list[Path]:
    """Segments set aside of which no note says what they lack."""
    aside, found = lab.set_aside(), _notes(lab)
    return [path for path in aside if path.stem not in found]


def forget_day(lab: LabFolder, day: date) -> None:
    """A day that is deleted lacks nothing any more, and leaves nothing behind."""
    aside = (p for p in lab.set_aside() if p.name.startswith(day.isoformat()))
    for path in [*aside, *lab.state.glob(f"{_UNREAD}{day.isoformat()}.*")]:
        path.unlink(missing_ok=True)


def _write(path: Path, text: str) -> bool:
    aside = path.with_name(f".{path.name}")
    try:
        aside.touch(FILE_MODE)
        aside.write_text(text, "ascii")
        aside.replace(path)
    except OSError:
        return False
    return True


def _dropped(lab: LabFolder) -> int:
    total = 0
    for path in lab.state.glob(f"{_DROPPED}*"):
        with contextlib.suppress(OSError, ValueError):
            total += int(path.read_text("ascii"))
    return total


def _notes(lab: LabFolder) -> dict[str, Unread]:
    """By the segment's name, without its suffix."""
    found = {}
    for path in lab.state.glob(f"{_UNREAD}*"):
        with contextlib.suppress(OSError, ValueError):
            batches, size, events = map(int, path.read_text("ascii").split())
            found[path.name.removeprefix(_UNREAD)] = Unread(batches, size, events)
    return found


def _sealed(lab: LabFolder) -> dict[str, Unread]:
    """The notes; and where there is none, what was set aside speaks for itself."""
    aside = {path.stem: _unread_now(path, ended=True) for path in unnoted(lab)}
    return aside | _notes(lab)


def _unread_now(segment: Path, *, ended: bool) -> Unread:
    try:
        return unread_in(segment, ended=ended)
    except OSError:  # sealed a moment ago; or unreadable, which scan says
        return Unread()
