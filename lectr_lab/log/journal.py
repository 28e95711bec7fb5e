"""The journal's writer: events on disk within one write, before they are Parquet.

Each process writes segments of its own (`log/segment.py`), one for each date of
`started_at`, so that a segment becomes exactly one part of the log and no lock stands
between processes. `kill -9` takes nothing that `append` has returned for. Power loss is
covered to the last fsync: every 5 s while events arrive, and when a segment is finished
(by size, or a minute after its first event).
"""

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date
from pathlib import Path

from lectr_lab.core.errors import LogError
from lectr_lab.core.event import Event
from lectr_lab.core.ids import event_id
from lectr_lab.files import sync_folder
from lectr_lab.log.folder import FILE_MODE, LabFolder, leads_to
from lectr_lab.log.segment import batch, header


class JournalWriter:
    """Appends events to this process's segments. For one thread.

    Nothing touches the disk before the first `append`. The folder may be removed, or
    the disk be full, at any time: `append` raises, and the next one tries afresh.
    """

    def __init__(
        self,
        lab: LabFolder,
        *,
        max_bytes: int = 8_000_000,
        max_age_s: float = 60.0,
        fsync_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lab = lab
        self._max_bytes = max_bytes
        self._max_age_s = max_age_s
        self._fsync_s = fsync_s
        self._clock = clock
        self._open: dict[date, _OpenSegment] = {}
        self._synced_at = clock()
        self.sync_failed = False
        """The disk did not take the last fsync: what is written may not outlive power."""

    def append(self, events: Sequence[Event]) -> None:
        """Write all of the events, or none of them.

        Args:
            events: any number, of any dates.

        Raises:
            OSError: none of the events is in the journal. They may be appended again
                later: what was written of them has been taken back.
        """
        with contextlib.suppress(OSError):  # what is written already is; see `sync`
            self.sync()
        written: list[tuple[_OpenSegment, int]] = []
        try:
            for day, group in _by_date(events).items():
                segment, size = self._append_to(day, group)
                written.append((segment, size))
        except OSError:
            for segment, size in written:
                self._take_back(segment, size)
            raise

    def sync(self) -> None:
        """Make events safe from power loss, where `fsync_s` have passed since the last.

        Raises:
            OSError: the disk did not take them, which `sync_failed` says until it takes
                others. They stay readable while the machine runs; writing goes on in new
                segments.
        """
        now = self._clock()
        if now - self._synced_at < self._fsync_s:
            return
        self._synced_at = now
        failures = []
        for segment in list(self._open.values()):
            try:
                self._sync(segment)
            except OSError as error:
                self._leave(segment)
                failures.append(error)
        if failures:
            raise failures[0]

    def due(self) -> bool:
        """A segment is large or old enough to be finished."""
        now = self._clock()
        return any(
            s.size >= self._max_bytes or now - s.born_s >= self._max_age_s
            for s in self._open.values()
        )

    def rotate(self) -> None:
        """Finish the open segments; a sealer may take them. Never raises."""
        for segment in list(self._open.values()):
            with contextlib.suppress(OSError):  # they are written; see `sync`
                self._sync(segment)
            self._leave(segment)

    def close(self) -> None:
        """Finish. A later `append` would begin new segments."""
        self.rotate()

    def _sync(self, segment: "_OpenSegment") -> None:
        try:
            if segment.sync():
                self.sync_failed = False
        except OSError:
            self.sync_failed = True
            raise

    def _append_to(self, day: date, events: list[Event]) -> "tuple[_OpenSegment, int]":
        """Write one date's events; the segment, and its size before them."""
        for _ in range(2):
            segment = self._open.get(day) or self._begin(day)
            size = segment.size
            try:
                segment.write(events)
            except OSError:
                self._take_back(segment, size)
                raise
            if segment.in_place():
                return segment, size
            # Removed or moved away while we wrote: these events begin another one.
            self._take_back(segment, size)
            self._leave(segment)
        raise LogError(f"{self._lab.journal} is being removed while it is written.")

    def _begin(self, day: date) -> "_OpenSegment":
        name = event_id(time.time_ns() // 1_000_000, secrets.randbits(80)).hex()
        path = self._lab.segment(day, name)
        try:
            segment = _OpenSegment(path, self._clock())
        except FileNotFoundError:
            LabFolder.create(self._lab.root)
            segment = _OpenSegment(path, self._clock())
        self._open[day] = segment
        return segment

    def _take_back(self, segment: "_OpenSegment", size: int) -> None:
        """Undo what was written past `size`; an empty segment goes altogether."""
        try:
            segment.cut(size)
        except OSError:
            self._leave(segment)  # a torn batch is cut by whoever reads it
        else:
            if size == 0:
                segment.remove()
                self._leave(segment)

    def _leave(self, segment: "_OpenSegment") -> None:
        self._open = {d: s for d, s in self._open.items() if s is not segment}
        segment.close()


class _OpenSegment:
    """A segment under its writer's lock."""

    def __init__(self, path: Path, born_s: float) -> None:
        self.path = path
        self.born_s = born_s
        self.size = 0
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        self._fd = os.open(path, flags, FILE_MODE)
        self._synced_size = 0
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise

    def write(self, events: list[Event]) -> None:
        rest = memoryview(batch(b"" if self.size else header(), events))
        while rest:
            written = os.write(self._fd, rest)
            rest = rest[written:]
            self.size += written

    def cut(self, size: int) -> None:
        os.ftruncate(self._fd, size)
        self.size = size

    def in_place(self) -> bool:
        """The path still leads to the file that is being written."""
        return leads_to(self.path, self._fd)

    def sync(self) -> bool:
        """False where there was nothing to do."""
        if self._synced_size == self.size:
            return False
        os.fdatasync(self._fd)
        if self._synced_size == 0:
            sync_folder(self.path.parent)
        self._synced_size = self.size
        return True

    def remove(self) -> None:
        if self.in_place():
            with contextlib.suppress(OSError):
                self.path.unlink()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._fd)


def _by_date(events: Sequence[Event]) -> dict[date, list[Event]]:
    groups: dict[date, list[Event]] = {}
    for event in events:
        day = event.started_at.astimezone(UTC).date()
        groups.setdefault(day, []).append(event)
    return groups
