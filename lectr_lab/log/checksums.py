"""What each part's bytes added up to when it was written.

Parquet readers do not notice a flipped bit in a data page, so the sum is kept beside
the log: `state/<YYYY-MM-DD>.crc32`, one line `<crc32> <file name>` for each part of a
day. Lines are appended in one write each, before the part is in its place: of two for
one name either may be true, and lines whose part is gone mean nothing.
"""

import contextlib
import os
import zlib
from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path

from lectr_lab.files import open_regular, read_regular, write_whole
from lectr_lab.log.folder import FILE_MODE, LabFolder

Sums = Collection[int]

_BLOCK_BYTES = 1 << 18  # stays in a core's cache


def note_checksums(lab: LabFolder, day: date, sums: dict[str, int]) -> None:
    """Remember the sums of a day's new parts; without `state/` they are not kept.

    Args:
        lab: the lab folder.
        day: the parts' day.
        sums: crc32 by file name.
    """
    flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
    flags |= os.O_NOFOLLOW | os.O_NONBLOCK
    lines = _lines({name: (crc,) for name, crc in sums.items()})
    with contextlib.suppress(OSError):  # a part without a sum is a part all the same
        fd = os.open(checksum_file(lab, day), flags, FILE_MODE)
        try:
            os.write(fd, lines)
        finally:
            os.close(fd)


def replace_checksums(lab: LabFolder, day: date, sums: Mapping[str, Sums]) -> None:
    """Remember these and no others. For who has the day's lock alone."""
    with contextlib.suppress(OSError):
        write_whole(checksum_file(lab, day), _lines(sums))


def _lines(sums: Mapping[str, Sums]) -> bytes:
    lines = (f"{crc:08x} {name}\n" for name, some in sums.items() for crc in some)
    return "".join(lines).encode("utf-8", "surrogateescape")


def checksums(lab: LabFolder, day: date) -> dict[str, set[int]]:
    """What a part's crc32 may be, by its file name, as far as it is known.

    >>> import tempfile
    >>> lab = LabFolder.create(Path(tempfile.mkdtemp()))
    >>> note_checksums(lab, date(2026, 11, 24), {"a.parquet": 1, "b.parquet": 2})
    >>> checksums(lab, date(2026, 11, 24))
    {'a.parquet': {1}, 'b.parquet': {2}}
    """
    try:
        data = read_regular(checksum_file(lab, day), follow=False)
    except OSError:
        return {}
    sums: dict[str, set[int]] = {}
    for line in data.decode("utf-8", "surrogateescape").splitlines():
        crc, _, name = line.partition(" ")
        with contextlib.suppress(ValueError):
            sums.setdefault(name, set()).add(int(crc, 16))
    return sums


def checksum(path: Path) -> int:
    """The crc32 of a file's bytes, read block by block.

    Raises:
        OSError: it cannot be read, or is no file.
    """
    crc, block = 0, memoryview(bytearray(_BLOCK_BYTES))
    with os.fdopen(open_regular(path), "rb", buffering=0) as file:
        while length := file.readinto(block):
            crc = zlib.crc32(block[:length], crc)
    return crc


def checksum_file(lab: LabFolder, day: date) -> Path:
    """Where a day's sums lie."""
    return lab.state / f"{day.isoformat()}.crc32"
