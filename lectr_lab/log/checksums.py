"""What each part's bytes added up to when it was written.

Parquet readers do not notice a flipped bit in a data page, so the sum is kept beside
the log: `state/<YYYY-MM-DD>.crc32`, one line `<crc32> <file name>` for each part of a
day. Lines are appended in one write each; of two for one name the later counts, and
lines whose part is gone mean nothing.
"""

import contextlib
import os
import zlib
from datetime import date
from pathlib import Path

from lectr_lab.log.folder import FILE_MODE, LabFolder, write_whole

_BLOCK_BYTES = 1 << 20


def note_checksums(lab: LabFolder, day: date, sums: dict[str, int]) -> None:
    """Remember the sums of a day's new parts; without `state/` they are not kept.

    Args:
        lab: the lab folder.
        day: the parts' day.
        sums: crc32 by file name.
    """
    flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
    with contextlib.suppress(OSError):  # a part without a sum is a part all the same
        fd = os.open(checksum_file(lab, day), flags, FILE_MODE)
        try:
            os.write(fd, _lines(sums))
        finally:
            os.close(fd)


def replace_checksums(lab: LabFolder, day: date, sums: dict[str, int]) -> None:
    """Remember these and no others. For who has the day's lock alone."""
    path = checksum_file(lab, day)
    with contextlib.suppress(OSError):
        write_whole(path, _lines(sums), path.with_suffix(".tmp"))


def _lines(sums: dict[str, int]) -> bytes:
    return "".join(f"{crc:08x} {name}\n" for name, crc in sums.items()).encode()


def checksums(lab: LabFolder, day: date) -> dict[str, int]:
    """The crc32 by file name of a day's parts, as far as they are known.

    >>> import tempfile
    >>> lab = LabFolder.create(Path(tempfile.mkdtemp()))
    >>> note_checksums(lab, date(2026, 11, 24), {"a.parquet": 1, "b.parquet": 2})
    >>> checksums(lab, date(2026, 11, 24))
    {'a.parquet': 1, 'b.parquet': 2}
    """
    try:
        lines = checksum_file(lab, day).read_text("utf-8", "replace").splitlines()
    except OSError:
        return {}
    sums = {}
    for line in lines:
        crc, _, name = line.partition(" ")
        with contextlib.suppress(ValueError):
            sums[name] = int(crc, 16)
    return sums


def checksum(path: Path) -> int:
    """The crc32 of a file's bytes, read block by block.

    Raises:
        OSError: it cannot be read.
    """
    crc = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            crc = zlib.crc32(block, crc)
    return crc


def checksum_file(lab: LabFolder, day: date) -> Path:
    """Where a day's sums lie."""
    return lab.state / f"{day.isoformat()}.crc32"
