"""Set-aside rows enter the log: each call once, and in the place of its older row.

once       of rows that the source gives one id, or the provider one id of the reply,
           one counts: the one with the most output, of equals the earliest. Streams
           are noted in pieces, and histories are copied with new times.
known      a row that the log has, and that says the same, stays
replaced   one that says something else goes as the new one comes, in one step; one that
           was shipped to an object store stays
passed     what a proxy wrote down itself is not there again: its row counts
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import polars as pl

from lectr_lab.core.errors import LogError
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.importers.staging import (
    PROVIDER_IDS,
    Staging,
    fingerprint,
    key,
    provider_ids,
)
from lectr_lab.log.parts import current_schema, damage, part_rows
from lectr_lab.log.scan import scan
from lectr_lab.log.shipped import taken
from lectr_lab.log.upkeep.compact import linger, only_one
from lectr_lab.log.upkeep.replace import replace_rows

ONE_CALL = "rows of a call that another row is of, by the ids of source or provider"
THERE = (
    "calls that are in the log from the proxy or another source, by the provider's id of "
    "the reply or request"
)
_PATIENCE_S = 60.0
_STORED = pl.Schema(
    {
        "key": pl.Binary(),
        "event_id": pl.Binary(),
        "old_output": pl.Int64(),
        "old_fingerprint": pl.UInt64(),
        "day": pl.Date(),
        "part": pl.String(),
        "shipped": pl.Boolean(),
    }
)


class Plan(NamedTuple):
    """What becomes of rows: those to write, the older ones to go, and counts."""

    write: pl.DataFrame
    gone: pl.DataFrame
    added: int
    known: int
    repeated: int
    there: int

    @property
    def replaced(self) -> int:
        """Rows that come in the place of older ones."""
        return self.write.height - self.added


def plan_of(lab: LabFolder, staged: Staging, *, history: bool) -> Plan:
    """What to do with the rows that were set aside. Nothing is written.

    Args:
        lab: where they are to go; it may not be there yet.
        staged: the rows.
        history: they are from transcripts, where a call's row is copied and shortened:
            the log's own stays unless the new one has more output.
    """
    keys = staged.keys()
    once = _once(keys)
    kept = once.join(_there(lab, once), on=["file", "row"], how="anti")
    stored = _stored(lab, kept)
    found = pl.concat(
        [
            kept.join(stored, on="key"),
            kept.join(stored, left_on="alias", right_on="key").select(
                *kept.columns, *(c for c in stored.columns if c != "key")
            ),
        ]
    ).unique(["file", "row", "event_id"], maintain_order=True)
    same = pl.col("fingerprint") == pl.col("old_fingerprint")
    if history:
        same |= (pl.col("old_output") >= pl.col("output")).fill_null(False)
    # A store's rows are written once: another of the same call would be one more there.
    known = found.filter(same | pl.col("shipped"))
    changed = found.join(known, on=["file", "row"], how="anti")
    write = kept.join(known, on=["file", "row"], how="anti")
    added = write.join(changed, on=["file", "row"], how="anti").height
    repeated, there = keys.height - once.height, once.height - kept.height
    gone = changed.select("event_id", "day", "part").unique()
    return Plan(write, gone, added, kept.height - write.height, repeated, there)


def commit(
    lab: LabFolder,
    staged: Staging,
    *,
    history: bool,
    on_rows: Callable[[int, int], None] = lambda done, total: None,
) -> Plan:
    """Put the rows into the log, day by day; what is known stays as it is.

    A day changes in one step. Dying between two days leaves the rest to the next import
    of the same file, which finds what is there.

    Raises:
        LogError: another process has been rewriting the log for a minute.
        OSError: a day could not be written; it is as it was.
    """
    with _alone(lab):
        plan = plan_of(lab, staged, history=history)
        days = plan.write.with_columns(day=pl.col("started_at").dt.date())
        left_behind, done = [], 0
        for day in _days(days, plan.gone):
            new = days.filter(day=day)
            gone = plan.gone.filter(day=day)
            parts = [Path(part) for part in gone["part"].unique().sort()]
            rows = staged.rows(new) if new.height else iter(())
            old = replace_rows(lab, day, rows, gone["event_id"].to_list(), parts)
            left_behind += [old] if old else []
            done += new.height
            on_rows(done, plan.write.height)
        linger(left_behind)
    return plan


def _days(write: pl.DataFrame, gone: pl.DataFrame) -> list[date]:
    """Those that something leaves first: a row that moves to another day is then never
    in both."""
    leaving = set(gone["day"].to_list())
    others = set(write["day"].to_list()) - leaving
    return sorted(leaving) + sorted(others)


def _once(keys: pl.DataFrame) -> pl.DataFrame:
    best = keys.sort(
        ["output", "started_at", "file", "row"],
        descending=[True, False, False, False],
        nulls_last=True,
    ).unique("key", keep="first", maintain_order=True)
    for name in PROVIDER_IDS:
        named = pl.col(name).is_not_null()
        once = best.filter(named).unique(name, keep="first", maintain_order=True)
        best = pl.concat([once, best.filter(~named)])
    return best.sort("file", "row")


def _there(lab: LabFolder, rows: pl.DataFrame) -> pl.DataFrame:
    """Those that the log has of a proxy, or of another source, by a provider's id."""
    place = rows.select("file", "row").clear()
    named = [name for name in PROVIDER_IDS if rows[name].null_count() < rows.height]
    if not named or not lab.root.is_dir():
        return place
    log = scan(lab.root).select(key().alias("other"), *provider_ids())
    for name in named:
        asked = rows.filter(pl.col(name).is_not_null())
        found = log.join(asked.lazy(), on=name).filter(
            pl.col("other") != pl.col("key"),
            pl.col("other").ne_missing(pl.col("alias")),
        )
        place = pl.concat([place, found.select("file", "row").unique().collect()])
    return place


def _stored(lab: LabFolder, rows: pl.DataFrame) -> pl.DataFrame:
    """The log's rows that are of these, by the source's id."""
    asked = pl.concat([rows["key"], rows["alias"].drop_nulls()]).unique()
    found = [pl.DataFrame(schema=_STORED)]
    for day in lab.days() if asked.len() else []:
        sent = taken(lab, day)
        for part in sorted(lab.day(day).glob("*.parquet")):
            with contextlib.suppress(FileNotFoundError):
                found += _stored_in(part, day, asked, part.name in sent)
    return pl.concat(found)


def _stored_in(
    part: Path, day: date, asked: pl.Series, shipped: bool
) -> list[pl.DataFrame]:
    try:
        ids = pl.read_parquet(part, columns=["event_id"], hive_partitioning=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return []  # a bad part is the doctor's
    mine = ids.filter(key().is_in(asked.implode()))["event_id"]
    if not mine.len() or damage(part, current_schema()):
        return []
    rows = part_rows(part, current_schema())
    old = rows.filter(pl.col("event_id").is_in(mine.implode())).select(
        key(),
        "event_id",
        pl.col("output_tokens").alias("old_output"),
        fingerprint().alias("old_fingerprint"),
        pl.lit(day).alias("day"),
        pl.lit(str(part)).alias("part"),
        pl.lit(shipped).alias("shipped"),
    )
    return [old.collect()]


@contextlib.contextmanager
def _alone(lab: LabFolder) -> Iterator[None]:
    """Nobody else rewrites the lab's parts; waits for a compaction to end."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        with only_one(lab) as mine:
            if mine:
                yield
                return
        if time.monotonic() > until:
            raise LogError(
                f"{lab.root} is being rewritten by another process. Import again when "
                "that is done."
            )
        time.sleep(0.1)
