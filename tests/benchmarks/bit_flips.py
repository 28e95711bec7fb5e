"""What one flipped bit costs a log: `python tests/benchmarks/bit_flips.py [--flips N]`.

    parts      of closed days, as sealed and as compacted: what a report reads then
    journals   while the writer lives, after its death, after sealing, and set aside
               whole, as an older version did: how many rows are hidden, and whether
               that is said; what `doctor --mend` brings back

Each flip is one bit at a place drawn from a seed, in a log that is whole but for it.
`--write` keeps the table in `data/bit_flips.md`.
"""

import argparse
import subprocess
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import NamedTuple

import polars as pl

from lectr_lab.core.event import Event
from lectr_lab.core.ids import event_id
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.losses import losses
from lectr_lab.log.scan import LogWarning, scan
from lectr_lab.log.seal import seal
from lectr_lab.log.upkeep.compact import compact
from lectr_lab.log.upkeep.doctor import examine, mend

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
TODAY = (NOON + timedelta(days=9)).date()
BATCH_ROWS, BATCHES = 20, 20
STATES = ("writer alive", "writer dead", "sealed", "set aside whole")


class JournalFlip(NamedTuple):
    """What one bit in a journal did: rows hidden, before and after `doctor --mend`."""

    state: str
    hidden: int
    said: bool
    hidden_after_mend: int


def events(count: int, day: int, random: Random) -> list[Event]:
    """Calls of one day, each unlike the others."""
    return [_event(NOON + timedelta(days=day, seconds=i), random) for i in range(count)]


def _event(at: datetime, random: Random) -> Event:
    return Event(
        event_id=event_id(int(at.timestamp() * 1000), random.getrandbits(80)),
        started_at=at,
        org="acme",
        feature=random.choice(["chat", "search", "mail"]),
        path="/v1/chat/completions",
        operation="chat",
        provider="openai",
        model_requested="gpt-4o",
        model_actual="gpt-4o-2024-08-06",
        outcome="ok",
        status=200,
        total_ms=random.lognormvariate(7, 1),
        input_tokens=random.randrange(10_000),
        output_tokens=random.randrange(1_000),
        provider_request_id=f"req_{random.randbytes(16).hex()}",
    )


def part_flips(flips: int, seed: int) -> Counter[str]:
    """What became of each flip in a part, counted by outcome."""
    random = Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        lab = LabFolder.create(Path(scratch) / "lab")
        _fill(lab, random)
        parts = sorted(lab.log.rglob("*.parquet"))
        truth = _rows(lab)
        of_part = {part: set(_ids(pl.read_parquet(part))) for part in parts}
        return Counter(
            _part_flip(lab, part, of_part[part], truth, random)
            for part in random.choices(parts, k=flips)
        )


def _fill(lab: LabFolder, random: Random) -> None:
    """Two days of five sealed parts each, and one day that is compact."""
    for day in range(3):
        for _ in range(5):
            writer = JournalWriter(lab)
            writer.append(events(100, day, random))
            writer.close()
        seal(lab)
        if not day:
            compact(lab, today=TODAY, keep_request_ids=True)


def _part_flip(
    lab: LabFolder, part: Path, ids: set[bytes], truth: pl.DataFrame, random: Random
) -> str:
    with _flipped(part, random), _heard() as said:
        try:
            rows = _rows(lab)
            counted = losses(lab).unread.files
        except BaseException as error:  # noqa: BLE001 - Rust's panics are of this kind
            return f"raised {type(error).__name__}"
    if rows.equals(truth):
        return "unchanged"
    if not rows.equals(truth.filter(~pl.col("event_id").is_in(ids))):
        return "other values"
    named = counted == 1 and any(part.name in one for one in said)
    return "left out, named and counted" if named else "left out, not said"


def journal_flips(flips: int, seed: int) -> Iterator[JournalFlip]:
    """Each flip in a journal of 20 batches of 20 rows, the states in turn."""
    random = Random(seed)
    for number in range(flips):
        with tempfile.TemporaryDirectory() as scratch:
            lab = LabFolder.create(Path(scratch) / "lab")
            yield _journal_flip(lab, STATES[number % len(STATES)], random)


def _journal_flip(lab: LabFolder, state: str, random: Random) -> JournalFlip:
    writer = JournalWriter(lab)
    for _ in range(BATCHES):
        writer.append(events(BATCH_ROWS, 0, random))
    [segment] = lab.segments()
    if state != "writer alive":
        writer.close()
    with _flipped(segment, random, for_good=True), _heard() as said:
        if state == "set aside whole":
            segment.rename(segment.with_suffix(".bad"))
        if state == "sealed":
            seal(lab)
        hidden = BATCHES * BATCH_ROWS - _rows(lab).height
        counted = losses(lab).unread.batches
        writer.close()
        mend(lab, examine(lab))
        after = BATCHES * BATCH_ROWS - _rows(lab).height
    return JournalFlip(state, hidden, bool(counted and said), after)


@contextmanager
def _flipped(path: Path, random: Random, *, for_good: bool = False) -> Iterator[None]:
    data = path.read_bytes()
    changed = bytearray(data)
    at = random.randrange(8 * len(data))
    changed[at // 8] ^= 1 << at % 8
    path.write_bytes(changed)
    yield
    if not for_good:
        path.write_bytes(data)


@contextmanager
def _heard() -> Iterator[list[str]]:
    """The warnings of the log meanwhile, as text."""
    said: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always", LogWarning)
        warnings.showwarning = lambda message, *_, **__: said.append(str(message))
        yield said


def _rows(lab: LabFolder) -> pl.DataFrame:
    return scan(lab.root).collect().sort("event_id")


def _ids(rows: pl.DataFrame) -> list[bytes]:
    return rows["event_id"].to_list()


def table(parts: Counter[str], journals: list[JournalFlip]) -> str:
    """Both experiments as Markdown."""
    lines = ["| flips in parts | |", "|---|---|"]
    lines += [f"| {outcome} | {n} of {parts.total()} |" for outcome, n in parts.items()]
    lines += [
        f"| {bad} | 0 |" for bad in ("other values", "raised") if bad not in parts
    ]
    head = "| flips in journals | | hidden: median | most | said | after mend: most |"
    lines += ["", head, "|---|---|---|---|---|---|"]
    for state in STATES:
        some = [flip for flip in journals if flip.state == state]
        hiding = [flip for flip in some if flip.hidden]
        lines.append(
            f"| {state} | {len(some)} | {median(f.hidden for f in some):.0f} rows "
            f"| {max(f.hidden for f in some)} "
            f"| {sum(f.said for f in hiding)} of {len(hiding)} "
            f"| {max(f.hidden_after_mend for f in some)} |"
        )
    return "\n".join(lines)


def document(figures: str, flips: int, seed: int, run: Callable[..., str]) -> str:
    """The table with where it is from."""
    commit = run("git", "rev-parse", "--short", "HEAD")
    today = datetime.now(UTC).date().isoformat()
    return f"""\
# What one flipped bit costs a log

Written by `python tests/benchmarks/bit_flips.py --flips {flips} --seed {seed} --write`
on {today}, at {commit}. A batch has {BATCH_ROWS} rows, a journal {BATCHES} batches, a part 100
rows or 500. Other values: a report that says nothing and has another figure in a row.

{figures}
"""


def _run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flips", type=int, default=300, help="in parts; in journals")
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--write", action="store_true", help="into data/bit_flips.md")
    asked = parser.parse_args()
    parts = part_flips(asked.flips, asked.seed)
    figures = table(parts, list(journal_flips(asked.flips, asked.seed)))
    print(figures)
    if asked.write:
        text = document(figures, asked.flips, asked.seed, _run)
        (ROOT / "data" / "bit_flips.md").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
