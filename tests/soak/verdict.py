"""The laws, once all is over: what the log says against the book."""

import contextlib
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from statistics import median
from typing import NamedTuple

import polars as pl

from lectr_lab.log.folder import LabFolder
from lectr_lab.log.losses import losses
from lectr_lab.log.scan import LogWarning, scan
from lectr_lab.log.seal import seal
from lectr_lab.log.upkeep.compact import compact
from lectr_lab.log.upkeep.doctor import examine
from soak.ledger import Found, Ledger, Life, Row
from soak.replies import MARK, feature
from soak.table import Figure, at_most, equal, none

_LAST_DAY = date(9000, 1, 1)  # clocks ahead of us too have closed days then
_SETTLES_WITHIN_S = 120.0
_PARQUET = b"PAR1"  # at both ends of a whole file
# What `doctor` finds after kills, and of this machine: nothing of it costs a row.
_OF_KILLS = {"set aside", "losses", "leftover", "compaction", "disk"}


class Sums(NamedTuple):
    """A log in few numbers."""

    rows: int
    ids: int
    input_tokens: int
    output_tokens: int
    statuses: tuple[tuple[int, int], ...]


def laws_of_rows(ledger: Ledger, lab: LabFolder, kills: int) -> list[Figure]:
    """One lab, three times: as it was left, sealed, and compacted."""
    name = lab.root.name
    found = {"as it was left": ledger.compare(name, rows_of(lab))}
    settle(lab)
    found["sealed"] = ledger.compare(name, rows_of(lab))
    sums = [_sums_agree(lab, "sealed")]
    problems = _compacted(lab)
    found["compacted"] = ledger.compare(name, rows_of(lab))
    sums.append(_sums_agree(lab, "compacted"))
    return [
        *_laws_of_book(found, ledger.durable_s),
        *sums,
        none("problems of compaction", problems),
        at_most("batches that kills tore", losses(lab).unread.batches, kills),
        none("findings of `doctor`, but for torn batches", _findings(lab)),
    ]


def _laws_of_book(found: dict[str, Found], durable_s: float) -> list[Figure]:
    """Those that hold at all times; examples say at which one did not."""

    def broken(names: Callable[[Found], list[str]]) -> list[str]:
        return [f"{n} ({when})" for when, one in found.items() for n in names(one)]

    first = next(iter(found.values()))
    lost = "acknowledged rows lost, over {:g} s before a kill"
    return [
        none(lost.format(durable_s), broken(lambda f: f.lost), f"of {first.due:,}"),
        Figure("lost within that time (allowed)", f"{first.lost_late:,}"),
        none("doubles", broken(lambda f: f.doubled)),
        none("rows never asked for", broken(lambda f: f.unasked)),
        none("rows of other tokens, status or outcome", broken(lambda f: f.wrong)),
        Figure(
            "rows that say that there was no time for their tokens",
            f"{first.truncated:,}",
        ),
    ]


def laws_of_full_disk(ledger: Ledger, lab: LabFolder, how: str) -> list[Figure]:
    """What a full disk cost is said, to the event."""
    settle(lab)
    rows = list(rows_of(lab))
    found, said = ledger.compare(lab.root.name, rows), losses(lab).dropped
    there = {row.feature for row in rows}
    absent = sum(feature(one.n) not in there for one in ledger.of(lab.root.name))
    lies = [*found.doubled, *found.unasked, *found.wrong]
    what = f"full disk, {how}: "
    return [
        at_most(f"{what}due and not there, against said", len(found.lost), said),
        at_most(f"{what}said to be dropped, against not there", said, absent),
        none(
            f"{what}doubles, rows never asked for or wrong", lies, f"of {len(rows):,}"
        ),
        _sums_agree(lab, "full disk"),
    ]


def laws_of_lives(lives: Sequence[Life], steady: Life) -> list[Figure]:
    """Memory and open files of the proxy that lived all the while; faults of all."""
    third = max(len(steady.samples) // 3, 1)
    first, last = steady.samples[:third], steady.samples[-third:]
    errors = [f"{x.name}: {x.internal_errors}" for x in lives if x.internal_errors]
    figures = [none("internal errors in /health", errors, f"of {len(lives)} lives")]
    for at, what, unit, more in ((0, "memory", "MiB", 100), (1, "open files", "", 300)):
        if not steady.samples:
            continue
        before, after = (
            median(sample[at] for sample in some) for some in (first, last)
        )
        figure = at_most(
            f"{what}, last third against {before:.4g} in the first",
            after,
            before * 1.5 + more,
            unit,
        )
        figures.append(figure)
    return figures


def laws_of_secrets(folder: Path, keys: Sequence[str]) -> list[Figure]:
    """No prompt, answer or key in any file of the labs, nor in what proxies printed."""
    secrets = [MARK, *keys]
    files = [path for path in folder.rglob("*") if path.is_file()]
    found = [str(path) for path in files if any(_holds(path, s) for s in secrets)]
    return [none("files with a secret, Parquet read", found, f"of {len(files):,}")]


def _holds(path: Path, secret: str) -> bool:
    data = path.read_bytes()
    if secret in path.name or secret.encode() in data:
        return True
    if not (data.startswith(_PARQUET) and data.endswith(_PARQUET)):
        return False
    texts = pl.scan_parquet(path, hive_partitioning=False).select(
        pl.col(pl.String).str.contains(secret, literal=True).any()
    )
    return any(texts.collect().row(0))


def rows_of(lab: LabFolder) -> Iterator[Row]:
    """What `scan` shows."""
    with _torn_is_said():
        rows = scan(lab.root).select(*Row._fields).collect()
    yield from map(Row._make, rows.iter_rows())


def settle(lab: LabFolder) -> None:
    """Every segment sealed, also those that orphaned sealers are at work on."""
    ends_s = time.monotonic() + _SETTLES_WITHIN_S
    while lab.segments() and time.monotonic() < ends_s:
        seal(lab)
        time.sleep(0.05)


def _compacted(lab: LabFolder) -> tuple[str, ...]:
    """Problems of it, once no orphan of a killed proxy is at work on the lab."""
    ends_s = time.monotonic() + _SETTLES_WITHIN_S
    while True:
        with _torn_is_said():
            problems = compact(lab, today=_LAST_DAY).problems
        busy = any("by another process" in problem for problem in problems)
        if not busy or time.monotonic() > ends_s:
            return problems
        time.sleep(0.2)


def _sums_agree(lab: LabFolder, when: str) -> Figure:
    ways: dict[str, object] = {}
    with _torn_is_said():
        ways["scan"] = _sums(scan(lab.root))
    paths = sorted(lab.log.rglob("*.parquet"))
    ways["parts"] = _added(_sums(pl.scan_parquet(p)) for p in paths)
    with contextlib.suppress(ImportError):
        ways["DuckDB"] = _in_duckdb(lab)
    return equal(f"rows, ids, tokens and statuses ({when})", ways)


def _sums(log: pl.LazyFrame) -> Sums:
    rows = log.select(
        "event_id", "input_tokens", "output_tokens", pl.col("status").fill_null(0)
    ).collect()
    statuses = rows.group_by("status").len().sort("status").rows()
    return Sums(
        rows.height,
        rows["event_id"].n_unique(),
        rows["input_tokens"].sum(),
        rows["output_tokens"].sum(),
        tuple(statuses),
    )


def _added(several: Iterator[Sums]) -> Sums:
    """Of parts, no two of which have a row."""
    all_of_it, statuses = [0, 0, 0, 0], dict[int, int]()
    for sums in several:
        all_of_it = [a + b for a, b in zip(all_of_it, sums[:4], strict=True)]
        for status, count in sums.statuses:
            statuses[status] = statuses.get(status, 0) + count
    return Sums(*all_of_it, tuple(sorted(statuses.items())))


def _in_duckdb(lab: LabFolder) -> Sums:
    import duckdb

    log = f"read_parquet('{lab.log}/*/*.parquet', hive_partitioning = false)"
    whole = duckdb.sql(
        "select count(*), count(distinct event_id), coalesce(sum(input_tokens), 0)::bigint,"
        f" coalesce(sum(output_tokens), 0)::bigint from {log}"
    ).fetchall()[0]
    statuses = duckdb.sql(
        f"select coalesce(status, 0) s, count(*) from {log} group by s order by s"
    ).fetchall()
    return Sums(*whole, tuple(statuses))


def _findings(lab: LabFolder) -> list[str]:
    found = [one for one in examine(lab) if one.kind not in _OF_KILLS]
    return [f"{one.kind}: {one.path.name}: {one.what}" for one in found]


@contextlib.contextmanager
def _torn_is_said() -> Iterator[None]:
    """A batch that a kill fell into is said, and counted elsewhere; any other warning
    is an error here."""
    with warnings.catch_warnings():
        torn = r".*(batch|bytes).* could not be read"
        warnings.simplefilter("error", LogWarning)
        warnings.filterwarnings("ignore", torn, LogWarning)
        yield
