"""Which parts of a lab's log were handed on to an object store, beside the log.

    state/shipping/to              where they go: one place a lab
    state/shipping/<day>.taken     one line a batch: its name, the parts in it, a full stop

A part that is taken is on its way: its rows lie in a file of their own until the store
has them (`lectr_lab/shipping/outbox.py`). Whoever makes one part of several (compaction,
an import, the doctor) says here what of the new one is taken already, before it is in
its place; parts that are taken and parts that are not are never merged. Lines are
appended in one write each, so a line is there whole or does not count.
"""

import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from lectr_lab.files import read_regular, sync_folder, write_whole
from lectr_lab.log.folder import FILE_MODE, FOLDER_MODE, LabFolder

_REWRITTEN = "-"
_END = "."


def shipping_folder(lab: LabFolder) -> Path:
    """Where a lab keeps what it knows of its shipping."""
    return lab.state / "shipping"


def destination(lab: LabFolder) -> str | None:
    """Where the lab is shipped to; None where it is not.

    >>> import tempfile
    >>> lab = LabFolder.create(Path(tempfile.mkdtemp()))
    >>> destination(lab)
    >>> note_destination(lab, "s3://bucket/prefix")
    >>> destination(lab)
    's3://bucket/prefix'
    """
    try:
        data = read_regular(shipping_folder(lab) / "to", follow=False)
    except OSError:
        return None
    return data.decode("utf-8", "replace").strip() or None


def note_destination(lab: LabFolder, to: str) -> None:
    """From now on parts count as not taken until a batch has them."""
    folder = shipping_folder(lab)
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    write_whole(folder / "to", f"{to}\n".encode())


def taken(lab: LabFolder, day: date) -> dict[str, str]:
    """The name of each part of a day that is taken, with that of its batch.

    >>> import tempfile
    >>> lab = LabFolder.create(Path(tempfile.mkdtemp()))
    >>> note_destination(lab, "s3://bucket/prefix")
    >>> note_taken(lab, date(2026, 11, 24), ["a.parquet", "b.parquet"], "one")
    >>> taken(lab, date(2026, 11, 24))
    {'a.parquet': 'one', 'b.parquet': 'one'}
    """
    try:
        data = read_regular(_ledger(lab, day), follow=False)
    except OSError:
        return {}
    found: dict[str, str] = {}
    for line in data.decode("ascii", "replace").split("\n"):
        batch, *names = line.split(" ")
        if names and names.pop() == _END:
            found |= dict.fromkeys(map(_unquoted, names), batch)
    return found


def note_taken(
    lab: LabFolder, day: date, parts: Iterable[str], batch: str = _REWRITTEN
) -> None:
    """These parts are taken, all of them or none; safe from power loss on return.

    Args:
        lab: a lab with a destination; nothing is written where it has none.
        day: the parts' day.
        parts: their file names.
        batch: what they are in; left out for parts that others were made into.

    Raises:
        OSError: it could not be written; none counts as taken.
    """
    names = list(parts)
    if not names or destination(lab) is None:
        return
    line = " ".join([batch, *map(_quoted, names), _END])
    flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    path = _ledger(lab, day)
    fd = os.open(path, flags, FILE_MODE)
    try:
        # What a power loss tore ends here, and is no line of a batch.
        data = f"\n{line}\n".encode("ascii")
        if os.write(fd, data) != len(data):
            raise OSError(f"{path} could not be written whole.")
        os.fsync(fd)
    finally:
        os.close(fd)
    sync_folder(path.parent)


def note_rewritten(
    lab: LabFolder, day: date, old: Iterable[str], new: Iterable[str]
) -> None:
    """Parts of what only taken ones held are taken themselves. Before they are there.

    Raises:
        OSError: it could not be written.
    """
    if set(old) <= taken(lab, day).keys():
        note_taken(lab, day, new)


def _quoted(name: str) -> str:
    """Any file name in a line of words."""
    return quote_from_bytes(os.fsencode(name), safe="")


def _unquoted(word: str) -> str:
    return os.fsdecode(unquote_to_bytes(word))


def _ledger(lab: LabFolder, day: date) -> Path:
    return shipping_folder(lab) / f"{day.isoformat()}.taken"
