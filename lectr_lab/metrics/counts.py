"""Rows of the log, counted: whole numbers by name, which add up in any order.

Times are in whole microseconds and money in whole 1e-12 USD, so that what is counted
from a file and from its parts is the same to the last digit.
"""

from collections import Counter
from typing import Any, NamedTuple, TypeAlias

import polars as pl

from lectr_lab.analysis.views import rows
from lectr_lab.metrics.labels import LABELS, LabelSet, Names

# The buckets that the GenAI semantic conventions advise, v1.43
# (https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/, checked 2026-11-30).
SECONDS = tuple(round(0.01 * 2**n, 2) for n in range(14))
TOKENS = tuple(4**n for n in range(14))

TOKEN_TYPES = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_tokens",
    "reasoning": "reasoning_tokens",
}
_NEEDED = (
    *(
        "org",
        "feature",
        "provider",
        "operation",
        "outcome",
        "error_type",
        "kind",
        "path",
    ),
    *("model_actual", "model_sent", "model_requested", "total_ms", "ttft_ms"),
    *TOKEN_TYPES.values(),
    *rows.BILLED,
)
_BIN, _N, _SUM = "_bin", "_n", "_sum"


class Key(NamedTuple):
    """What a number counts: `more` is a type of token, an outcome, or a bucket."""

    what: str
    labels: LabelSet
    more: str | int = ""


Counts: TypeAlias = Counter[Key]


class Histogram(NamedTuple):
    """A distribution of one column."""

    what: str
    column: str
    scale: int  # of the whole numbers that are summed
    bounds: tuple[float, ...]  # upper, in the column's unit times `unit`
    unit: float  # from the column's unit to that of the bounds


HISTOGRAMS = (
    Histogram("duration", "total_ms", 1000, SECONDS, 0.001),
    Histogram("first_chunk", "ttft_ms", 1000, SECONDS, 0.001),
    Histogram("token_usage.input", "input_tokens", 1, TOKENS, 1.0),
    Histogram("token_usage.output", "output_tokens", 1, TOKENS, 1.0),
)


def needed(log: pl.LazyFrame) -> pl.LazyFrame:
    """The columns that are counted, with `cost_usd` where the log has it."""
    has = log.collect_schema()
    return log.select(*_NEEDED, *(["cost_usd"] if "cost_usd" in has else []))


def count(frame: pl.DataFrame, sets: Names, error_types: Names) -> Counts:
    """Count some rows.

    Args:
        frame: as `needed` gives it.
        sets: the label sets that have series of their own.
        error_types: the same for the classes of errors.

    Returns:
        `requests` by outcome, `errors` by class, `tokens` by type, `pusd` and `unpriced`
        where costs are known, and each histogram: `<name>` by bucket, `<name>.sum`.
        Every row is a request, shadows included. A failure is no duration, as in the
        package's other figures.
    """
    counts: Counts = Counter()
    if not frame.height:
        return counts
    named = frame.with_columns(model=rows.model(), feature=rows.feature())
    by_set = named.group_by(LABELS).agg(pl.len().alias(_N), *_sums(named.columns))
    placed = {}
    for row in by_set.sort(_N, *LABELS, descending=[True] + [False] * len(LABELS)).rows(
        named=True
    ):
        own = tuple(row[name] for name in LABELS)
        labels = placed[own] = sets.placed(own)
        for name, number in row.items():
            if name not in LABELS and name != _N and number:
                what, _, more = name.partition(" ")
                counts[Key(what, labels, more)] += int(number)
    _add(counts, "requests", named, "outcome", placed)
    failed = named.filter(~pl.col("outcome").is_in(["ok", "client_disconnect"]))
    for own, kind, n in _grouped(failed, "error_type"):
        error = error_types.placed((kind or "unknown",))[0]
        counts[Key("errors", placed[own], error)] += n
    well = named.filter(pl.col("outcome") == "ok")
    for histogram in HISTOGRAMS:
        _add_histogram(counts, histogram, well, placed)
    return counts


def _sums(has: list[str]) -> list[pl.Expr]:
    sums = [
        pl.col(column).sum().alias(f"tokens {kind}")
        for kind, column in TOKEN_TYPES.items()
    ]
    if "cost_usd" in has:
        pusd = (pl.col("cost_usd") * 1e12).round().cast(pl.Int128, strict=False).sum()
        sums += [pusd.alias("pusd"), rows.unpriced().sum().alias("unpriced")]
    return sums


def _grouped(frame: pl.DataFrame, by: str) -> list[tuple[Any, Any, int]]:
    found = frame.group_by(*LABELS, by).len().rows()
    return [(row[: len(LABELS)], row[-2], row[-1]) for row in found]


def _add(
    counts: Counts, what: str, frame: pl.DataFrame, by: str, placed: dict[Any, LabelSet]
) -> None:
    for own, more, n in _grouped(frame, by):
        counts[Key(what, placed[own], more or "")] += n


def _add_histogram(
    counts: Counts,
    histogram: Histogram,
    frame: pl.DataFrame,
    placed: dict[Any, LabelSet],
) -> None:
    what, column, scale, bounds, unit = histogram
    value = pl.col(column)
    some = frame.filter(value.is_not_null())
    # The first bucket whose bound is not below the value: `le` is "less or equal".
    places = pl.Series(bounds, dtype=pl.Float64).search_sorted(
        some[column].cast(pl.Float64) * unit, side="left"
    )
    some = some.with_columns(places.alias(_BIN))
    whole = (value * scale).round().cast(pl.Int64, strict=False).sum().alias(_SUM)
    found = some.group_by(*LABELS, _BIN).agg(pl.len().alias(_N), whole)
    for *own, bucket, n, total in found.rows():
        labels = placed[tuple(own)]
        counts[Key(what, labels, int(bucket))] += n
        counts[Key(f"{what}.sum", labels)] += int(total)
