"""A log in cells of five minutes: sums that add up, and nothing else of it.

One row is one series (an org's feature, unless another column is asked for), five
minutes of UTC, and one model of a provider. Cells of parts of a log, however it is
parted, add up to the cells of the whole, to the bit: money is added in whole 1e-12 USD,
and of a logarithm so many digits are added that no sum of them is rounded. The one thing
that looks back is `over`, which counts answers slower than the p95 of the seven days
before, and takes that limit as an argument.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.groups import key_columns, key_names
from lectr_lab.analysis.views.money import PUSD_PER_USD, pusd, share

STEP = "5m"
MODEL = ("provider", "model")

MEASURED = {
    "latency": "total_ms",
    "prompt": "input_tokens",
    "answer": "output_tokens",
    "unit_cost": "cost_usd",
}
"""Of these the logarithm has a mean: `<name>_n`, `_sum` and `_squares` in a cell."""

TOKENS = ("input_tokens", "cached_tokens", "written_tokens", "output_tokens")
SUMS = (
    *("n", "errors", "ok", "over"),
    *(f"{name}_{part}" for name in MEASURED for part in ("n", "sum", "squares")),
    *("cache_sum", "cache_squares"),  # of as many as prompt_n
    *("cost_usd", "cost_squares"),
    *TOKENS,
)
"""What a cell adds up; USD and tokens are of successful and failed requests alike."""

COUNTS = ("n", "errors", "ok", "over", *(f"{name}_n" for name in MEASURED), *TOKENS)
"""Of these sums, those that are whole numbers."""

WHOLE = (*COUNTS, "cost_usd", "cost_squares")
"""And those that are until `in_units`."""

_MONEY = {"cost_usd": PUSD_PER_USD, "cost_squares": PUSD_PER_USD**2}
_LEAST = {"cost_usd": 1e-7}  # USD: below it, free and nearly free are one
_BITS, _BITS_OF_SQUARES = 30, 26  # after the point; for sums there are 23 before it
_BINS = 50  # of a factor e: each is 2 % wide
_DAYS = 7


def cells(
    log: pl.LazyFrame, limits: pl.LazyFrame, by: str | Sequence[str] = "feature"
) -> pl.LazyFrame:
    """The cells of a log: clients' own calls of a model, as `SUMS` says.

    Args:
        log: events with `cost_usd`.
        limits: `slow_limits` of the days in the log.
        by: what a series is, within its org.

    Returns:
        One row per series, `at`, `provider` and `model`, in no order.
    """
    keys = key_names(by)
    limited = measured_calls(log, by).join(
        limits, on=[*keys, "day"], how="left", nulls_equal=True, maintain_order="none"
    )
    at = pl.col("started_at").dt.truncate(STEP).alias("at")
    own = [*keys, at.meta.output_name(), *beside(by)]
    found = (
        limited.with_columns(at).select(*own, *measures()).group_by(own).agg(added())
    )
    return found.with_columns(in_units()).with_columns(pl.col(*SUMS).cast(pl.Float64))


def beside(by: str | Sequence[str]) -> list[str]:
    """What tells cells of a series and time apart."""
    return [name for name in MODEL if name not in key_names(by)]


def calls(log: pl.LazyFrame, by: str | Sequence[str], *names: str) -> pl.LazyFrame:
    """The calls with their series: what is named, and what cells go by."""
    day = pl.col("started_at").dt.date().alias("day")
    keyed = key_columns(log, by)
    taken = {expression.meta.output_name() for expression in keyed}
    of_model = [pl.col("provider"), rows.model()]
    beside = [e for e in of_model if e.meta.output_name() not in taken]
    has = log.collect_schema()
    more = [n for n in (*names, "cache_write_tokens") if n in has and n not in taken]
    return log.filter(rows.is_request()).select(
        *keyed, *beside, day, "started_at", "outcome", *more
    )


def measured_calls(log: pl.LazyFrame, by: str | Sequence[str]) -> pl.LazyFrame:
    """The calls with all that cells are counted from, but for the limits."""
    return calls(log, by, *MEASURED.values(), "cache_read_tokens")


def measures() -> list[pl.Expr]:
    """What each row has of `SUMS`: `added` adds it up, and `in_units` makes USD of it."""
    ok = pl.col("outcome") == "ok"
    read, sent = pl.col("cache_read_tokens").fill_null(0), pl.col("input_tokens")
    cost = pusd("cost_usd")
    found = {
        "n": pl.lit(1, pl.Int8),
        "errors": ~(ok | (pl.col("outcome") == "client_disconnect")),
        "ok": ok,
        "over": ok & (_log_of("total_ms") > pl.col("limit")),
    }
    for name, column in MEASURED.items():
        value = pl.when(ok).then(_log_of(column))
        found[f"{name}_n"] = value.is_not_null()
        found |= _moments(name, value)
    found |= _moments("cache", pl.when(ok & (sent > 0)).then(read / sent))
    found |= {"cost_usd": cost, "cost_squares": cost * cost}
    found |= {"input_tokens": sent, "cached_tokens": read}
    found["written_tokens"] = pl.col("cache_write_tokens")
    found["output_tokens"] = pl.col("output_tokens")
    return [found[name].alias(name) for name in SUMS]


def _moments(name: str, value: pl.Expr) -> dict[str, pl.Expr]:
    squares = value * value
    return {
        f"{name}_sum": _cut(value, _BITS),
        f"{name}_squares": _cut(squares, _BITS_OF_SQUARES),
    }


def _cut(value: pl.Expr, bits: int) -> pl.Expr:
    """A number to so many bits after the point."""
    return (value * float(2**bits)).round() / float(2**bits)


def added() -> list[pl.Expr]:
    """The sums of what `measures` or `added` says."""
    whole = {name: pl.Int128 if name in _MONEY else pl.Int64 for name in WHOLE}
    kinds = [(name, whole.get(name, pl.Float64)) for name in SUMS]
    return [pl.col(name).cast(kind).sum() for name, kind in kinds]


def in_units() -> list[pl.Expr]:
    """Money in USD, and in USD squared."""
    return [
        share(pl.col(name).cast(pl.Int128), pl.lit(whole, pl.Int128)).alias(name)
        for name, whole in _MONEY.items()
    ]


def _log_of(column: str) -> pl.Expr:
    return pl.col(column).clip(lower_bound=_LEAST.get(column, 1.0)).log()


def durations(log: pl.LazyFrame, by: str | Sequence[str] = "feature") -> pl.LazyFrame:
    """How many answers of each series and day (UTC) took how long, in bins of 2 %.

    Returns:
        One row per series, `day` and `bin`: `requests`.
    """
    some = timed(log, by)
    return some.group_by(*key_names(by), "day", "bin").agg(requests=pl.len())


def timed(log: pl.LazyFrame, by: str | Sequence[str]) -> pl.LazyFrame:
    """The answers: series, `day` and `bin` of each."""
    number = (_log_of("total_ms") * _BINS).floor().cast(pl.Int32).alias("bin")
    known = pl.col("outcome") == "ok", pl.col("total_ms").is_not_null()
    return (
        calls(log, by, "total_ms").filter(*known).select(*key_names(by), "day", number)
    )


def slow_limits(
    found: pl.DataFrame, days: Sequence[date], by: str | Sequence[str] = "feature"
) -> pl.DataFrame:
    """For each series and day, ln of the p95 of its answers in the seven days before.

    Args:
        found: `durations` of these days and the seven before the first.
        days: for which limits are wanted.

    Returns:
        One row per series and `day`: `limit`, ln ms, 2 % too high at most. None where
        nothing was answered in those days.
    """
    keys = key_names(by)
    schema = pl.Schema(
        {**{k: found.schema[k] for k in keys}, "day": pl.Date(), "limit": pl.Float64()}
    )
    listed: list[tuple[object, ...]] = []
    for series, counts in found.group_by(keys):
        first, wide = min(counts["day"]), int(counts["bin"].min())  # type: ignore[arg-type]
        place = (counts["day"] - first).dt.total_days().to_numpy()
        bins = counts["bin"].to_numpy() - wide
        grid = np.zeros((int(place.max()) + 1, int(bins.max()) + 1))
        np.add.at(grid, (place, bins), counts["requests"].to_numpy())
        for day in days:
            end = (day - first).days
            past = np.cumsum(grid[max(end - _DAYS, 0) : max(end, 0)].sum(0))
            if past.size and past[-1]:
                rank = int(np.searchsorted(past, 0.95 * past[-1]))
                listed.append((*series, day, (rank + wide + 1) / _BINS))
    return pl.DataFrame(listed, schema, orient="row")
