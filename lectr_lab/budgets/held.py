"""What one process has reserved and not settled: `<id>.<process>.held` beside the sums.

The file is locked while its process lives, so that others can tell what a dead one left.
"""

import contextlib
import fcntl
import os
import struct
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from lectr_lab.files import PRIVATE, open_regular

_AMOUNT = struct.Struct("<Q")
SUFFIX = ".held"


class Held:
    """This process's own; it dies with it.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, path: Path, cells: int) -> None:
        new = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._path, self._fd = path, os.open(path, new, PRIVATE)
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        os.ftruncate(self._fd, cells * _AMOUNT.size)
        self._amounts: dict[int, int] = defaultdict(int)

    def add(self, at: int, pusd: int) -> None:
        """So much more is reserved at a place, or less."""
        amount = max(0, self._amounts[at] + pusd)
        os.pwrite(self._fd, _AMOUNT.pack(amount), at * _AMOUNT.size)
        if amount:
            self._amounts[at] = amount
        else:
            del self._amounts[at]

    @property
    def total(self) -> int:
        """All that this process has reserved."""
        return sum(self._amounts.values())

    def close(self) -> None:
        """Nothing runs any more; what is reserved all the same counts as a dead one's."""
        with contextlib.suppress(OSError):
            self._path.unlink()
        os.close(self._fd)


def alive(folder: Path, budget: str, *, remove: bool = False) -> Iterator[Path]:
    """The files of processes that live. Those of dead ones are removed if wanted, which
    only who has the store's lock may do: a new one is made and then locked."""
    for path in sorted(folder.glob(f"{budget}.*{SUFFIX}")):
        try:
            fd = open_regular(path, follow=False)
        except OSError:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            yield path
        else:
            if remove:
                with contextlib.suppress(OSError):
                    path.unlink()
        finally:
            os.close(fd)


def amounts(path: Path) -> dict[int, int]:
    """What a living process has reserved, by place; nothing, if it has just ended."""
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    size = len(data) - len(data) % _AMOUNT.size
    found = enumerate(_AMOUNT.iter_unpack(data[:size]))
    return {at: pusd for at, (pusd,) in found if pusd}
