"""What people said of what was odd: dismissals, and notes of what they did.

    state/odd.json    both, for all who read the lab
    state/odd.lock    held while it is changed

A dismissed kind of a series stays quiet from the incident on for as long as it was told.
A note, such as a deploy, is shown with the incidents of its time. The file is written
aside and renamed: a reader sees the old one or the new one.
"""

import contextlib
import getpass
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from lectr_lab.analysis.odd.incidents import Incident
from lectr_lab.core.errors import LabError, LogError
from lectr_lab.core.formatting import name
from lectr_lab.files import read_regular, write_whole
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.state_lock import state_locked
from lectr_lab.log.verify import is_bare

DAYS = 7.0
MOST_LETTERS = 500

_MOST_BYTES = 16_000_000
_MOST_DAYS = 3_650.0
_LATER_DAYS = 31  # a note is of something that happened, or is about to


class Dismissal(msgspec.Struct, frozen=True, kw_only=True):
    """Some kinds of one series are quiet from a moment until another, both UTC."""

    id: str
    keys: tuple[str, ...]
    series: tuple[str | None, ...]
    kinds: tuple[str, ...]
    since: datetime
    until: datetime
    why: str
    by: str
    at: datetime


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """What happened at a moment (UTC), in a few words of the user's own."""

    at: datetime
    text: str
    by: str


class Remarks(msgspec.Struct, frozen=True, kw_only=True):
    """`state/odd.json`."""

    dismissed: tuple[Dismissal, ...] = ()
    notes: tuple[Noted, ...] = ()
    version: int = 1


def remarks(lab: LabFolder) -> Remarks:
    """What was said in a lab; nothing where nobody said anything.

    Raises:
        LogError: the file is there and cannot be read.
    """
    path = lab.state / "odd.json"
    try:
        data = read_regular(path, follow=False, most_bytes=_MOST_BYTES)
        return msgspec.json.decode(data, type=Remarks)
    except FileNotFoundError:
        return Remarks()
    except (OSError, msgspec.MsgspecError) as error:
        raise LogError(
            f"{path} cannot be read: {error}. Put it aside; dismissals and notes are "
            "then gone, and nothing else."
        ) from None


def dismiss(
    lab: LabFolder,
    incident: Incident,
    keys: Sequence[str],
    *,
    why: str,
    by: str | None = None,
    days: float = DAYS,
    now: datetime | None = None,
) -> Dismissal:
    """Keep the kinds of an incident quiet, for its series.

    Args:
        lab: where it is remembered.
        incident: the one that needs no attention.
        keys: the columns that name its series.
        why: the reason, for others.
        by: who says so; None: the user of this process.
        days: for how long from now, above 0.
        now: the present; None: the clock's.

    Raises:
        LabError: there is no reason, or no such number of days.
        LogError: the lab cannot be written.
    """
    if not 0 < days <= _MOST_DAYS:
        raise LabError(f"days={days:g}: write a number above 0, up to {_MOST_DAYS:g}.")
    at = now or datetime.now(UTC)
    one = Dismissal(
        id=incident.id,
        keys=tuple(keys),
        series=incident.series,
        kinds=incident.kinds,
        since=incident.onset,
        until=at + timedelta(days=days),
        why=_words(why, "why it needs no attention"),
        by=_who(by),
        at=at,
    )
    with _changing(lab) as said:
        kept = [other for other in said.dismissed if other.id != one.id]
        _write(lab, msgspec.structs.replace(said, dismissed=(*kept, one)))
    return one


def note(
    lab: LabFolder, text: str, *, at: datetime | None = None, by: str | None = None
) -> Noted:
    """Remember that something happened, such as a deploy.

    Args:
        lab: where it is remembered.
        text: a few words.
        at: when, with a zone; None: now.
        by: who says so; None: the user of this process.

    Raises:
        LabError: it says nothing, or is of a time far ahead.
        LogError: the lab cannot be written.
    """
    now = datetime.now(UTC)
    when = (at or now).astimezone(UTC)
    if when > now + timedelta(days=_LATER_DAYS):
        raise LabError(f"{when:%Y-%m-%d %H:%M} UTC is far ahead: note what happened.")
    one = Noted(at=when, text=_words(text, "what happened"), by=_who(by))
    with _changing(lab) as said:
        notes = sorted((*said.notes, one), key=lambda other: other.at)
        _write(lab, msgspec.structs.replace(said, notes=tuple(notes)))
    return one


def dismissal_of(
    incident: Incident,
    keys: Sequence[str],
    dismissed: Sequence[Dismissal],
    now: datetime,
) -> Dismissal | None:
    """What keeps an incident quiet: all its kinds were dismissed for its series, and it
    lies between their moments. None where it is to be told of.

    Args:
        incident: any.
        keys: the columns that name its series.
        dismissed: what people said.
        now: where the record ends, for one that is open.
    """
    last = incident.end or now
    mine = [
        one
        for one in dismissed
        if one.keys == tuple(keys)
        and one.series == incident.series
        and one.since <= incident.found
        and last <= one.until
    ]
    quiet = {kind for one in mine for kind in one.kinds}
    if not mine or not set(incident.kinds) <= quiet:
        return None
    own = [one for one in mine if one.id == incident.id]
    return (own or mine)[-1]


def _words(text: str, what: str) -> str:
    if not text.strip():
        raise LabError(f"Say {what}, in a few words.")
    return name(text.strip(), MOST_LETTERS)


def _who(by: str | None) -> str:
    if by is not None and by.strip():
        return name(by.strip(), 100)
    try:
        return name(getpass.getuser(), 100)
    except (KeyError, OSError):  # a container's user without a name
        return f"user {os.getuid()}"


@contextlib.contextmanager
def _changing(lab: LabFolder) -> Iterator[Remarks]:
    """What was said, while nobody else says more."""
    if is_bare(lab):
        raise LogError(
            f"{lab.root} is a folder of Parquet files, in which nothing is remembered. "
            "Name the lab folder of a proxy."
        )
    with state_locked(lab, "odd"):
        yield remarks(lab)


def _write(lab: LabFolder, said: Remarks) -> None:
    path = lab.state / "odd.json"
    try:
        write_whole(path, msgspec.json.format(msgspec.json.encode(said), indent=1))
    except OSError as error:
        raise LogError(f"{path} cannot be written: {error.strerror}.") from None
