"""Rows that a day has twice: found, and taken out."""

from pathlib import Path

import polars as pl

from lectr_lab.log.folder import LabFolder
from lectr_lab.log.seal import put_part


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
    said = pl.read_parquet_metadata(part)
    said.pop("ARROW:schema", None)
    put_part(lab, part, rows, said)
