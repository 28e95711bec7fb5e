"""Which requests have failed, for all workers of a port: in memory that no file is of.

A table of two places for each of so many hashes. Whoever writes last is right; two that
write one place at once may spoil it, and then a retry is not told.
"""

import mmap
import os
import struct
import tempfile
from collections.abc import Hashable

_ENTRY = struct.Struct("<Qd")
_BUCKETS = 4096
_SIZE_BYTES = _BUCKETS * 2 * _ENTRY.size


def open_memory() -> int:
    """A descriptor of memory for the table, to be handed on."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("lectr-failures")
    else:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, _SIZE_BYTES)
    return fd


class Failures:
    """When requests failed, by what was asked.

    Args:
        fd: of the memory that all share.

    >>> failures = Failures(open_memory())
    >>> failures.add(("k", "chat", 2, 7), 1.5)
    >>> failures.get(("k", "chat", 2, 7)), failures.get(("k", "chat", 2, 8))
    (1.5, None)
    """

    def __init__(self, fd: int) -> None:
        self._map = mmap.mmap(fd, _SIZE_BYTES)
        os.close(fd)

    def get(self, asked: Hashable) -> float | None:
        """When it last failed, in seconds of whoever added it."""
        name = _name(asked)
        for at in _places(name):
            told, failed_s = _ENTRY.unpack_from(self._map, at)
            if told == name:
                return float(failed_s)
        return None

    def add(self, asked: Hashable, failed_s: float) -> None:
        """It has failed."""
        name = _name(asked)
        entries = [(*_ENTRY.unpack_from(self._map, at), at) for at in _places(name)]
        own = [at for told, _, at in entries if told == name]
        at = own[0] if own else min(entries, key=lambda entry: entry[1])[2]
        _ENTRY.pack_into(self._map, at, name, failed_s)

    def forget(self, asked: Hashable) -> None:
        """It has not, this time."""
        name = _name(asked)
        for at in _places(name):
            if _ENTRY.unpack_from(self._map, at)[0] == name:
                _ENTRY.pack_into(self._map, at, 0, 0.0)


def _name(asked: Hashable) -> int:
    """The same in each process, as Python's own hash of a text is not."""
    # Imported by those alone that share something.
    from hashlib import blake2b

    digest = blake2b(repr(asked).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1


def _places(name: int) -> tuple[int, int]:
    first = name % _BUCKETS * 2 * _ENTRY.size
    return first, first + _ENTRY.size
