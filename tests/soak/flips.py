"""One flipped bit at a time, in copies of the journal and of closed days' parts.

Of each: does the log still show what was written and nothing else, does it say what it
does not show, and how much is that?
"""

import random
import shutil
import warnings
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

import msgspec

from lectr_lab.log.checksums import checksum_file
from lectr_lab.log.folder import LabFolder, folder_date
from lectr_lab.log.frames import frames, payload
from lectr_lab.log.scan import scan
from lectr_lab.log.seal import seal
from lectr_lab.log.segment import header
from lectr_lab.log.upkeep.doctor import examine
from soak.table import Figure, at_most, none

_MOST_FILES = 4


class View(NamedTuple):
    """What a reader is shown: rows by their ids, and what is said of the rest."""

    rows: dict[bytes, str]
    said: frozenset[str]


def journal_flips(
    copies: Sequence[Path], folder: Path, flips: int, chance: random.Random
) -> list[Figure]:
    """Flip bits in segments whose writers are dead."""
    lab = LabFolder.create(folder)
    for copy in _some(copies, chance):
        shutil.copy(copy, lab.journal)
    segments = lab.segments()
    if not segments:
        return [Figure("bit flips, journal", "no segment was there to damage")]
    most = max(size for s in segments for size in _batch_sizes(s.read_bytes()))
    counts, hidden, wrong = _damage(lab, segments, flips, chance)
    return [
        _figure("bit flips, journal", flips, counts, hidden),
        none("of these silent, of other values, or raised", wrong, f"of {flips}"),
        at_most(
            "rows hidden by one flip", max(hidden), most, "rows, the largest batch"
        ),
        _sealing_hides_nothing(lab, segments, chance),
    ]


def _sealing_hides_nothing(
    lab: LabFolder, segments: Sequence[Path], chance: random.Random
) -> Figure:
    """What of damaged segments was shown before they are sealed is shown after it, and
    what is lacking is still said."""
    for segment in segments:
        size = segment.stat().st_size
        _flip(segment, chance.randrange(len(header()) * 8, size * 8))
    before = _view(lab)
    seal(lab)
    after = _view(lab)
    changed = [row[:99] for row in {*before.rows.values()} ^ {*after.rows.values()}]
    silent = [] if after.said else ["nothing is said of the damage any more"]
    what = "rows of damaged segments changed, or not spoken of, by sealing"
    return none(what, changed + silent, f"of {len(before.rows):,}")


def part_flips(
    lab: LabFolder, folder: Path, flips: int, chance: random.Random
) -> list[Figure]:
    """Flip bits in Parquet parts of closed days."""
    today = datetime.now(UTC).date()
    closed = [p for d in lab.days() if d < today for p in lab.day(d).glob("*.parquet")]
    copied = LabFolder.create(folder)
    for part in _some(closed, chance):
        day = folder_date(part.parent)
        assert day is not None
        _copy_part(lab, copied, day, part)
    parts = sorted(copied.log.rglob("*.parquet"))
    if not parts:
        return [Figure("bit flips, parts of closed days", "no such part was there")]
    counts, hidden, wrong = _damage(copied, parts, flips, chance, doctor=True)
    return [
        _figure("bit flips, parts of closed days", flips, counts, hidden),
        none("of these silent, of other values, or raised", wrong, f"of {flips}"),
        none(
            "of these not found by `doctor`, or raised in it",
            ["-"] * counts["not found by doctor"],
        ),
    ]


def _some(files: Sequence[Path], chance: random.Random) -> list[Path]:
    return chance.sample(sorted(files), min(_MOST_FILES, len(files)))


def _copy_part(lab: LabFolder, to: LabFolder, day: date, part: Path) -> None:
    to.day(day).mkdir(mode=0o700, exist_ok=True)
    shutil.copy(part, to.day(day))
    shutil.copy(checksum_file(lab, day), checksum_file(to, day))


def _batch_sizes(data: bytes) -> list[int]:
    found = frames(data, len(header()))
    return [len(msgspec.msgpack.decode(payload(data, frame))) for frame in found.whole]


def _damage(
    lab: LabFolder,
    files: Sequence[Path],
    flips: int,
    chance: random.Random,
    *,
    doctor: bool = False,
) -> tuple[Counter[str], list[int], list[str]]:
    """What became of each flip, rows hidden by each, and what must not be."""
    damaged = LabFolder(lab.root.with_suffix(".damaged"))
    _renew(damaged, lab)
    before = _view(damaged)
    counts: Counter[str] = Counter()
    hidden, wrong = [], []
    for _ in range(flips):
        _renew(damaged, lab)
        name = chance.choice(files).relative_to(lab.root)
        path = damaged.root / name
        at = chance.randrange(path.stat().st_size * 8)
        _flip(path, at)
        what, rows = _judged(before, damaged)
        counts[what] += 1
        hidden.append(rows)
        if what not in ("unchanged", "missing and said"):
            wrong.append(f"bit {at} of {name}: {what}")
        if doctor and not _is_found(path, damaged):
            counts["not found by doctor"] += 1
    shutil.rmtree(damaged.root)
    return counts, hidden, wrong


def _renew(damaged: LabFolder, lab: LabFolder) -> None:
    """As it was: what one flip left, notes and all, is none of the next one's."""
    shutil.rmtree(damaged.root, ignore_errors=True)
    shutil.copytree(lab.root, damaged.root)


def _flip(path: Path, bit: int) -> None:
    changed = bytearray(path.read_bytes())
    changed[bit // 8] ^= 1 << bit % 8
    path.write_bytes(changed)


def _judged(before: View, lab: LabFolder) -> tuple[str, int]:
    """What a reader sees of the damage, and how many rows it hides."""
    try:
        now = _view(lab)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - polars' panics are no Exception
        return f"raised {type(error).__name__}", len(before.rows)
    hidden = len(before.rows.keys() - now.rows.keys())
    if now.rows.items() - before.rows.items():
        return "other values", hidden
    if not hidden:
        return "unchanged", 0
    said = now.said - before.said
    return ("missing and said" if said else "missing, not said"), hidden


def _is_found(path: Path, lab: LabFolder) -> bool:
    try:
        return path in {finding.path for finding in examine(lab)}
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - as above
        return False


def _view(lab: LabFolder) -> View:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rows = scan(lab.root).collect()
    said = frozenset(str(warning.message) for warning in caught)
    return View({row["event_id"]: repr(row) for row in rows.to_dicts()}, said)


def _figure(
    what: str, flips: int, counts: Counter[str], hidden: Sequence[int]
) -> Figure:
    kinds = ", ".join(f"{n} {kind}" for kind, n in counts.most_common())
    costs = [rows for rows in hidden if rows]
    middle = f"; median of {median(costs):g} rows where any" if costs else ""
    return Figure(f"{what} ({flips})", f"{kinds}{middle}")
