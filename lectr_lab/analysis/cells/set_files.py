"""Files of what was counted, by what they stand for: written whole, or not there.

    <name>.<key>[.few].<kind>.<crc32>.parquet

One whose bytes are not those of its name is no file. So all may be deleted, torn or old.
"""

import contextlib
import os
import re
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from lectr_lab.analysis.cells.sets import KINDS, OF_MONTHS, CellSet
from lectr_lab.files import write_whole
from lectr_lab.log.checksums import checksum
from lectr_lab.log.folder import FOLDER_MODE

_FILE = re.compile(
    r"(.+)\.([0-9a-f]{24})(?:\.few)?"
    rf"\.({'|'.join((*KINDS, *OF_MONTHS))})\.([0-9a-f]{{8}})\.parquet"
)
_FEW = ".few"
_LINGER_S = 3 * 86_400.0  # a log that was opened before may still be read by them
_MOST_REMEMBERED = 1 << 16


def has_few(kept: Mapping[str, Path]) -> bool:
    """Features of these share a name."""
    return _FEW in kept["sums"].name


def keep(folder: Path, name: str, found: CellSet) -> Mapping[str, Path] | None:
    """Write what was counted; None where it cannot be written."""
    if not may_write(folder):
        return None
    kept: dict[str, Path] = {}
    try:
        for kind, data in found.files().items():
            crc = zlib.crc32(data)
            path = folder / f"{name}{_FEW * found.few}.{kind}.{crc:08x}.parquet"
            write_whole(path, data, durable=False)
            kept[kind] = path
    except OSError:
        return None
    return kept


def listed(folder: Path, kinds: Sequence[str] = KINDS) -> dict[str, Mapping[str, Path]]:
    """The whole sets of files of a folder, by the name of what they stand for."""
    found: dict[str, dict[str, Path]] = {}
    with contextlib.suppress(OSError):
        for path in sorted(folder.iterdir()):
            named = _FILE.fullmatch(path.name)
            if named and _is_whole(path, int(named[4], 16)):
                found.setdefault(f"{named[1]}.{named[2]}", {})[named[3]] = path
    return {name: some for name, some in found.items() if {*kinds} <= {*some}}


def _is_whole(path: Path, crc: int) -> bool:
    try:
        about = path.stat(follow_symlinks=False)
        return _seen(path, about.st_ino, about.st_size, about.st_mtime_ns) == crc
    except OSError:
        return False


@lru_cache(_MOST_REMEMBERED)
def _seen(path: Path, *_stamp: int) -> int:
    """A file's checksum, read once a process."""
    return checksum(path)


def remove(files: Iterable[Path]) -> None:
    """Delete files, where they can be."""
    for path in files:
        with contextlib.suppress(OSError):
            path.unlink()


def may_write(folder: Path) -> bool:
    """The folder is there, made now where it can be, and files can be put into it."""
    with contextlib.suppress(OSError):
        for one in (folder.parent.parent, folder.parent, folder):
            one.mkdir(mode=FOLDER_MODE, exist_ok=True)
    return os.access(folder, os.W_OK | os.X_OK)


def remove_old(files: Iterable[Path]) -> None:
    """Those that nobody reads any more."""
    remove(path for path in files if _age_s(path) > _LINGER_S)


def _age_s(path: Path) -> float:
    """How long ago it was written; a file that is gone is of no age."""
    with contextlib.suppress(OSError):
        return time.time() - path.stat(follow_symlinks=False).st_mtime
    return 0.0
