"""A lock that is held for microseconds, and waited for no longer than it is worth.

flock: it ends with the process that has it. Who finds it taken waits a millisecond. By
then its holder was put aside, or sits on it. The system knows which: of one that only
waits for its turn of the processor it is known that it goes on, and as whoever went on
without it would pass a limit, it is waited for. One that is stopped delays nobody.
"""

import fcntl
import os
import time
from pathlib import Path

from lectr_lab.files import PRIVATE

WAIT_S = 0.001
MOST_S = 0.25
"""Of a holder that runs, where many programs want the processors; where the system does
not tell whether it does (all but Linux), a tenth of that."""

_LEAST_TRIES = 200  # one that asks without a pause has it four times of five
_TURN_S = 0.00005
_LOOK_S = 0.001
_STILL_S = 0.001  # without a turn: before, it may have been between two locks
_LOCKS = Path("/proc/locks")
_UNKNOWN_S = MOST_S / 10
_NOBODY = 0


class BriefLock:
    """Taken for the time of a few reads and writes.

    Args:
        path: the lock's file, made where there is none.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        self.fd = os.open(path, flags, PRIVATE)
        self._path = path
        self._stuck: tuple[int, bytes] | None = (
            None  # who sat on it when it was last wanted
        )
        status = os.fstat(self.fd)
        device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
        self._name = f"{device}:{status.st_ino}"

    def take(self) -> bool:
        """Have it; False where somebody sits on it."""
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return self._waited()
        return True

    def give_back(self) -> None:
        """Others may have it."""
        fcntl.flock(self.fd, fcntl.LOCK_UN)

    def _waited(self) -> bool:
        began_s = still_since_s = time.monotonic()
        seen: tuple[int, bytes] | None = None  # who has it, and has not run since then
        tries = 0
        while (passed_s := time.monotonic() - began_s) < MOST_S or tries < _LEAST_TRIES:
            tries += 1
            # To look takes time that whoever has it may be waiting for.
            time.sleep(_TURN_S if passed_s < WAIT_S else _LOOK_S)
            try:
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if passed_s < WAIT_S:
                    continue
            else:
                self._stuck = None
                return True
            holder = self._holder()
            if holder == _NOBODY:  # by now
                continue
            if holder is None:
                if passed_s >= _UNKNOWN_S:
                    return False
                continue
            rests = holder, rest_of(holder)
            if not rests[1]:
                seen = self._stuck = None
            elif rests == self._stuck:
                return False
            elif rests != seen:
                seen, still_since_s = (holder, rests[1]), time.monotonic()
            elif time.monotonic() - still_since_s >= _STILL_S:
                self._stuck = seen
                return False
        return False

    def _holder(self) -> int | None:
        """The process that has it; None where the system does not tell."""
        try:
            with _LOCKS.open(encoding="ascii") as file:
                for line in file:
                    fields = line.split()  # 1: FLOCK ADVISORY WRITE 123 fe:00:9 0 EOF
                    if fields[1] == "FLOCK" and fields[5] == self._name:
                        pid = int(fields[4])
                        return pid if pid > 0 else None  # not of this container
        except (OSError, ValueError, IndexError):
            return None
        return _NOBODY

    @property
    def intact(self) -> bool:
        """It is still the file of that name."""
        return is_of(self.fd, self._path)

    def close(self) -> None:
        """Close its file."""
        os.close(self.fd)


def rest_of(pid: int) -> bytes:
    """What stays as it is for as long as a process rests; nothing of one that has the
    processor, or waits for it alone. Another machine's, as a container's is, rests.

    Source: man 5 proc_pid_stat, field 3; the kernel's sched-stats.rst, of schedstat: how
    long it ran, how long it waited, how many turns it had.

    >>> rest_of(os.getpid())
    b''
    """
    process = Path(f"/proc/{pid}")
    try:
        stat = (process / "stat").read_bytes()
        if stat.rpartition(b") ")[2][:1] == b"R":
            return b""
        return (process / "schedstat").read_bytes()
    except OSError:
        return b"unknown"


def is_of(fd: int, path: Path) -> bool:
    """Whether a file that is open is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(fd), path.stat(follow_symlinks=False))
    except OSError:
        return False
