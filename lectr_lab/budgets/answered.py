"""Which responses were counted: one that is fetched again costs nothing more.

A table of 8-byte hashes in `state/budgets/answered`, the newest in place of an older one
that has its place. Whoever is forgotten would be counted twice, never too little.
"""

import hashlib
import os
from pathlib import Path

from lectr_lab.files import PRIVATE

_PLACES = 65_536
_BYTES = 8


class Answered:
    """The file; made where there is none.

    Raises:
        OSError: it cannot be opened or made.
    """

    def __init__(self, path: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        self._fd = os.open(path, flags, PRIVATE)

    def has(self, response: bytes) -> bool:
        """It was noted, not long ago."""
        mark, place = _mark(response)
        return os.pread(self._fd, _BYTES, place) == mark

    def note(self, response: bytes) -> None:
        """It is counted now."""
        mark, place = _mark(response)
        os.pwrite(self._fd, mark, place)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def _mark(response: bytes) -> tuple[bytes, int]:
    hashed = hashlib.blake2b(response, digest_size=16).digest()
    place = int.from_bytes(hashed[:8], "little") % _PLACES
    return hashed[8:], place * _BYTES
