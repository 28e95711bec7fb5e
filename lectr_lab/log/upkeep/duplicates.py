"""Rows that a day has twice: found, taken out, and not added where they are there."""

import hashlib
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import polars as pl

from lectr_lab.core.errors import LogError
from lectr_lab.core.ids import event_id
from lectr_lab.files import strange
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.seal import put_part

_ATTEMPTS = 5


def doubles(parts: list[Path]) -> dict[Path, int]:
    """How many rows of each part an earlier part, or an earlier row, has too.

    Args:
        parts: of one day, in the order in which they count; all can be read.

    Returns:
        Only the parts that have such rows.
    """
    ids = pl.concat(
        pl.read_parquet(part, columns=["event_id"], hive_partitioning=False).select(
            "event_id", part=pl.lit(number)
        )
        for number, part in enumerate(parts)
    )
    again = ids.filter(~pl.col("event_id").is_first_distinct())
    counts = again.group_by("part").len().sort("part")
    return {parts[number]: count for number, count in counts.iter_rows()}


def without_doubles(lab: LabFolder, part: Path) -> None:
    """The part again, without rows that are there already. Readers see either."""
    before = [p for p in sorted(part.parent.glob("*.parquet")) if p < part]
    seen = [pl.read_parquet(p, columns=["event_id"])["event_id"] for p in before]
    rows = pl.read_parquet(part, hive_partitioning=False).unique(
        "event_id", keep="first", maintain_order=True
    )
    if seen:
        rows = rows.filter(~pl.col("event_id").is_in(pl.concat(seen).implode()))
    metadata = pl.read_parquet_metadata(part)
    metadata.pop("ARROW:schema", None)
    put_part(lab, part, rows, metadata)


def add_new(lab: LabFolder, day: date, rows: pl.DataFrame) -> int:
    """Write what the day does not have yet as a part of its own; how many that were."""
    new = not_there(lab, day, rows)
    if new.height:
        # Named for its rows: two who add them at once write the same part.
        names = hashlib.sha256(b"".join(new["event_id"])).hexdigest()
        name = event_id(_ms(new), int(names[:20], 16)).hex()
        put_part(lab, lab.day(day) / f"{name}.parquet", new)
    return new.height


def not_there(lab: LabFolder, day: date, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that no part of the day has."""
    return rows.filter(~pl.col("event_id").is_in(_known_ids(lab, day).implode()))


def _ms(rows: pl.DataFrame) -> int:
    return int(rows["started_at"].dt.timestamp("ms").to_list()[0])


def _known_ids(lab: LabFolder, day: date) -> pl.Series:
    for _ in range(_ATTEMPTS):
        try:
            return _ids(sorted(lab.day(day).glob("*.parquet")))
        except FileNotFoundError:
            continue  # compacted meanwhile
    raise LogError(f"{lab.day(day)} is changing faster than it can be read. Try again.")


def _ids(parts: Iterable[Path]) -> pl.Series:
    ids = [pl.Series("event_id", [], pl.Binary)]
    for part in parts:
        if strange(part.lstat().st_mode):
            continue  # as is what is no file
        try:
            rows = pl.read_parquet(part, columns=["event_id"], hive_partitioning=False)
            ids.append(rows["event_id"])
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            continue  # a bad part is the doctor's
    return pl.concat(ids)
