"""Random histories of many writers on one prefix: nothing lost, nothing doubled.

    python tests/shipping_histories.py --histories 10000

Shippers, compactors, sweepers and readers run the package's own protocol over a store in
memory, call by call in random order. Any of them may die at any call, with what it did so
far left behind; the store may do what it was asked and lose the reply. Objects hold the
ids of rows instead of Parquet.
"""

import argparse
import contextlib
import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import greenlet

from lectr_lab.core.errors import StoreError
from lectr_lab.shipping.protocol import (
    Merged,
    Object,
    close_day,
    counted,
    roll_up,
    sweep,
)

DAYS = (date(2026, 11, 27), date(2026, 11, 28))
NOW = datetime(2026, 11, 29, tzinfo=UTC)
DEATH, LOST_REPLY = 0.03, 0.05
SHIPPERS, STEPS, AT_WORK = 3, 600, 8


class Died(BaseException):
    """kill -9: nothing catches it but the history."""


class MemoryStore:
    """A `Store` in memory; inside a history every call lets others run first."""

    def __init__(self, rng: random.Random | None = None, overwrites: bool = False):
        self.objects: dict[str, bytes] = {}
        self._rng, self._overwrites = rng, overwrites

    def put_new(self, path: str, data: bytes) -> bool:
        self._pause()
        if path in self.objects and not self._overwrites:
            return False
        self.objects[path] = data
        self._maybe_lost()
        return True

    def listed(self, prefix: str, after: str = "") -> Iterator[Object]:
        self._pause()
        yield from [
            Object(path, len(data), NOW)
            for path, data in sorted(self.objects.items())
            if path.startswith(prefix) and path > after
        ]

    def get(self, path: str) -> bytes:
        self._pause()
        if path not in self.objects:
            raise FileNotFoundError(path)
        return self.objects[path]

    def get_all(self, paths: Sequence[str]) -> list[bytes]:
        return [self.get(path) for path in paths]

    def delete(self, path: str) -> None:
        self._pause()
        self.objects.pop(path, None)
        self._maybe_lost()

    def _pause(self) -> None:
        me = greenlet.getcurrent()
        if self._rng is None or me.parent is None:
            return
        me.parent.switch()
        if self._rng.random() < DEATH and not getattr(me, "reads", False):
            raise Died

    def _maybe_lost(self) -> None:
        me = greenlet.getcurrent()
        if self._rng and me.parent and self._rng.random() < LOST_REPLY:
            raise StoreError("The reply was lost.")


class DaysFirst:
    """The store as a reader sees it that asks for generations before fresh objects."""

    def __init__(self, store: MemoryStore):
        self._store = store

    def listed(self, prefix: str, after: str = "") -> Iterator[Object]:
        if prefix == "fresh/":
            self._days = list(self._store.listed("days/"))
            self._said = {o.path: self._store.get(o.path) for o in self._days}
            yield from self._store.listed(prefix)
        elif prefix == "days/":
            yield from self._days

    def get_all(self, paths: Sequence[str]) -> list[bytes]:
        return [self._said[path] for path in paths]


class Forgetful:
    """The store under a compactor that forgets the names of what was swept."""

    def __init__(self, store: MemoryStore):
        self._store = store

    def put_new(self, path: str, data: bytes) -> bool:
        if path.startswith("days/"):
            said, day = json.loads(data), path.split("/")[1]
            said["merged"] = [
                name
                for name in said["merged"]
                if f"fresh/{day}/{name}" in self._store.objects
            ]
            data = json.dumps(said).encode()
        return self._store.put_new(path, data)

    def __getattr__(self, name: str):
        return getattr(self._store, name)


def merge_ids(files: Sequence[bytes]) -> Merged:
    ids = sorted(one for data in files for one in json.loads(data))
    return Merged(json.dumps(ids).encode(), len(ids))


def rows(store: MemoryStore, mutant: str = "") -> list[str]:
    """What a reader counts, as others write; where an object is gone, it begins anew."""
    while True:
        seen = DaysFirst(store) if mutant == "days first" else store
        try:
            files = store.get_all([one.path for one in counted(seen)])
        except FileNotFoundError:
            continue
        return [one for data in files for one in json.loads(data)]


class History:
    """One random history. `mutant` breaks one rule of the protocol."""

    def __init__(self, seed: int, mutant: str = ""):
        self.rng, self.mutant, self.looks = random.Random(seed), mutant, 0
        self.store = MemoryStore(self.rng, overwrites=mutant == "put overwrites")
        self.seen: set[str] = set()
        self.parts = [self._parts() for _ in range(SHIPPERS)]
        self.done: list[set[str]] = [set() for _ in range(SHIPPERS)]
        self.all = sorted(
            one
            for parts in self.parts
            for data in parts.values()
            for one in json.loads(data)
        )

    def run(self) -> int:
        """Runs it, and says how often a reader looked.

        Raises:
            AssertionError: a row was lost or doubled.
        """
        jobs: list[Callable[[], object]] = [
            *(lambda i=i: self.ship(i) for i in range(SHIPPERS)),
            *(lambda d=d: self.compact(d) for d in DAYS for _ in range(2)),
            lambda: roll_up(self.store, date(2026, 12, 1)),
            *(lambda d=d: sweep(self.store, d, NOW, timedelta(0)) for d in DAYS),
            self.look,
        ]
        live: list[greenlet.greenlet] = []
        for step in range(STEPS):
            live = [actor for actor in live if not actor.dead]
            while len(live) < AT_WORK:
                live.append(self._actor(self.rng.choice(jobs)))
            self.rng.choice(live).switch()
            if step % 7 == 0:
                self.look()
        for actor in live:  # half of its work may stay undone
            actor.throw(greenlet.GreenletExit)
        for parts in self.parts:  # at last every shipper comes to its end
            for path, data in parts.items():
                self.store.put_new(path, data)
        assert sorted(rows(self.store, self.mutant)) == self.all, "not all, or twice"
        return self.looks

    def ship(self, number: int) -> None:
        """Sometimes what it has done is forgotten: it puts the same again."""
        done = self.done[number] if self.rng.random() < 0.8 else set()
        for path, data in self.parts[number].items():
            if path not in done:
                self.store.put_new(path, data)
                done.add(path)

    def compact(self, day: date) -> None:
        store = Forgetful(self.store) if self.mutant == "forgets" else self.store
        close_day(store, day, merge_ids)

    def look(self) -> None:
        before = set(self.seen)
        got = rows(self.store, self.mutant)
        assert len(got) == len(set(got)), "doubled"
        assert set(got) >= before, "lost"
        self.seen |= set(got)
        self.looks += 1

    def _actor(self, job: Callable[[], object]) -> greenlet.greenlet:
        def body() -> None:
            with contextlib.suppress(Died, StoreError, FileNotFoundError):
                job()

        actor = greenlet.greenlet(body)
        actor.reads = job == self.look
        return actor

    def _parts(self) -> dict[str, bytes]:
        made = {}
        for day in DAYS:
            for _ in range(self.rng.randint(0, 3)):
                name = f"{self.rng.getrandbits(128):032x}"
                ids = [f"{name}-{i}" for i in range(self.rng.randint(1, 4))]
                made[f"fresh/date={day}/{name}.parquet"] = json.dumps(ids).encode()
        return made


def main() -> None:
    """Runs as many as are asked for; the seed of one that fails is in the error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=10_000)
    count, looks = parser.parse_args().histories, 0
    for seed in range(count):
        try:
            looks += History(seed).run()
        except AssertionError as error:
            raise SystemExit(f"seed {seed}: {error}") from error
    print(f"{count:,} histories, {looks:,} looks: nothing lost, nothing doubled.")


if __name__ == "__main__":
    main()
