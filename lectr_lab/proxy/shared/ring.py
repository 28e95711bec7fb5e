"""When an organisation's last requests were admitted, for any number of processes.

    a magic word, how many times there is room for, how many were written ever;
    then the times, 8 bytes each, the oldest overwritten

It is read and written, not mapped: to look at a mapped file that somebody has cut off
ends the process. Times are of a clock that all processes of the machine share.
"""

import contextlib
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

from lectr_lab.proxy.shared.brief_lock import BriefLock

WINDOW_S = 60.0
SUFFIX = ".rate"

_HEAD = struct.Struct("<8sQQ")
_TIME = struct.Struct("<d")
_COUNT = struct.Struct("<Q")
_COUNT_AT = 16
_MAGIC = b"lectrR01"
_LOOK_EVERY_S = 1.0


class Ring:
    """Admits so many requests in any 60 seconds, over all processes that have it open.

    Args:
        path: of its file, in a folder that exists.
        limit: how many; another process's may be another.
        now_s: a clock that all of them share.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(
        self, path: Path, limit: int, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._path, self._limit, self._now_s = path, limit, now_s
        self._owed = 0  # admitted while somebody sat on the lock
        self._look_s = now_s() + _LOOK_EVERY_S
        self._lock = BriefLock(path)

    def admit(self) -> float | None:
        """Count a request; or the seconds until there is room for it.

        Where somebody sits on the lock it is admitted, and counted with the next one.
        """
        lock = self._lock
        if not lock.take():
            self._owed = min(self._owed + 1, self._limit)
            return None
        try:
            now_s = self._now_s()  # in the lock, so that times are in order
            try:
                return self._admit(now_s)
            except struct.error:  # somebody has cut it off: begin anew
                os.ftruncate(lock.fd, 0)
                return self._admit(now_s)
        finally:
            lock.give_back()
            if now_s >= self._look_s:
                self._look(now_s)

    @property
    def owed(self) -> int:
        """Admitted, and not counted yet."""
        return self._owed

    def close(self) -> None:
        """Close its file."""
        self._lock.close()

    def _look(self, now_s: float) -> None:
        """A file that was removed is made anew: others open that one."""
        self._look_s = now_s + _LOOK_EVERY_S
        before = self._lock
        if before.intact:
            return
        with contextlib.suppress(OSError):  # until it can be made, the old one counts
            self._lock = BriefLock(self._path)
            before.close()

    def _admit(self, now_s: float) -> float | None:
        fd, limit = self._lock.fd, self._limit
        data = os.pread(fd, _HEAD.size, 0)
        magic, size, count = _HEAD.unpack(data) if data else (b"", 0, 0)
        if magic != _MAGIC or size <= limit:
            size, count = self._grown(fd, size if magic == _MAGIC else 0, count)
        while self._owed:
            count = _write(fd, size, count, now_s)
            self._owed -= 1
        if count >= limit:  # how long ago was the last but so many?
            (before,) = _TIME.unpack(_slot(fd, size, count - limit))
            if (
                0 <= now_s - before < WINDOW_S
            ):  # later than now: the machine's last life
                return float(before + WINDOW_S - now_s)
        _write(fd, size, count, now_s)
        return None

    def _grown(self, fd: int, size: int, count: int) -> tuple[int, int]:
        """The file with room for this limit, and with the times that it had."""
        times = [_slot(fd, size, at) for at in range(max(0, count - size), count)]
        size = self._limit + 1  # one is being written, and counts no more
        times = [one for one in times if len(one) == _TIME.size][-size:]
        os.ftruncate(fd, _HEAD.size + size * _TIME.size)
        os.pwrite(fd, b"".join(times), _HEAD.size)
        os.pwrite(fd, _HEAD.pack(_MAGIC, size, len(times)), 0)
        return size, len(times)


def _slot(fd: int, size: int, at: int) -> bytes:
    return os.pread(fd, _TIME.size, _HEAD.size + at % size * _TIME.size)


def _write(fd: int, size: int, count: int, now_s: float) -> int:
    """The time first: who is killed in between has admitted nobody."""
    os.pwrite(fd, _TIME.pack(now_s), _HEAD.size + count % size * _TIME.size)
    os.pwrite(fd, _COUNT.pack(count + 1), _COUNT_AT)
    return count + 1
