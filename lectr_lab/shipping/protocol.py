"""Many writers, one prefix: objects are written once, names decide, nothing is locked.

    fresh/date=D/<batch>.parquet     rows of one lab: put if absent, by its shipper
    log/date=D/<inputs>.parquet      what a compactor made of fresh ones; never replaced
    days/date=D/<generation>.json    which log objects count, and what was merged in them
    months/<month>/<generations>.json    what the last generations of a month's days say
    labs/<lab>/<turn>                what a lab shall not forget (`turns.py`)
    cells/…                              counts of log objects, for views; derived
                                         (`analysis/cells/prefix_sets.py`)

A fresh object counts if and only if its name is in no generation of its day. A name that
was merged is never forgotten, so that one put a second time, long after, counts no more.
Of two compactors one wins the next generation; what the other made counts nowhere, for
the fresh objects in it still count by themselves. Log objects are never deleted.

Readers list fresh objects first, then generations: what moves in between is in both
listings, and its generation counts. The other way round it would be in neither. A listing
that is behind can only show less. Where an object is gone when it is read, it was swept
meanwhile: the reading begins anew. A month is named by the generations it is of, so that
one of older ones is never taken for it; it spares thirty requests and says nothing new.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple, Protocol

import msgspec

MOST_BYTES = 8_000_000
"""Of an object: one request puts it, so that half of an upload is nothing at all."""

GRACE = timedelta(hours=1)
"""For how long a reader may still open fresh objects that it listed."""


class Object(NamedTuple):
    """What a listing says of an object; `path` is below the prefix."""

    path: str
    size: int
    modified: datetime

    @property
    def day(self) -> date:
        """Its day, by its path."""
        return date.fromisoformat(self.path.split("/")[1].removeprefix("date="))

    @property
    def name(self) -> str:
        """The last word of its path."""
        return self.path.rpartition("/")[2]


class Store(Protocol):
    """What is asked of an object store. Each call may raise a `StoreError`."""

    def put_new(self, path: str, data: bytes) -> bool:
        """Put an object where none is; False where there is one."""

    def listed(self, prefix: str, after: str = "") -> Iterator[Object]:
        """What is under `prefix`, a path that ends with a slash, sorted by path; from
        `after` on. What is no object of this protocol is left out."""

    def get(self, path: str) -> bytes:
        """What an object holds; FileNotFoundError where there is none."""

    def get_all(self, paths: Sequence[str]) -> list[bytes]:
        """The same for several, in their order."""

    def delete(self, path: str) -> None:
        """Delete an object, if it is there."""


class LogObject(msgspec.Struct, frozen=True):
    """An object of `log/`, with its rows and bytes."""

    name: str
    rows: int
    size: int


class Generation(msgspec.Struct, frozen=True):
    """What counts of a day: log objects, and the names of all that was merged in them."""

    files: tuple[LogObject, ...] = ()
    merged: tuple[str, ...] = ()


class Month(msgspec.Struct, frozen=True):
    """The log objects that count of each day of a month."""

    days: dict[date, tuple[LogObject, ...]]


class Counted(NamedTuple):
    """An object whose rows count, its path below the prefix, and its bytes."""

    day: date
    path: str
    size: int


class Merged(NamedTuple):
    """A Parquet file made of others."""

    data: bytes
    rows: int


Merge = Callable[[Sequence[bytes]], Merged]


def counted(
    store: Store, since: date | None = None, until: date | None = None
) -> list[Counted]:
    """The objects whose rows count, each row in one of them; by day and path.

    Args:
        store: a prefix of an object store.
        since: the first day that is asked for.
        until: the last one; objects of other days are not looked at.

    Raises:
        StoreError: the store cannot be asked.
    """
    fresh = list(_between(store, "fresh/", since, until))
    last = {one.day: one.path for one in _between(store, "days/", since, until)}
    files = _of_months(store, last) if len(last) > 1 else {}
    # Which fresh ones are merged is told by the day itself.
    asked = sorted(
        (last.keys() - files.keys()) | ({o.day for o in fresh} & last.keys())
    )
    said = [_generation(data) for data in store.get_all([last[day] for day in asked])]
    days = dict(zip(asked, said, strict=True))
    files |= {day: one.files for day, one in days.items()}
    merged = {day: set(one.merged) for day, one in days.items()}
    found = [
        Counted(day, f"log/date={day}/{file.name}", file.size)
        for day, some in files.items()
        for file in some
    ]
    found += [
        Counted(one.day, one.path, one.size)
        for one in fresh
        if one.name not in merged.get(one.day, ())
    ]
    return sorted(found)


def unmerged(store: Store) -> dict[date, list[Object]]:
    """The fresh objects that count, by day, oldest first.

    Raises:
        StoreError: the store cannot be asked.
    """
    found: dict[date, list[Object]] = {}
    by_day: dict[date, list[Object]] = {}
    for one in store.listed("fresh/"):
        by_day.setdefault(one.day, []).append(one)
    for day, fresh in by_day.items():
        merged = set(latest(store, day)[1].merged)
        if left := [one for one in fresh if one.name not in merged]:
            found[day] = left
    return found


def latest(store: Store, day: date) -> tuple[int, Generation, datetime | None]:
    """A day's last generation: its number, what it says, since when; 0 where none is.

    Raises:
        StoreError: the store cannot be asked.
    """
    found = list(store.listed(f"days/date={day}/"))
    if not found:
        return 0, Generation(), None
    last = found[-1]
    number = int(last.name.partition(".")[0])
    return number, _generation(store.get(last.path)), last.modified


def close_day(store: Store, day: date, merge: Merge) -> int:
    """Merge what is fresh of a day into log objects, and count them instead.

    Several may try at once, and each may die anywhere: one wins, or none does.

    Args:
        store: a prefix of an object store.
        day: any day; what comes late is merged by the next call.
        merge: makes one Parquet file of several.

    Returns:
        How many fresh objects were merged; 0 where there were none, or another
        compactor was faster.

    Raises:
        StoreError: the store cannot be asked.
        FileNotFoundError: another compactor's work was swept meanwhile; try again.
    """
    number, said, _ = latest(store, day)
    known = set(said.merged)
    fresh = [o for o in store.listed(f"fresh/date={day}/") if o.name not in known]
    if not fresh:
        return 0
    files = [_put(store, day, *made) for made in _made(store, fresh, merge)]
    names = tuple(sorted(one.name for one in fresh))
    new = Generation((*said.files, *files), (*said.merged, *names))
    path = f"days/date={day}/{number + 1:08}.json"
    return len(fresh) if store.put_new(path, msgspec.json.encode(new)) else 0


def sweep(store: Store, day: date, now: datetime, grace: timedelta = GRACE) -> int:
    """Delete fresh objects that were merged at least `grace` ago.

    Returns:
        How many there were.

    Raises:
        StoreError: the store cannot be asked.
    """
    _, said, since = latest(store, day)
    if since is None or now - since < grace:
        return 0
    merged = set(said.merged)
    gone = [o for o in store.listed(f"fresh/date={day}/") if o.name in merged]
    for one in gone:
        store.delete(one.path)
    return len(gone)


def roll_up(store: Store, today: date) -> int:
    """Write down what each month before today's says, where that is not there yet.

    Returns:
        How many were written.

    Raises:
        StoreError: the store cannot be asked.
    """
    last = {one.day: one.path for one in store.listed("days/")}
    ended = {day: path for day, path in last.items() if _month(day) < _month(today)}
    there, written = {one.path for one in store.listed("months/")}, 0
    for path, days in _months(ended).items():
        if path not in there:
            said = map(_generation, store.get_all([last[day] for day in days]))
            files = {day: one.files for day, one in zip(days, said, strict=True)}
            written += store.put_new(path, msgspec.json.encode(Month(files)))
    return written


def fresh_days(store: Store) -> list[date]:
    """The days that have fresh objects, merged or not.

    Raises:
        StoreError: the store cannot be asked.
    """
    return sorted({one.day for one in store.listed("fresh/")})


def _of_months(
    store: Store, last: dict[date, str]
) -> dict[date, tuple[LogObject, ...]]:
    """Of the days whose month is written down as it is now, what counts of each."""
    there = {one.path for one in store.listed("months/")}
    paths = [path for path in _months(last) if path in there]
    found: dict[date, tuple[LogObject, ...]] = {}
    for data in store.get_all(paths):
        found |= msgspec.json.decode(data, type=Month).days
    return found


def _months(last: dict[date, str]) -> dict[str, list[date]]:
    """What each month would be called, with its days."""
    months: dict[str, list[date]] = {}
    for day in sorted(last):
        months.setdefault(_month(day), []).append(day)
    return {
        f"months/{month}/{_digest(last[day] for day in days)}.json": days
        for month, days in months.items()
    }


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _digest(words: Iterable[str]) -> str:
    return hashlib.blake2b("\n".join(words).encode(), digest_size=16).hexdigest()


def _between(
    store: Store, prefix: str, since: date | None, until: date | None
) -> Iterator[Object]:
    after = f"{prefix}date={since}" if since else ""
    for one in store.listed(prefix, after):
        if until is not None and one.day > until:
            return
        yield one


def _made(
    store: Store, fresh: Sequence[Object], merge: Merge
) -> Iterator[tuple[Sequence[Object], Merged]]:
    """Fresh objects in groups, each as one file of MOST_BYTES at most."""
    group: list[Object] = []
    for place, one in enumerate(fresh):
        group.append(one)
        last = place == len(fresh) - 1
        if last or sum(o.size for o in group) + fresh[place + 1].size > MOST_BYTES:
            yield group, merge(store.get_all([o.path for o in group]))
            group = []


def _put(store: Store, day: date, group: Sequence[Object], made: Merged) -> LogObject:
    # The name says which rows are in it: whoever merged the same put the same rows.
    name = f"{_digest(sorted(one.name for one in group))}.parquet"
    store.put_new(f"log/date={day}/{name}", made.data)
    return LogObject(name, made.rows, len(made.data))


def _generation(data: bytes) -> Generation:
    return msgspec.json.decode(data, type=Generation)
