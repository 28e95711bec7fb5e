"""A process among those that share something: the others can tell when it is dead.

It has a name that no other ever had, and a file of that name, which is locked while it
lives.
"""

import contextlib
import fcntl
import os
import secrets
from pathlib import Path

from lectr_lab.files import PRIVATE, open_regular

_SUFFIX = ".alive"


class Member:
    """This process.

    Args:
        folder: what they all share lies there.

    Raises:
        OSError: its file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = secrets.randbits(64) | 1  # never 0
        self._path = _path(folder, self.name)
        new = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._fd = os.open(self._path, new, PRIVATE)
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def close(self) -> None:
        """It is as if it were dead."""
        with contextlib.suppress(OSError):
            self._path.unlink()
        os.close(self._fd)


def lives(folder: Path, name: int) -> bool:
    """Whether the process of that name does; the file of a dead one is removed.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> one = Member(folder)
    >>> lives(folder, one.name), lives(folder, 3)
    (True, False)
    """
    path = _path(folder, name)
    try:
        fd = open_regular(path, follow=False)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        with contextlib.suppress(OSError):
            path.unlink()
        return False
    finally:
        os.close(fd)


def _path(folder: Path, name: int) -> Path:
    return folder / f"{name:016x}{_SUFFIX}"
