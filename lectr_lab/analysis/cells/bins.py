"""How long a log's requests took, counted in bins, from which percentiles are told again.

The bins are those of `views/binned.py`, and percentiles of them are to the last bit what
`percentiles="binned"` gives of the rows, for bins add up exactly. Keyed by UTC day, and
for `total_ms` by the hour, they say nothing finer than that.
"""

from collections.abc import Sequence
from functools import reduce

import polars as pl

from lectr_lab.analysis.cells.facts import may_be_settled
from lectr_lab.analysis.views import binned, rows
from lectr_lab.analysis.views.percentiles import (
    DURATIONS,
    binned_figures,
    duration,
    group_number,
)

NAMES = ("org", "feature", "task", "provider", "model")
"""What bins can be grouped by, beside the day; `model` is the one that views show."""

KEYS = ("at", *NAMES, "duration", "bin")
"""What is counted by. `duration` is the place in `DURATIONS`; `at` the start of the hour
for the first of them, and of the day for all others."""

_SPAN = 200_000  # more than there are bins
_HOUR_US = 3_600_000_000


def bins(log: pl.DataFrame) -> pl.DataFrame:
    """A part of a log in bins.

    Args:
        log: events as they are stored, one a row.

    Returns:
        `KEYS` and `rows`: of clients' own calls that ended well, how many lie in each
        bin, in the order of their names. Those that a fetch may still change are in none, and stay rows
        (`facts.may_be_settled`).

    >>> from lectr_lab.log.schema import frame
    >>> bins(frame([])).columns == [*KEYS, "rows"]
    True
    """
    return row_bins(log.filter(~may_be_settled().fill_null(False)))


def row_bins(log: pl.DataFrame) -> pl.DataFrame:
    """The same of any rows, whatever may become of them.

    Args:
        log: events, as they are stored or as `scan` gives them.
    """
    names = {name: pl.col(name) for name in NAMES} | {"model": rows.model()}
    hour = pl.col("started_at").dt.timestamp("us") // _HOUR_US
    values = (binned.bin_of(duration(name)).alias(name) for name in DURATIONS)
    group = group_number(list(names.values()), 0)
    some = (
        log.lazy()
        .filter(rows.succeeded())
        .select(group, hour.alias("hour"), *values, **names)
        .collect()
    )
    of = group.meta.output_name()
    kinds = some.select(of, *NAMES).unique(of, keep="any").sort(NAMES, nulls_last=True)
    numbered = kinds.select(of).with_row_index("kind")
    kind = some.select(of).join(numbered, on=of, how="left", maintain_order="left")
    place = kind["kind"].cast(pl.Int64)
    counted = [
        _counted(place, some["hour"] // (24 if nth else 1), some[name], nth)
        for nth, name in enumerate(DURATIONS)
    ]
    whole = pl.concat(counted)
    return whole.hstack(kinds[whole["kind"]].select(NAMES)).select(*KEYS, "rows")


def _counted(
    kind: pl.Series, step: pl.Series, bin_: pl.Series, nth: int
) -> pl.DataFrame:
    """How many rows of each kind and step lie in each bin, in their order.

    By one number, sorted: a group-by of so many names takes many times as long.
    """
    first = int(step.min() or 0)  # type: ignore[arg-type]
    steps = int(step.max() or 0) - first + 1  # type: ignore[arg-type]
    cells = (kind * steps + (step - first)) * _SPAN + (bin_ - binned.ZERO)
    runs = cells.drop_nulls().sort().rle().struct
    cell = runs.field("value").cast(pl.Int64)
    place = cell // _SPAN
    step_us = _HOUR_US * (24 if nth else 1)
    return pl.DataFrame(
        {
            "at": ((place % steps + first) * step_us).cast(pl.Datetime("us", "UTC")),
            "kind": place // steps,
            "duration": pl.repeat(nth, cell.len(), dtype=pl.Int8, eager=True),
            "bin": (cell % _SPAN + binned.ZERO).cast(pl.Int32),
            "rows": runs.field("len").cast(pl.Int64),
        }
    )


def added(counted: pl.LazyFrame, *, at: pl.Expr | None = None) -> pl.LazyFrame:
    """Bins that are alike, as one each.

    Args:
        counted: bins of any parts of a log.
        at: what stands for `at`; itself, unless told.
    """
    when = pl.col("at") if at is None else at.alias("at")
    keys = [when if name == "at" else pl.col(name) for name in KEYS]
    return counted.group_by(keys).agg(pl.col("rows").sum())


def in_order(counted: pl.LazyFrame) -> pl.LazyFrame:
    """Like beside like, as bins of a part are: so files of them are a third as large."""
    return counted.sort(*NAMES, "at", "duration", "bin", nulls_last=True)


def of_total(counted: pl.LazyFrame, *, at: pl.Expr | None = None) -> pl.LazyFrame:
    """Those of `total_ms` alone, two of them as one, as a page has them.

    Args:
        counted: bins of any parts of a log.
        at: what stands for `at`; itself, unless told.

    Returns:
        `KEYS`, in the order of their names, and `rows`; `task` is null, and `bin` the
        upper of the two.
    """
    none = pl.lit(None, pl.String).alias("task")
    total = counted.filter(pl.col("duration") == 0).with_columns(upper_of_two(), none)
    return in_order(added(total, at=at))


def upper_of_two() -> pl.Expr:
    """The upper of the two bins that are one for a page."""
    return ((pl.col("bin") + 1) // 2 * 2).cast(pl.Int32).alias("bin")


def figures(
    counted: pl.LazyFrame, keys: Sequence[pl.Expr], *, intervals: bool = False
) -> pl.LazyFrame:
    """Percentiles of each group, as `latency` has them of rows in bins.

    Args:
        counted: bins.
        keys: named expressions over `NAMES` and `at`, none for one row.
        intervals: add the 95 % interval of every percentile.

    Returns:
        The keys, then each duration's percentiles and n, and the median speed, of the
        groups that have any success.
    """
    named = [key.meta.output_name() for key in keys]
    group = [pl.lit(0).alias("_all"), *keys]
    by = ["_all", *named]
    found = [
        binned_figures(
            counted.filter(pl.col("duration") == nth)
            .group_by(*group, pl.col("bin").alias(binned.BIN))
            .agg(pl.col("rows").sum().alias(binned.N)),
            by,
            name,
            intervals,
        )
        for nth, name in enumerate(DURATIONS)
    ]
    # Every success has its total time, so no group is only among the others.
    joined = reduce(
        lambda left, right: left.join(right, on=by, how="left", nulls_equal=True), found
    )
    return joined.drop("_all")
