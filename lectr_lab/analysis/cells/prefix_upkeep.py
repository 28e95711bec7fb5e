"""Counts what is merged in a prefix, for all who read it.

By whoever merges there (`lectr-lab ship`), any number at once, and each may die anywhere:
a set is put whole if it is absent, and says the same whoever made it.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from lectr_lab.analysis.cells.prefix_sets import (
    CELLS,
    day_path,
    month_path,
    packed,
    unpacked,
)
from lectr_lab.analysis.cells.sets import ERRORS, counted, rolled_up, together
from lectr_lab.shipping.protocol import Object
from lectr_lab.shipping.protocol import counted as that_count
from lectr_lab.shipping.remote import rows_of
from lectr_lab.shipping.stores import RemoteStore

LINGER = timedelta(days=7)
"""For how long a set stays that stands for nothing: another version may read it."""

_MERGED = re.compile(r"log/date=[\d-]{10}/([0-9a-f]{32})\.parquet")
_Objects = dict[date, dict[str, str]]


def count_prefix(
    store: RemoteStore, *, today: date | None = None, most: int | None = None
) -> int:
    """Count the log objects that nobody has counted, and add up months of days that ended.

    Args:
        store: a prefix of an object store.
        today: the day that is still being written (UTC), unless told.
        most: objects that are counted at a time; None: all. Call again until it is 0.

    Returns:
        How many objects were counted and months added up.

    Raises:
        StoreError: the store cannot be asked.
    """
    today = today or datetime.now(UTC).date()
    there = {one.path for one in store.listed(CELLS)}
    merged, done = _merged(store), 0
    for paths in merged.values():
        for path, log in paths.items():
            if path not in there and (most is None or done < most):
                done += _count(store, path, log)
                there.add(path)
    if most is None or done < most:
        for month, days in _months(merged, today).items():
            if month not in there:
                done += _add_up(store, month, days)
    return done


def sweep_sets(store: RemoteStore, now: datetime, *, linger: timedelta = LINGER) -> int:
    """Delete sets that stand for nothing, such as a month's from before its last day.

    Returns:
        How many there were.

    Raises:
        StoreError: the store cannot be asked.
    """
    old = [one for one in store.listed(CELLS) if _is_old(one, now, linger)]
    if not old:
        return 0
    merged = _merged(store)
    stand = {path for paths in merged.values() for path in paths}
    stand |= _months(merged, now.astimezone(UTC).date()).keys()
    gone = [one for one in old if one.path not in stand]
    for one in gone:
        store.delete(one.path)
    return len(gone)


def _is_old(one: Object, now: datetime, linger: timedelta) -> bool:
    return now - one.modified >= linger


def _merged(store: RemoteStore) -> _Objects:
    """The log objects that count, by day: where the set of each lies, and itself."""
    found: _Objects = {}
    for one in that_count(store):
        if named := _MERGED.fullmatch(one.path):
            path = day_path(one.day, named[1], one.size)
            found.setdefault(one.day, {})[path] = one.path
    return found


def _months(merged: _Objects, today: date) -> dict[str, list[str]]:
    """Where each month's set lies, with those that it adds up."""
    months: dict[date, list[str]] = {}
    for day, paths in merged.items():
        if day < today:
            months.setdefault(day.replace(day=1), []).extend(paths)
    return {month_path(month, paths): paths for month, paths in months.items()}


def _count(store: RemoteStore, path: str, log: str) -> bool:
    try:
        found = counted(rows_of([store.get(log)]))
    except ERRORS:
        return False  # no file of a log: who reads it is told
    return store.put_new(path, packed(path, found))


def _add_up(store: RemoteStore, month: str, days: Sequence[str]) -> bool:
    sets = []
    for path, data in zip(days, store.get_some(days), strict=True):
        if data is None:
            continue
        if (one := unpacked(path, data)) is not None:
            sets.append(one)
        else:  # it stands in the way of one that is well; the next call counts it
            store.delete(path)
    if len(sets) < len(days):
        return False
    found = rolled_up(together(sets, []), few=any(one.few for one in sets))
    return store.put_new(month, packed(month, found))
