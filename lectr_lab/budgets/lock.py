"""One lock for all sums of a lab: flock, which ends with the process that has it."""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

from lectr_lab.files import PRIVATE

PATIENT_S = 0.5
"""The holder needs microseconds, and on a busy machine its turn of the processor. Whoever
went on without it might pass a budget; so the first to find it taken waits for that."""

IMPATIENT_S = 0.001
"""After that somebody sits on it: until it was free again, nobody waits longer."""

_TURN_S = 0.0001


class Lock:
    """Taken for the time of a few reads and writes.

    Args:
        path: the lock's file, made where there is none.
        now_s: any clock that goes on.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, path: Path, now_s: Callable[[], float] = time.monotonic) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        self._fd = os.open(path, flags, PRIVATE)
        self._path, self._now_s = path, now_s
        self._missed = False

    def take(self) -> bool:
        """Have it; False where somebody sits on it."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            self._missed = False
            return True
        patience_s = IMPATIENT_S if self._missed else PATIENT_S
        until_s = self._now_s() + patience_s
        while self._now_s() < until_s:
            time.sleep(_TURN_S)
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            self._missed = False
            return True
        self._missed = True
        return False

    def wait(self) -> None:
        """Have it, however long that takes: not where requests are served."""
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def give_back(self) -> None:
        """Others may have it."""
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    @property
    def intact(self) -> bool:
        """It is still the file of that name."""
        try:
            there = self._path.stat(follow_symlinks=False)
            return os.path.samestat(os.fstat(self._fd), there)
        except OSError:
            return False

    def close(self) -> None:
        """Close its file."""
        os.close(self._fd)
