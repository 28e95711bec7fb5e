"""How many streams of an organisation run, for any number of processes.

    a magic word, how many rows there are; then a row a process, 16 bytes: its name, and
    how many of its streams run

A process alone writes its own number. What a dead one had is given back when somebody
would be refused otherwise.
"""

import contextlib
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

from lectr_lab.proxy.shared.brief_lock import BriefLock
from lectr_lab.proxy.shared.member import Member, lives

SUFFIX = ".streams"

_ROW = struct.Struct("<QQ")
_COUNT = struct.Struct("<Q")
_MAGIC = int.from_bytes(b"lectrS01", "little")
_MOST_ROWS = 255  # processes at once
_READ_BYTES = (1 + _MOST_ROWS) * _ROW.size
_LOOK_EVERY_S = 1.0


class Places:
    """So many places, over all processes that have the file open.

    Args:
        path: of its file, in the folder of the members.
        limit: how many; another process's may be another.
        member: this process.
        now_s: any clock that goes on.

    Raises:
        OSError: it cannot be made, or has no room for one more process.
    """

    def __init__(
        self,
        path: Path,
        limit: int,
        member: Member,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._limit, self._member = path, limit, member
        self._now_s = now_s
        self._own = 0
        self._lock = BriefLock(path)
        self._row_at = self._enter()

    def take(self) -> bool:
        """Have a place; False: there is none.

        Where somebody sits on the lock there is always one, and it counts like any other.
        """
        lock = self._lock
        if not lock.take():
            self._write(self._own + 1)
            return True
        try:
            if self._taken() >= self._limit and not self._freed():
                return False
            self._write(self._own + 1)
            return True
        finally:
            lock.give_back()
            if self._now_s() >= self._look_s:
                self._look()

    def give_back(self) -> None:
        """Others may have one of the places of this process."""
        self._write(max(0, self._own - 1))

    def close(self) -> None:
        """Close its file."""
        self._write(0)
        self._lock.close()

    def _taken(self) -> int:
        rows, at = _rows(self._lock.fd), 2 * self._row_at
        if len(rows) <= at or rows[at] != self._member.name:
            self._row_at = self._enter_locked()  # somebody has cut it off
            rows = _rows(self._lock.fd)
        return sum(rows[3 : 2 + 2 * rows[1] : 2])

    def _freed(self) -> bool:
        """Take from dead processes what they had; whether there is room now."""
        rows, fd = _rows(self._lock.fd), self._lock.fd
        for at in range(1, 1 + rows[1]):
            name, count = rows[2 * at], rows[2 * at + 1]
            if count and not lives(self._member.folder, name):
                os.pwrite(fd, _ROW.pack(0, 0), at * _ROW.size)
        return self._taken() < self._limit

    def _enter(self) -> int:
        self._look_s = self._now_s() + _LOOK_EVERY_S
        if not self._lock.take():
            raise OSError("somebody sits on its lock")
        try:
            return self._enter_locked()
        finally:
            self._lock.give_back()

    def _enter_locked(self) -> int:
        """This process's row: one of a dead one's, or one more."""
        fd = self._lock.fd
        rows = _rows(fd)
        if not rows:
            os.ftruncate(fd, 0)
            os.pwrite(fd, _ROW.pack(_MAGIC, 0), 0)
            rows = _rows(fd)
        used = rows[1]
        dead = (
            at
            for at in range(1, 1 + used)
            if not (rows[2 * at] and lives(self._member.folder, rows[2 * at]))
        )
        at = next(dead, used + 1)
        if at > _MOST_ROWS:
            raise OSError("too many processes have it open")
        os.pwrite(fd, _ROW.pack(self._member.name, self._own), at * _ROW.size)
        if at > used:
            os.pwrite(fd, _ROW.pack(_MAGIC, at), 0)
        return at

    def _write(self, own: int) -> None:
        self._own = own
        os.pwrite(self._lock.fd, _COUNT.pack(own), self._row_at * _ROW.size + 8)

    def _look(self) -> None:
        """A file that was removed is made anew: others open that one."""
        self._look_s = self._now_s() + _LOOK_EVERY_S
        before = self._lock
        if before.intact:
            return
        with contextlib.suppress(OSError):  # until it can be made, the old one counts
            self._lock = BriefLock(self._path)
            self._row_at = self._enter()
            before.close()


def _rows(fd: int) -> memoryview:
    """All numbers of the file, two a row, the head's before them; none where it is not
    whole."""
    data = os.pread(fd, _READ_BYTES, 0)
    numbers = memoryview(data[: len(data) // _ROW.size * _ROW.size]).cast("Q")
    whole = numbers and numbers[0] == _MAGIC and len(numbers) >= 2 + 2 * numbers[1]
    return numbers if whole else numbers[:0]
