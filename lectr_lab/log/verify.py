"""Is a part as it was written? Each is looked at once on a machine, then remembered.

Parquet readers take a flipped bit for a value, and one file that they cannot read ends
the reading of all. So each part is compared with its checksum before its rows are read;
one without a checksum is read once to see whether it can be.

    state/verified    a line for each part that is well: day, inode, size, time, name

That file is derived: who may not write it looks again in each process. It is a memory of
the file's time and size, so what changes a file and neither of these, such as a disk
that forgets, is found by `doctor` alone, which always looks at every byte.

The first look at 257 MB (6 million rows in 24 compact parts) takes 57 ms of CPU, 3 % of
what `spend` then takes over the rows (`tests/benchmarks/bench_log.py`).
"""

import contextlib
from collections.abc import Callable, Sequence
from datetime import date
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from lectr_lab.files import read_regular, strange, write_whole
from lectr_lab.log.checksums import Sums, checksum, checksums
from lectr_lab.log.folder import LabFolder, folder_date
from lectr_lab.log.parts import LogSchema, damage, decode, objection_of

_FORMAT = 1
_MOST_REMEMBERED = 1 << 16
_UNLIKE = "its bytes are not those that were written"


def parts_of(lab: LabFolder, day: date | None = None) -> list[Path]:
    """Every file that is named as a part, of a lab or a folder of parts alone.

    A link in the place of a day is not followed: its rows would count twice.
    """
    if is_bare(lab) or day is None:
        root = lab.root if is_bare(lab) else lab.log
    elif (root := lab.day(day)).is_symlink():
        return []
    return sorted(root.rglob("*.parquet"))


def is_bare(lab: LabFolder) -> bool:
    """It is no lab: what lies in it are parts."""
    return not (lab.log.is_dir() or lab.journal.is_dir())


def ailment(part: Path, schema: LogSchema, sums: Sums) -> str | None:
    """Why a part of a lab is not to be read; None where it is well.

    Looks at every byte.

    Args:
        part: of its log.
        schema: the version that it is to be read as.
        sums: what its checksum may be; none where it is not known.

    Raises:
        FileNotFoundError: it is gone.
    """
    mode = part.stat(follow_symlinks=False).st_mode
    return strange(mode) or _ailment(part, schema, sums, _look)


def bad_parts(
    lab: LabFolder, parts: Sequence[Path], schema: LogSchema
) -> dict[Path, str]:
    """Those that are not to be read, and why. The others are remembered.

    Args:
        lab: a lab folder, or a folder of parts alone.
        parts: of its log, as `parts_of` lists them.
        schema: the version that they are to be read as.

    Raises:
        FileNotFoundError: one is gone.
    """
    head = f"lectr_lab verified {_FORMAT}, schema {schema.version}"
    known, here, bad = _remembered(lab, head), set(), {}
    sums_of, follow = cache(partial(_sums, lab)), is_bare(lab)
    for part in parts:
        stat = part.stat(follow_symlinks=follow)
        stamp = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        line = f"{_day_of(part)} {' '.join(map(str, stamp))} {part.name!a}"
        reason = strange(stat.st_mode)
        if not reason and line not in known:
            sums = frozenset(sums_of(part.parent).get(part.name, ()))
            reason = _ailment(part, schema, sums, partial(_seen, stamp))
        if reason:
            bad[part] = reason
        else:
            here.add(line)
    if here - known:
        days = {_day_of(part) for part in parts}
        elsewhere = {line for line in known if line.partition(" ")[0] not in days}
        _remember(lab, [head, *sorted(here | elsewhere)])
    return bad


def _ailment(
    part: Path,
    schema: LogSchema,
    sums: Sums,
    look: Callable[[Path, Any], str | None],
) -> str | None:
    looked = partial(objection_of, part, lambda: look(part, sums))
    if sums:  # then nothing is parsed that is not as it was written
        return looked() or damage(part, schema)
    return damage(part, schema) or looked()


def _look(part: Path, sums: Sums) -> str | None:
    if not sums:
        return decode(part)
    return None if checksum(part) in sums else _UNLIKE


@lru_cache(_MOST_REMEMBERED)
def _seen(stamp: tuple[int, ...], part: Path, sums: frozenset[int]) -> str | None:
    """Once a process, for readers that may not write `state/`; not where it fails."""
    return _look(part, sums)


def _sums(lab: LabFolder, folder: Path) -> dict[str, set[int]]:
    day = folder_date(folder)
    return {} if day is None or folder != lab.day(day) else checksums(lab, day)


def _day_of(part: Path) -> str:
    """What a line of `state/verified` begins with."""
    return ascii(part.parent.name).replace(" ", "_")


def _remembered(lab: LabFolder, head: str) -> set[str]:
    """The lines of this version; none of another."""
    try:
        data = read_regular(_file(lab), follow=False)
    except OSError:
        return set()
    first, *lines = data.decode("ascii", "replace").splitlines() or [""]
    return set(lines) if first == head else set()


def _remember(lab: LabFolder, lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    with contextlib.suppress(OSError):  # it is not ours to write
        write_whole(_file(lab), text.encode("ascii"), durable=False)


def _file(lab: LabFolder) -> Path:
    return lab.state / "verified"
