"""The sums of one budget in a file that all processes share: `state/budgets/<id>.spent`.

A head of 64 bytes, then cells of 128, found by their key's hash; each is one sum. They
are read and written with pread and pwrite, whoever has the store's lock: a mapped file
that somebody cuts short, or whose disk is full, would end the process.
"""

import errno
import math
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lectr_lab.budgets.windows import RUN_KEPT_S, Window
from lectr_lab.files import PRIVATE, open_regular

CELL_BYTES = 128
MANY_CELLS = 65_536
FEW_CELLS = 16
MOST_PUSD = 2**64 - 1

_MAGIC = b"LECTRB01"
_HEAD_BYTES = 64
_HEAD = struct.Struct("<8sQdQ")  # magic, cells, the log is read up to, forgotten
_CELL = struct.Struct("<16sdddQQQQQQQ")
_PROBED = 64
_READ_CELLS = 64
_HOUR_S, _DAY_S = 3_600.0, 86_400.0
_EMPTY = bytes(16)


class Cell(NamedTuple):
    """One sum. Dollars are 1e-12 USD; the rest counts requests.

    `told` has a bit for each word that was said of it: 1 near, 2 reached, 4 refused.
    """

    key: bytes
    start_s: float
    end_s: float
    touched_s: float
    spent: int = 0
    reserved: int = 0
    unbounded: int = 0
    requests: int = 0
    unpriced: int = 0
    estimated: int = 0
    refused_told: int = 0  # refused * 8 + told

    @property
    def refused(self) -> int:
        """Requests refused."""
        return self.refused_told >> 3

    @property
    def told(self) -> int:
        """What was said of it."""
        return self.refused_told & 7

    def over(self, now_s: float) -> bool:
        """Nothing can come any more that counts here."""
        if math.isinf(self.end_s):
            return now_s - self.touched_s > RUN_KEPT_S
        late_s = _DAY_S if self.reserved else _HOUR_S
        return now_s - self.end_s > late_s


class Table:
    """An open file of sums; `created` says that there was none.

    Args:
        path: the file.
        cells: how many it has, where it is to be made; None: it is there.
        write: it is not only read.

    Raises:
        OSError: it cannot be opened or made, or is no such file: `strerror` says why.
    """

    def __init__(self, path: Path, cells: int | None, *, write: bool = True) -> None:
        self.path, self.created = path, False
        flags = os.O_RDWR if write else os.O_RDONLY
        try:
            self._fd = open_regular(path, follow=False, flags=flags)
        except FileNotFoundError:
            if cells is None:
                raise
            new = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            self._fd = os.open(path, new, PRIVATE)
            self.created = True
            os.ftruncate(self._fd, _HEAD_BYTES + cells * CELL_BYTES)
            os.pwrite(self._fd, _HEAD.pack(_MAGIC, cells, 0.0, 0), 0)
        self._places: dict[bytes, int] = {}
        try:
            self.cells = self._checked()
        except OSError:
            self.close()
            raise

    def _checked(self) -> int:
        head = os.pread(self._fd, _HEAD.size, 0)
        size = os.fstat(self._fd).st_size
        if len(head) == _HEAD.size:
            magic, cells, *_ = _HEAD.unpack(head)
            if magic == _MAGIC and size == _HEAD_BYTES + cells * CELL_BYTES:
                return int(cells)
        raise OSError(errno.EINVAL, "it is damaged", str(self.path))

    @property
    def intact(self) -> bool:
        """It is still the file of that name, and whole."""
        try:
            self._checked()
            there = self.path.stat(follow_symlinks=False)
            return os.path.samestat(os.fstat(self._fd), there)
        except OSError:
            return False

    @property
    def read_up_to_s(self) -> float:
        """What began before was looked for in the log; 0.0: nothing was yet."""
        return float(_HEAD.unpack(os.pread(self._fd, _HEAD.size, 0))[2])

    @property
    def forgotten(self) -> int:
        """Sums that had to make room for others: there were too many at once."""
        return int(_HEAD.unpack(os.pread(self._fd, _HEAD.size, 0))[3])

    def was_read(self, up_to_s: float) -> None:
        """The log was looked through for what began before that moment."""
        os.pwrite(self._fd, struct.pack("<d", up_to_s), 16)

    def place(self, key: bytes, window: Window, now_s: float) -> tuple[int, Cell]:
        """A sum's place and what it says, made where there is none.

        Raises:
            OSError: it cannot be read or written; or all places are taken by sums of
                requests that run.
        """
        found = self.find(key)
        if found is not None:
            return found
        spare: tuple[int, Cell] | None = None
        for at, cell in self._probed(key):
            if cell.key == _EMPTY or cell.over(now_s):
                spare = at, cell
                break
            idle = cell.reserved == 0
            if idle and (spare is None or cell.spent < spare[1].spent):
                spare = at, cell
        if spare is None:
            raise OSError(errno.ENOSPC, "all of its places are taken", str(self.path))
        at, old = spare
        if old.key != _EMPTY and not old.over(now_s):
            os.pwrite(self._fd, struct.pack("<Q", self.forgotten + 1), 24)
        new = Cell(key, window.start_s, window.end_s, now_s)
        self.write(at, new)
        self._keep(key, at)
        return at, new

    def find(self, key: bytes) -> tuple[int, Cell] | None:
        """A sum's place and what it says; None where there is none."""
        at = self._places.get(key)
        if at is not None:
            cell = self.read(at)
            if cell.key == key:
                return at, cell
        for at, cell in self._probed(key):
            if cell.key == key:
                self._keep(key, at)
                return at, cell
            if cell.key == _EMPTY:
                return None
        return None

    def read(self, at: int) -> Cell:
        """What the sum at a place says."""
        data = os.pread(self._fd, _CELL.size, _HEAD_BYTES + at * CELL_BYTES)
        if len(data) < _CELL.size:
            raise OSError(errno.EIO, "it was cut short", str(self.path))
        return Cell._make(_CELL.unpack(data))

    def write(self, at: int, cell: Cell) -> None:
        """Say it, at its place."""
        os.pwrite(self._fd, _CELL.pack(*cell), _HEAD_BYTES + at * CELL_BYTES)

    def all_cells(self) -> Iterator[tuple[int, Cell]]:
        """Every sum with its place."""
        first = 0
        while first < self.cells:
            first = max(first, self._next_written(first))
            size = min(_READ_CELLS, self.cells - first) * CELL_BYTES
            data = os.pread(self._fd, size, _HEAD_BYTES + first * CELL_BYTES)
            for nth in range(len(data) // CELL_BYTES):
                cell = Cell._make(_CELL.unpack_from(data, nth * CELL_BYTES))
                if cell.key != _EMPTY:
                    yield first + nth, cell
            first += _READ_CELLS

    def _next_written(self, first: int) -> int:
        """The first place that may have been written, from one on: most never were, and
        the file has holes there."""
        start = _HEAD_BYTES + first * CELL_BYTES
        try:
            data = os.lseek(self._fd, start, os.SEEK_DATA)
        except OSError as error:  # the rest of the file is a hole, if it can tell
            return self.cells if error.errno == errno.ENXIO else first
        return (data - _HEAD_BYTES) // CELL_BYTES

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def _probed(self, key: bytes) -> Iterator[tuple[int, Cell]]:
        first = int.from_bytes(key[:8], "little") % self.cells
        for nth in range(min(_PROBED, self.cells)):
            at = (first + nth) % self.cells
            yield at, self.read(at)

    def _keep(self, key: bytes, at: int) -> None:
        if len(self._places) >= MANY_CELLS:
            self._places.clear()
        self._places[key] = at
