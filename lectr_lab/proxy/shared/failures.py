"""Which requests have failed, for all workers of a port: in memory that no file is of.

A table of two places for each of so many hashes. Whoever writes last is right; two that
write one place at once may spoil it, and then a retry is not told.
"""

import mmap
import os
import tempfile
from functools import lru_cache

_BUCKETS = 4096
_PLACE = 2  # numbers of 8 bytes: a name, and a time
_BUCKET = 2 * _PLACE
_SIZE_BYTES = _BUCKETS * _BUCKET * 8
_MOST_NAMES = 2**64
_KEYS_KNOWN = 1024


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
    """When requests failed, by the name of what was asked.

    Args:
        fd: of the memory that all share.

    >>> failures = Failures(open_memory())
    >>> one, other = failures.name("k", "chat", 2, 7), failures.name("k", "chat", 2, 8)
    >>> failures.add(one, 1.5)
    >>> failures.get(one), failures.get(other)
    (1.5, None)
    """

    def __init__(self, fd: int) -> None:
        whole = memoryview(mmap.mmap(fd, _SIZE_BYTES))
        os.close(fd)
        self._names, self._times = whole.cast("Q"), whole.cast("d")

    def name(self, key_id: str, operation: str, size_bytes: int, crc32: int) -> int:
        """The same in each process, as Python's own hash of a text is not; of one key
        and operation two bodies have two names, unless both numbers are the same."""
        body = (size_bytes << 32) + crc32
        return (_whose(key_id, operation) + body) % _MOST_NAMES or 1

    def get(self, name: int) -> float | None:
        """When it last failed, in seconds of whoever added it."""
        at = self._place(name)
        return None if at is None else self._times[at + 1]

    def add(self, name: int, failed_s: float) -> None:
        """It has failed."""
        at = self._place(name)
        if at is None:
            first = name % _BUCKETS * _BUCKET
            either = (first, first + _PLACE)
            at = min(either, key=lambda at: self._times[at + 1])
        self._names[at] = 0  # until the time is its own
        self._times[at + 1] = failed_s
        self._names[at] = name

    def forget(self, name: int) -> None:
        """It has not, this time."""
        at = self._place(name)
        if at is not None:
            self._names[at] = 0
            self._times[at + 1] = 0.0

    def _place(self, name: int) -> int | None:
        names, at = self._names, name % _BUCKETS * _BUCKET
        if names[at] == name:
            return at
        at += _PLACE
        return at if names[at] == name else None


@lru_cache(_KEYS_KNOWN)
def _whose(key_id: str, operation: str) -> int:
    # Imported by those alone that share something.
    from hashlib import blake2b

    asked = f"{operation} {key_id}".encode()
    return int.from_bytes(blake2b(asked, digest_size=8).digest(), "little")
