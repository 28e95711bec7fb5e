"""What is counted of a part of a log, or of a month of them, and how it is written.

A set is four frames of one part or month. Beside a lab they are files of their own
(`kept.py`), in an object store one object (`prefix_sets.py`).
"""

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TypeAlias

import polars as pl

from lectr_lab.analysis.cells import bins as binning
from lectr_lab.analysis.cells.facts import (
    ORDER,
    added_here,
    facts,
    may_be_settled,
    rest_schema,
    taught,
)
from lectr_lab.analysis.cells.few_features import with_few_features
from lectr_lab.analysis.pricing.eras import era

KINDS = ("sums", "bins", "rest", "taught")
OF_MONTHS = ("eras", "weekly", "weeks")
"""What months have beside: sums by the month and by its weeks, and bins by its weeks."""

ERRORS = (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What reading a file that is none of ours may raise."""

File: TypeAlias = Path | bytes
"""A Parquet file, where it lies or what is in it."""

_ID = "event_id"
_ANY_TIME = datetime(1, 1, 1, tzinfo=UTC)


class CellSet(NamedTuple):
    """What one part, or one month, says. `few`: some of its features share a name."""

    sums: pl.DataFrame
    bins: pl.DataFrame
    rest: pl.DataFrame
    taught: pl.DataFrame
    few: bool
    eras: pl.DataFrame | None = None  # of a month, as are the rest
    weekly: pl.DataFrame | None = None
    weeks: pl.DataFrame | None = None

    def files(self) -> dict[str, bytes]:
        """A Parquet file of each kind."""
        frames = {kind: getattr(self, kind) for kind in (*KINDS, *OF_MONTHS)}
        return {
            kind: _dense(kind, frame)
            for kind, frame in frames.items()
            if frame is not None
        }


class Kept(NamedTuple):
    """The files that stand for parts of a log, by what is in them; and the parts that
    none stands for."""

    sums: list[File]
    bins: list[File]
    rest: list[File]
    taught: list[File]
    left: list[Path]
    weeks: Sequence[File] = ()  # of months whose bins are told by weeks
    few: bool = False  # some of their features share a name
    more: int = 0  # months that are in one file with another


def counted(part: pl.LazyFrame) -> CellSet:
    """What a part says.

    Args:
        part: its rows, as they are stored.

    Raises:
        OSError, polars.exceptions.PolarsError, polars.exceptions.PanicException: it
            cannot be read.
    """
    log, few = with_few_features(_stored(part))
    sums, rest, told = facts(log)
    return CellSet(sums, binning.histograms(log), rest, told, few)


def _stored(part: pl.LazyFrame) -> pl.DataFrame:
    """The rows of a part. Ids, a third of its bytes, are read where one may be kept."""
    log = part.select(name for name in rest_schema() if name != _ID).collect()
    if log.select(may_be_settled().any()).item():
        return log.hstack(part.select(_ID).collect())
    return log.with_columns(pl.lit(None, pl.Binary).alias(_ID))


def rolled_up(kept: Kept, *, few: bool, steps: bool = False) -> CellSet:
    """Parts' files as one set: sums by day, bins of the month, and the rows of all.

    Args:
        kept: the files of a month's parts.
        few: in some of them features share a name.
        steps: add what months have beside: sums of the month as one and of its weeks,
            told apart only on days on which the list changes a model's price; and the
            bins of its weeks.
    """
    by_day = pl.col("started_at").dt.truncate("1d")
    sums = _summed(kept.sums, by_day)
    month = pl.col("at").dt.truncate("1mo")
    # A month's bins are read once: what its weeks have is little beside.
    step = pl.max_horizontal(month, pl.col("at").dt.truncate("1w")) if steps else month
    by_step = binning.added(scan(kept.bins), at=step)
    found = CellSet(
        sums,
        binning.added(by_step.lazy(), at=month),
        scan(kept.rest).collect(),
        taught(scan(kept.taught)).collect(),
        few,
    )
    return _with_steps(found, by_step) if steps else found


def _with_steps(month: CellSet, bins: pl.DataFrame) -> CellSet:
    at = pl.col("started_at")
    begins, week = at.dt.truncate("1mo"), at.dt.truncate("1w")
    weekly = added_here(month.sums, at=pl.max_horizontal(begins, week, era()))
    # A week that is told apart begins in the month, and at the prices, of all its days.
    eras = added_here(weekly, at=pl.max_horizontal(begins, era()))
    weeks = binning.of_total(bins.lazy())
    return month._replace(eras=eras, weekly=weekly, weeks=weeks)


def as_one_set(months: Kept, *, few: bool) -> CellSet:
    """Several months as one set, whose sums say since when their prices hold, and when no
    more than that.

    Args:
        months: the files of each, their sums those of months as one.
        few: as of `rolled_up`.
    """
    return CellSet(
        _summed(months.sums, era()),
        binning.added(scan(months.bins), at=pl.lit(_ANY_TIME)),
        scan(months.rest).collect(),
        taught(scan(months.taught)).collect(),
        few,
    )


def together(
    found: Sequence[Mapping[str, File]], left: Sequence[Path], *, few: bool = False
) -> Kept:
    """Sets as the files of each kind.

    Args:
        found: by kind.
        left: the parts that none of them stands for.
        few: features share a name in some of them.
    """
    of_kinds: list[list[File]] = [[one[kind] for one in found] for kind in KINDS]
    sums, bins, rest, told = of_kinds
    weeks = [one["weeks"] for one in found if "weeks" in one]
    return Kept(sums, bins, rest, told, list(left), weeks, few)


def scan(files: Sequence[File]) -> pl.LazyFrame:
    """The rows of files of one kind."""
    return pl.scan_parquet(list(files))  # type: ignore[arg-type]


def _summed(files: Sequence[File], at: pl.Expr) -> pl.DataFrame:
    """Their cells, one file after another: so it takes the memory of one, and the sum's."""
    each = [added_here(scan([file]).collect(), at=at) for file in files]
    return added_here(pl.concat(each))


def _dense(kind: str, frame: pl.DataFrame) -> bytes:
    # Like beside like, which halves them; sums and bins are made so.
    by = [name for name in ORDER if name in frame.columns] or frame.columns
    dense = frame.sort(by, nulls_last=True) if kind in ("rest", "taught") else frame
    data = io.BytesIO()
    dense.write_parquet(data, compression="zstd", compression_level=3, statistics=False)
    return data.getvalue()
