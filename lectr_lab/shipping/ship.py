"""Shipping a lab: what is sealed is staged, put, and merged at the other end.

Never in the request path, and never in the proxy's process: the proxy knows nothing of
it, and where the store is away nothing but this waits.
"""

import contextlib
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import NamedTuple

from lectr_lab.config.ship_settings import ShipSettings
from lectr_lab.core.errors import ConfigError, LabError, StoreError
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.seal import seal
from lectr_lab.log.shipped import destination, note_destination, shipping_folder
from lectr_lab.shipping.files import merged
from lectr_lab.shipping.outbox import pending, stage, waiting
from lectr_lab.shipping.protocol import (
    GRACE,
    Merge,
    Store,
    close_day,
    fresh_days,
    roll_up,
    sweep,
    unmerged,
)
from lectr_lab.shipping.turns import (
    begin_turn,
    end_turn,
    lab_id,
    sweep_turns,
    without_shipped,
)

Wait = Callable[[float], bool]
Count = Callable[[], bool]
"""Counts some of what is merged and not counted; whether there is more."""

_LOOK_S = 30.0
_UPKEEP_S = 3_600.0
_ATTEMPTS = 5
# Merging an open day again and again would make many small objects; late rows of a
# closed one are merged as they come.
_OPEN_DAY_BYTES = 8_000_000


class Shipped(NamedTuple):
    """What one turn did. `problems` are sentences."""

    rows: int = 0
    objects: int = 0
    put_bytes: int = 0
    problems: tuple[str, ...] = ()


def begin(lab: LabFolder, to: str) -> None:
    """A lab is shipped to one place, from its first row on.

    Raises:
        ConfigError: it is shipped to another.
        OSError: the state cannot be written.
    """
    before = destination(lab)
    if before is None:
        note_destination(lab, to)
        lab_id(lab)  # from now on, also of a copy
    elif before != to:
        raise ConfigError(
            f"{lab.root} is shipped to {before}. A lab has one place, for rows in two "
            f"count twice where both are read. To ship all of it to {to} instead, stop "
            f"what ships it, delete {shipping_folder(lab)} and begin again."
        )


def ship(lab: LabFolder, store: Store) -> Shipped:
    """Put every sealed row that was not put yet. Safe to die anywhere, safe to run twice.

    Args:
        lab: a lab that has begun to be shipped (`begin`), in use or not.
        store: its place.

    Returns:
        What was put; rows are those that were staged now.

    Raises:
        StoreError: the store cannot be asked; what is left waits for the next turn.
        LogError, OSError: the lab cannot be read, or its state written.
    """
    turns = [Shipped(problems=seal(lab).problems)]
    # First what waits: where the store is away, no more is written down for it.
    turns.append(Shipped(0, *put(lab, store)))
    if pending(lab):
        turn = begin_turn(lab, store)
        new = partial(without_shipped, store) if turn.forgotten else None
        more = True
        while more:
            rows, _, problems, more = stage(lab, new)
            turns.append(Shipped(rows, *put(lab, store), problems))
        end_turn(lab, turn)
    return Shipped(
        sum(turn.rows for turn in turns),
        sum(turn.objects for turn in turns),
        sum(turn.put_bytes for turn in turns),
        tuple(problem for turn in turns for problem in turn.problems),
    )


def put(lab: LabFolder, store: Store) -> tuple[int, int]:
    """Put what waits; objects and bytes that were put.

    Raises:
        StoreError: the store cannot be asked.
    """
    objects = put_bytes = 0
    for one in waiting(lab):
        try:
            data = one.file.read_bytes()
        except FileNotFoundError:
            continue  # another shipper of this lab has put it
        store.put_new(one.path, data)
        one.file.unlink(missing_ok=True)
        objects, put_bytes = objects + 1, put_bytes + len(data)
    return objects, put_bytes


def compact(
    store: Store, today: date | None = None, *, keep_request_ids: bool = False
) -> int:
    """Merge the fresh objects of days that have ended, and of an open day with many.

    Args:
        store: a prefix of an object store.
        today: the day that is still being written (UTC).
        keep_request_ids: keep the provider's ids also of calls that ended well.

    Returns:
        How many were merged.

    Raises:
        StoreError: the store cannot be asked, or an object of a day is no log's.
    """
    today, done = today or datetime.now(UTC).date(), 0
    faults = []
    for day, fresh in unmerged(store).items():
        if day < today or sum(one.size for one in fresh) >= _OPEN_DAY_BYTES:
            keep = keep_request_ids or day >= today
            try:
                done += _closed(store, day, partial(merged, keep_request_ids=keep))
            except StoreError as error:  # one bad day costs no other
                faults.append(StoreError(f"{day}: {error}"))
    roll_up(store, today)
    if faults:
        raise faults[0]
    return done


def _closed(store: Store, day: date, merge: Merge) -> int:
    for _ in range(_ATTEMPTS):
        try:
            return close_day(store, day, merge)
        except FileNotFoundError:
            continue  # merged by another, and swept
    return 0


def sweep_all(store: Store, now: datetime, grace: timedelta = GRACE) -> int:
    """Delete the fresh objects of every day that were merged at least `grace` ago.

    Raises:
        StoreError: the store cannot be asked.
    """
    gone = sum(sweep(store, day, now, grace) for day in fresh_days(store))
    sweep_turns(store)
    return gone


def keep_shipping(
    lab: LabFolder,
    store: Store,
    asked: ShipSettings,
    wait: Wait,
    complain: Callable[[str], None],
    *,
    keep_request_ids: bool = False,
    count: Count | None = None,
) -> None:
    """Ship, wait, until it is to stop; and then ship once more.

    Args:
        lab: a lab that has begun to be shipped.
        store: its place.
        asked: how often; and whether days that have ended are merged and swept.
        wait: waits so many seconds, and says whether it is to stop.
        complain: told what goes wrong, once while it stays the same.
        keep_request_ids: as of `compact`.
        count: counts some of what was merged, for those who read it.
    """
    before = ""
    shipped_s = looked_s = -float("inf")
    while True:
        fault, now_s = "", time.monotonic()
        try:
            if now_s - shipped_s >= asked.every_s or _many(lab, asked.rows):
                problems = ship(lab, store).problems
                fault, shipped_s = "; ".join(problems), now_s
            if asked.compact and now_s - looked_s >= _UPKEEP_S:
                compact(store, keep_request_ids=keep_request_ids)
                sweep_all(store, datetime.now(UTC))
                # While there is more, it goes on at the next look: rows go first.
                if count is None or not count():
                    looked_s = now_s
        except (LabError, OSError) as error:
            fault = str(error).partition("\n")[0]
        if fault and fault != before:
            complain(f"ship: {fault} It tries again.")
        before = fault
        if wait(min(_LOOK_S, asked.every_s)):
            break
    # What the proxy sealed as it ended; the machine may go with it.
    with contextlib.suppress(LabError, OSError):
        ship(lab, store)


def _many(lab: LabFolder, rows: int) -> bool:
    return sum(part.rows for some in pending(lab).values() for part in some) >= rows
