"""What of a lab waits to be put into the store: written down whole before it is sent.

    state/shipping/<day>.<batch>-<piece>.parquet    an object as it will be put

A batch is some parts of a day that no batch has yet. Its objects are written first; then
one line says that its parts are taken (`log/shipped.py`), and from there on they count;
then they are put, and removed here. Dying before the line leaves objects that count
nowhere and are removed; after it, objects that are put again under the same names, which
the store has or has not. What becomes of the parts meanwhile (merged, replaced, deleted
with their day) does not matter: their rows are in the objects.

A batch is named after its parts, so that the same parts never come under two names.
"""

import contextlib
import hashlib
import re
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import polars as pl

from lectr_lab.files import write_whole
from lectr_lab.log.checksums import checksums
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.parts import current_schema, part_rows
from lectr_lab.log.shipped import note_taken, shipping_folder, taken
from lectr_lab.log.upkeep.compact import only_one
from lectr_lab.log.verify import ailment
from lectr_lab.shipping.files import packed
from lectr_lab.shipping.protocol import MOST_BYTES

_FILE = re.compile(r"(\d{4}-\d\d-\d\d)\.(([0-9a-f]{32})-\d{4})\.parquet")
MOST_STAGED_ROWS = 500_000
_MOST_ROWS = 100_000
_PATIENCE_S = 10.0
_STEP_S = 0.1


New = Callable[[date, pl.DataFrame], pl.DataFrame]


class Waiting(NamedTuple):
    """An object that waits to be put."""

    file: Path
    day: date
    path: str


class Staged(NamedTuple):
    """What was written down, and whether there is more. `problems` are sentences, each
    naming its file."""

    rows: int = 0
    objects: int = 0
    problems: tuple[str, ...] = ()
    more: bool = False


class Part(NamedTuple):
    """A part that no batch has, and its rows."""

    path: Path
    rows: int


def pending(lab: LabFolder) -> dict[date, list[Part]]:
    """The parts that no batch has yet, by day, in the order of their names.

    Parts that cannot be read are not among them.
    """
    found = {}
    for day in lab.days():
        known = taken(lab, day)
        new = [p for p in sorted(lab.day(day).glob("*.parquet")) if p.name not in known]
        if parts := [Part(p, n) for p in new if (n := _rows(p)) is not None]:
            found[day] = parts
    return found


def stage(lab: LabFolder, new: New | None = None) -> Staged:
    """Write down rows that are in no batch yet, as objects to be put.

    Nobody rewrites the lab's parts meanwhile; where somebody does, it waits for a few
    seconds, and leaves the rest to the next time.

    Args:
        lab: a lab with a destination.
        new: leaves of a day's rows those that are to be shipped; None: all of them.

    Returns:
        What was written: about MOST_STAGED_ROWS at a time, so that a long log that is
        shipped for the first time neither lies here twice nor is held up for long.

    Raises:
        OSError: the state cannot be written. What is staged stays.
    """
    until = time.monotonic() + _PATIENCE_S
    while True:
        with only_one(lab) as mine:
            if mine:
                _remove_uncommitted(lab)
                return _stage_some(lab, new)
        if time.monotonic() > until:
            return Staged()
        time.sleep(_STEP_S)


def _stage_some(lab: LabFolder, new: New | None) -> Staged:
    some: list[Staged] = []
    for day, parts in pending(lab).items():
        for batch in _batches(parts):
            if sum(one.rows for one in some) >= MOST_STAGED_ROWS:
                return _together(some)._replace(more=True)
            some.append(_stage_batch(lab, day, batch, new))
    return _together(some)


def waiting(lab: LabFolder) -> Iterator[Waiting]:
    """The objects that are to be put, the oldest day first."""
    for file in sorted(shipping_folder(lab).glob("*.parquet")):
        named = _FILE.fullmatch(file.name)
        if named and _counts(lab, named):
            day, name, _ = named.groups()
            yield Waiting(
                file, date.fromisoformat(day), f"fresh/date={day}/{name}.parquet"
            )


def _rows(part: Path) -> int | None:
    try:
        return int(
            pl.scan_parquet(part, hive_partitioning=False)
            .select(pl.len())
            .collect()
            .item()
        )
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None  # it is the doctor's, or was merged since it was listed


def _batches(parts: list[Part]) -> Iterator[list[Part]]:
    batch: list[Part] = []
    for part in parts:
        batch.append(part)
        if sum(one.rows for one in batch) >= _MOST_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _stage_batch(
    lab: LabFolder, day: date, batch: list[Part], new: New | None
) -> Staged:
    schema, sums, bad = current_schema(), checksums(lab, day), {}
    for part in batch:
        reason = ailment(part.path, schema, sums.get(part.path.name, ()))
        if reason:
            bad[part.path] = reason
    well = [part.path for part in batch if part.path not in bad]
    problems = tuple(f"{path} is not shipped: {why}." for path, why in bad.items())
    if not well:
        return Staged(problems=problems)
    names = sorted(path.name for path in well)
    try:
        rows = pl.concat(part_rows(path, schema) for path in well).collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        if len(batch) > 1:  # one of them shall not hold up the others
            return _together([_stage_batch(lab, day, [one], new) for one in batch])
        reason = str(error).partition("\n")[0]
        return Staged(problems=(f"{batch[0].path} is not shipped: {reason}.",))
    rows = rows if new is None else new(day, rows)
    name = hashlib.blake2b("\n".join(names).encode(), digest_size=16).hexdigest()
    pieces = list(_pieces(rows)) if rows.height else []
    for number, data in enumerate(pieces):
        write_whole(_file(lab, day, name, number), data)
    note_taken(lab, day, names, name)
    return Staged(rows.height, len(pieces), problems)


def _pieces(rows: pl.DataFrame) -> Iterator[bytes]:
    """Objects of MOST_BYTES at most."""
    data = packed(rows)
    if len(data) <= MOST_BYTES or rows.height == 1:
        yield data
        return
    half = rows.height // 2
    yield from _pieces(rows[:half])
    yield from _pieces(rows[half:])


def _file(lab: LabFolder, day: date, name: str, number: int) -> Path:
    return shipping_folder(lab) / f"{day.isoformat()}.{name}-{number:04}.parquet"


def _remove_uncommitted(lab: LabFolder) -> None:
    """What a run that died was writing: its parts are in no batch."""
    folder = shipping_folder(lab)
    for file in [*folder.glob("*.parquet"), *folder.glob(".*.tmp")]:
        named = _FILE.fullmatch(file.name)
        if named is None or not _counts(lab, named):
            with contextlib.suppress(OSError):
                file.unlink()


def _counts(lab: LabFolder, named: re.Match[str]) -> bool:
    return named[3] in taken(lab, date.fromisoformat(named[1])).values()


def _together(staged: list[Staged]) -> Staged:
    return Staged(
        sum(one.rows for one in staged),
        sum(one.objects for one in staged),
        tuple(problem for one in staged for problem in one.problems),
    )
