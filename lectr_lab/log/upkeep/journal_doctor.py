"""What is wrong with a lab's journal: what waits, what could not be read, what is lost.

A segment that was set aside may hold batches that are in no part, where an older
version set it aside at its first damage. They can be brought back, so nobody is told to
delete it before.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lectr_lab.files import strange
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.losses import note_unread, noted_losses
from lectr_lab.log.schema import frame
from lectr_lab.log.segment import is_alive, read_segment
from lectr_lab.log.upkeep.duplicates import add_new, not_there


class Finding(NamedTuple):
    """One thing that is wrong. `kind` names its remedy; `MENDED` lists what `mend` can.

    `what` and `how` are sentences.
    """

    kind: str
    path: Path
    what: str
    how: str


def segments(lab: LabFolder) -> Iterator[Finding]:
    """Those that wait for a sealer; and of those being written, what is damaged."""
    for segment in lab.segments():
        try:
            alive = is_alive(segment)
            events, _, unread = read_segment(segment, ended=not alive)
        except FileNotFoundError:
            continue
        except OSError as error:
            yield _unreadable(segment, error)
            continue
        lost = unread.in_words() if unread.bytes else ""
        if not alive:
            what = f"{len(events)} events wait for a sealer; their writer has ended"
            what += f"; {lost}." if lost else "."
            yield Finding("segment", segment, what, "Start the proxy, or `--mend`.")
        elif lost:
            how = (
                "Check the disk. The rest is read; the file is kept once it is sealed."
            )
            yield Finding("damaged", segment, f"{lost[0].upper()}{lost[1:]}.", how)


def _unreadable(segment: Path, error: OSError) -> Finding:
    if reason := strange(segment.lstat().st_mode):
        how = "It holds no events. `--mend` moves it out of the way."
        return Finding("stranger", segment, f"{reason[0].upper()}{reason[1:]}.", how)
    return Finding("segment", segment, str(error), "`--mend` sets it aside.")


def set_aside(lab: LabFolder) -> Iterator[Finding]:
    """What was kept because it could not be read; first whether all else was."""
    ours = set(lab.set_aside())
    for path in sorted(lab.journal.glob("*.bad")):
        what = "It could not be read, and was set aside."
        how = "Delete it once you do not hope to read it any more."
        if path not in ours:
            yield Finding("set aside", path, what, how)
            continue
        try:
            events, day, unread = read_segment(path, ended=True)
            whole = not_there(lab, day, frame(events)).height
        except OSError as error:
            yield Finding(
                "set aside", path, str(error), "Keep it until it can be read."
            )
            continue
        what = f"It was set aside: {unread.in_words()}."
        if whole:
            what = f"{what[:-1]}. {whole} whole events in it are not in the log."
            how = "Keep it: `--mend` brings them back."
            yield Finding("whole events", path, what, how)
        else:
            yield Finding("set aside", path, f"{what} The log has the rest.", how)


def bring_back(lab: LabFolder, path: Path) -> None:
    """Put the whole batches of a segment that was set aside into the log, once."""
    events, day, unread = read_segment(path, ended=True)
    note_unread(lab, path, unread)
    if events:
        add_new(lab, day, frame(events))


def lost(lab: LabFolder) -> Iterator[Finding]:
    """What the log lacks, as its writers and sealers noted it."""
    dropped, unread = noted_losses(lab)
    if dropped:
        what = f"{dropped} events were dropped: the queue or the disk was full."
        how = "They are gone. Deleting state/dropped.* forgets that."
        yield Finding("losses", lab.state, what, how)
    if unread.things:
        what = f"{unread.in_words()}: an interrupted write, or a bad disk."
        how = "What is left of it has findings of its own. Once those are gone, "
        how += "deleting state/unread.* forgets the loss."
        yield Finding("losses", lab.state, what, how)
