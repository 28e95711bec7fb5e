"""Rows of the log, counted: whole numbers by name, which add up in any order.

Times are in whole microseconds and money in whole 1e-12 USD, so that what is counted
from a file and from its parts is the same to the last digit.
"""

from collections import Counter
from typing import NamedTuple, TypeAlias

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
_N = "_n"


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
    named = named.with_columns(_bins(named))
    # One pass over the names: within a set, what is counted apart are a few kinds.
    found = named.group_by(LABELS).agg(
        pl.len().alias(_N), *_sums(named.columns), *_kinds(), *_distributions()
    )
    order = [True] + [False] * len(LABELS)
    for row in found.sort(_N, *LABELS, descending=order).iter_rows(named=True):
        labels = sets.placed([row.pop(name) for name in LABELS])
        del row[_N]
        for name, value in row.items():
            what, _, more = name.partition(" ")
            if isinstance(value, list):
                for kind, n in map(dict.values, value):
                    own = error_types.placed((kind,))[0] if what == "errors" else kind
                    counts[Key(what, labels, own)] += n
            elif value:
                counts[Key(what, labels, more)] += int(value)
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


def _kinds() -> list[pl.Expr]:
    """How often there was each: lists of a value and its count."""
    outcome = pl.col("outcome").fill_null("")
    failed = ~outcome.is_in(["ok", "client_disconnect"])
    error = pl.col("error_type").fill_null("unknown").filter(failed)
    return [
        outcome.value_counts().alias("requests"),
        error.value_counts().alias("errors"),
    ]


def _bins(frame: pl.DataFrame) -> list[pl.Series]:
    """The first bucket whose bound is not below the value: `le` is "less or equal". Null
    where the request did not end well, or nobody knows the value."""
    well = frame["outcome"].eq_missing("ok")
    return [
        pl.Series(bounds, dtype=pl.Float64)
        .search_sorted(
            frame[column].cast(pl.Float64).fill_null(0.0) * unit, side="left"
        )
        .zip_with(well & frame[column].is_not_null(), _NO_BIN)
        .alias(what)
        for what, column, _, bounds, unit in HISTOGRAMS
    ]


def _distributions() -> list[pl.Expr]:
    found = []
    for what, column, scale, _, _ in HISTOGRAMS:
        whole = (pl.col(column) * scale).round().cast(pl.Int64, strict=False)
        some = pl.col(what).is_not_null()
        found.append(pl.col(what).drop_nulls().value_counts())
        found.append(whole.filter(some).sum().alias(f"{what}.sum"))
    return found


_NO_BIN = pl.Series([None], dtype=pl.UInt32)
