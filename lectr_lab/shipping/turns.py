"""Has a lab forgotten what it shipped? As when `state/shipping/` is deleted or restored.

    labs/<lab>/<turn>          in the store: put if absent, before anything is taken
    state/shipping/turn        here: the last turn of which all that was taken is noted
    state/shipping_lab         here: which lab it is; not in the folder that may be lost

Where the store knows of a later turn than the lab, some of what the lab takes for new may
be there. Then rows are looked up before they are shipped: those whose ids are in the
store are left out. So a lab that was restored, or copied, doubles nothing.
"""

import io
import secrets
from datetime import date
from typing import NamedTuple

import polars as pl

from lectr_lab.core.errors import StoreError
from lectr_lab.files import read_regular, write_whole
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.shipped import shipping_folder
from lectr_lab.shipping.protocol import Store, counted

_ID_BYTES = 16
_ATTEMPTS = 5
_LABS = "labs/"


class Turn(NamedTuple):
    """One turn of a lab; `forgotten`: the store knows of one that the lab does not."""

    number: int
    forgotten: bool


def begin_turn(lab: LabFolder, store: Store) -> Turn:
    """Say in the store that a turn begins. Before anything is taken.

    Raises:
        StoreError: the store cannot be asked.
        OSError: the state cannot be written.
    """
    folder, known = f"{_LABS}{lab_id(lab)}/", _last(lab)
    there = max((int(one.name) for one in store.listed(folder)), default=0)
    number = max(there, known) + 1
    store.put_new(f"{folder}{number:010}", b"")
    return Turn(number, there > known)


def end_turn(lab: LabFolder, turn: Turn) -> None:
    """All that was taken in it is noted."""
    number = max(turn.number, _last(lab))
    write_whole(shipping_folder(lab) / "turn", f"{number}\n".encode())


def without_shipped(store: Store, day: date, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of a day that are not in the store, by their ids.

    Raises:
        StoreError: the store cannot be asked.
    """
    for _ in range(_ATTEMPTS):
        left = rows
        try:
            for one in counted(store, day, day):
                ids = pl.read_parquet(
                    io.BytesIO(store.get(one.path)), columns=["event_id"]
                )
                left = left.join(ids, on="event_id", how="anti", maintain_order="left")
        except FileNotFoundError:
            continue  # merged and swept since it was listed
        except pl.exceptions.PolarsError:
            raise StoreError(f"{day}: an object there is no file of a log.") from None
        return left
    raise StoreError(f"{day} is changing faster than it can be read. Try again.")


def sweep_turns(store: Store) -> int:
    """Delete what was said of turns before each lab's last; how many there were.

    Raises:
        StoreError: the store cannot be asked.
    """
    paths = [one.path for one in store.listed(_LABS)]
    last = {path.split("/")[1]: path for path in paths}
    gone = [path for path in paths if path not in last.values()]
    for path in gone:
        store.delete(path)
    return len(gone)


def lab_id(lab: LabFolder) -> str:
    """Which lab it is, also where it is copied to; made up the first time."""
    file = lab.state / "shipping_lab"
    try:
        return bytes.fromhex(read_regular(file, follow=False).decode()).hex()
    except (FileNotFoundError, ValueError):
        made = secrets.token_hex(_ID_BYTES)
        write_whole(file, made.encode())
        return made


def _last(lab: LabFolder) -> int:
    try:
        return int(read_regular(shipping_folder(lab) / "turn", follow=False))
    except (FileNotFoundError, ValueError):
        return 0
