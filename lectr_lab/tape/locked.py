"""Cassettes that several processes read and write: one after another.

The lock is flock on the cassette's folder, as for a day of the log: it needs no file of
its own beside what is committed, and ends with the process.
"""

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from lectr_lab.core.errors import CassetteError

_TRIES, _BETWEEN_S = 3000, 0.02  # a minute; tests may have taken `time.sleep` away


@contextlib.contextmanager
def locked(cassette: Path, *, alone: bool) -> Iterator[None]:
    """Hold the cassettes of a folder: none of them changes meanwhile.

    Args:
        cassette: in a folder that may not exist: a reader then has nothing to hold.
        alone: for whoever writes, who makes the folder; readers share the lock.

    Raises:
        CassetteError: another process has held it for a minute.

    >>> with locked(Path("nowhere/chat.yaml"), alone=False):
    ...     pass
    """
    try:
        if alone:
            cassette.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        fd = os.open(cassette.parent, flags)
    except OSError:  # whoever reads or writes says what is wrong
        yield
        return
    try:
        _take(fd, fcntl.LOCK_EX if alone else fcntl.LOCK_SH, cassette)
        yield
    finally:
        os.close(fd)


def _take(fd: int, how: int, cassette: Path) -> None:
    pause = threading.Event()
    for _ in range(_TRIES):
        try:
            fcntl.flock(fd, how | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            pause.wait(_BETWEEN_S)
        except OSError:  # a file system without locks
            return
    raise CassetteError(
        f"{cassette} is being written by another process, for a minute now. Wait until "
        "that has ended, or end it, and record again."
    )
