"""A log in cells of five minutes: sums that add up, and nothing else of it.

One row is one series (an org's feature, unless another column is asked for), five
minutes of UTC, and one model of a provider. Cells of parts of a log, however it is
parted, add up to the cells of the whole; the one thing that looks back is `over`, which
counts answers slower than the p95 of the seven days before, and takes that limit as an
argument.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.groups import key_columns, key_names
from lectr_lab.analysis.views.money import usd_sum

STEP = "5m"
MODEL = ("provider", "model")

MEASURED = {
    "latency": "total_ms",
    "prompt": "input_tokens",
    "answer": "output_tokens",
    "unit_cost": "cost_usd",
}
"""Of these the logarithm has a mean: `<name>_n`, `_sum` and `_squares` in a cell."""

SUMS = (
    *("n", "errors", "ok", "over"),
    *(f"{name}_{part}" for name in MEASURED for part in ("n", "sum", "squares")),
    *("cache_sum", "cache_squares"),  # of as many as prompt_n
    *("cost_usd", "cost_squares"),
    *("input_tokens", "cached_tokens", "written_tokens", "output_tokens"),
)
"""What a cell adds up; USD and tokens are of successful and failed requests alike."""

_LEAST = {"cost_usd": 1e-7}  # USD: below it, free and nearly free are one
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
    calls = _calls(log, by, *MEASURED.values(), "cache_read_tokens")
    limited = calls.join(
        limits, on=[*keys, "day"], how="left", nulls_equal=True, maintain_order="none"
    )
    at = pl.col("started_at").dt.truncate(STEP).alias("at")
    beside = [name for name in MODEL if name not in keys]
    return limited.group_by(*keys, at, *beside).agg(_sums())


def _calls(log: pl.LazyFrame, by: str | Sequence[str], *names: str) -> pl.LazyFrame:
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


def _sums() -> list[pl.Expr]:
    ok = pl.col("outcome") == "ok"
    failed = ~(ok | (pl.col("outcome") == "client_disconnect"))
    read, sent = pl.col("cache_read_tokens").fill_null(0), pl.col("input_tokens")
    hit = pl.when(ok & (sent > 0)).then(read / sent)
    cost = pl.col("cost_usd")
    sums = {
        "n": pl.len(),
        "errors": failed.sum(),
        "ok": ok.sum(),
        "over": (ok & (_log_of("total_ms") > pl.col("limit"))).sum(),
    }
    for name, column in MEASURED.items():
        value = pl.when(ok).then(_log_of(column))
        sums[f"{name}_n"] = value.count()
        sums[f"{name}_sum"] = value.sum()
        sums[f"{name}_squares"] = (value * value).sum()
    sums |= {"cache_sum": hit.sum(), "cache_squares": (hit * hit).sum()}
    sums |= {"cost_usd": usd_sum(cost), "cost_squares": (cost * cost).sum()}
    sums |= {"input_tokens": sent.sum(), "cached_tokens": read.sum()}
    sums["written_tokens"] = pl.col("cache_write_tokens").sum()
    sums["output_tokens"] = pl.col("output_tokens").sum()
    return [sums[name].cast(pl.Float64).alias(name) for name in SUMS]


def _log_of(column: str) -> pl.Expr:
    return pl.col(column).clip(lower_bound=_LEAST.get(column, 1.0)).log()


def durations(log: pl.LazyFrame, by: str | Sequence[str] = "feature") -> pl.LazyFrame:
    """How many answers of each series and day (UTC) took how long, in bins of 2 %.

    Returns:
        One row per series, `day` and `bin`: `requests`.
    """
    number = (_log_of("total_ms") * _BINS).floor().cast(pl.Int32).alias("bin")
    timed = _calls(log, by, "total_ms").filter(
        pl.col("outcome") == "ok", pl.col("total_ms").is_not_null()
    )
    return timed.group_by(*key_names(by), "day", number).agg(requests=pl.len())


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
