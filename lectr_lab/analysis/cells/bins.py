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
from lectr_lab.analysis.views.percentiles import DURATIONS, binned_figures, duration

NAMES = ("org", "feature", "task", "provider", "model")
"""What bins can be grouped by, beside the day; `model` is the one that views show."""

KEYS = ("at", *NAMES, "duration", "bin")
"""What is counted by. `duration` is the place in `DURATIONS`; `at` the start of the hour
for the first of them, and of the day for all others."""

_SPAN = 200_000  # more than there are bins


def bins(log: pl.DataFrame) -> pl.DataFrame:
    """A part of a log in bins.

    Args:
        log: events as they are stored, one a row.

    Returns:
        `KEYS` and `rows`: of clients' own calls that ended well, how many lie in each
        bin. Those that a fetch may still change are in none, and stay rows
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
    model = rows.model().alias("model")
    names = [pl.col(name) for name in NAMES if name != "model"]
    at = pl.col("started_at").dt.truncate("1h").alias("at")
    values = (binned.bin_of(duration(name)).alias(name) for name in DURATIONS)
    found = log.lazy().filter(rows.succeeded()).select(at, *names, model, *values)
    some = found.collect()
    kinds = some.select("at", *NAMES).unique(maintain_order=True).with_row_index("kind")
    # By one number, sorted: a group-by of so many names takes four times as long.
    kind = some.join(
        kinds, on=["at", *NAMES], how="left", nulls_equal=True, maintain_order="left"
    )["kind"].cast(pl.Int64)
    counted = [_counted(kind, some[name], n) for n, name in enumerate(DURATIONS)]
    whole = pl.concat(counted).join(kinds.cast({"kind": pl.Int64}), on="kind")
    by_day = pl.col("at").dt.truncate("1d")
    first = pl.col("duration") == 0
    return added(
        whole.lazy().with_columns(at=pl.when(first).then("at").otherwise(by_day))
    ).collect()


def _counted(kind: pl.Series, bin_: pl.Series, duration: int) -> pl.DataFrame:
    cells = (kind * _SPAN + (bin_ - binned.ZERO)).drop_nulls().sort().rle().struct
    cell = cells.field("value")
    return pl.DataFrame(
        {
            "kind": cell // _SPAN,
            "duration": pl.repeat(duration, cell.len(), dtype=pl.Int8, eager=True),
            "bin": (cell % _SPAN + binned.ZERO).cast(pl.Int32),
            "rows": cells.field("len").cast(pl.Int64),
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
