"""What a dashboard filters: counts, sums and binned durations per step, feature, model,
session and error.

Its size is bounded, however many rows a log has: the leading features and models have
cells of their own, all others share one. Cubes of parts of a log add up to the cube of
the whole, so that a day that is over is counted once.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.views import asides, rows
from lectr_lab.analysis.views.groups import as_text, key_columns
from lectr_lab.analysis.views.money import summed, usd_sum
from lectr_lab.analysis.views.percentiles import exact_figures
from lectr_lab.analysis.views.time_steps import time_step

GROWTH = 1.05
"""Each bin of a duration ends 5 % above its start: its middle is within 2.5 %."""

MOST_FEATURES = 10
MOST_MODELS = 8
MOST_SESSIONS = 12


class Leaders(NamedTuple):
    """What has cells of its own: dearest first, then most used."""

    features: tuple[tuple[str | None, str | None], ...]  # org, feature
    models: tuple[tuple[str | None, str | None], ...]  # provider, model
    sessions: tuple[tuple[str | None, str | None], ...] = ()  # org, session


class Cube(NamedTuple):
    """Two frames with the keys of `KEYS`.

    `f`, `m` and `s` are places among the leaders, and a place past the last of them is
    all others together. `time` is the start of a step, in ms since 1970, UTC. `why` a
    request failed and `whose` fault it was; null of all others.
    """

    sums: pl.LazyFrame
    bins: pl.LazyFrame  # durations of successful requests: `bin`, `n`


KEYS = ("time", "f", "m", "s", "why", "whose")
_TOKENS = [
    "input_tokens",
    "cache_read_tokens",
    "output_tokens",
    "reasoning_tokens",
]
MEASURES = (
    *("requests", "errors", "left", "retries", "spend_usd", "priced", "unpriced"),
    *("uncounted", "estimated", "counted", *_TOKENS, "untagged", "untagged_usd"),
)
"""What `Cube.sums` adds up for charts, in its order; `asides.SUMS` follow."""


def needed(log: pl.LazyFrame, by: str = "feature") -> pl.LazyFrame:
    """The columns that a dashboard counts; the other views can be asked of it too.

    Args:
        log: events with `cost_usd`.
        by: a column whose values stand in the place of the features.

    Raises:
        LabError: a column that the log does not have.
    """
    if by != "feature":
        [key] = key_columns(
            log, by, org=""
        )  # one org, or all: its name is not asked for
        kind = log.select(key.alias("key")).collect_schema()["key"]
        log = log.with_columns(as_text(key, kind).alias("feature"))
    return log.select(
        *("event_id", "started_at", "org", "feature", "provider", "session"),
        *("model_actual", "model_sent", "model_requested"),
        *("kind", "operation", "path", "outcome", "status", "error_type"),
        *(
            "error_source",
            "retry_count",
            "retry_of_failed",
            "stream",
            "include_usage",
            "token_source",
        ),
        *("total_ms", "ttfb_ms", "ttft_ms", "overhead_ms"),
        *_TOKENS,
        *("service_tier", *rows.BILLED),
        *("cost_usd", "price_source", "credential", "plan_usd", "cost_stated_usd"),
    )


def ranking(log: pl.LazyFrame) -> pl.LazyFrame:
    """Requests and spend per org, feature, provider and model; adds up like a cube."""
    calls = log.filter(rows.is_call())
    return calls.group_by("org", "feature", "provider", rows.model()).agg(
        rows.is_request(calls=True).sum().alias("requests"), usd_sum("cost_usd")
    )


def leading(ranked: pl.LazyFrame, keys: Sequence[str], most: int) -> pl.LazyFrame:
    """The dearest pairs of a ranking, in their order."""
    return (
        ranked.group_by(keys)
        .agg(usd_sum("cost_usd"), pl.col("requests").sum())
        .sort("cost_usd", "requests", *keys, descending=[True, True, False, False])
        .select(keys)
        .head(most)
    )


def placed(log: pl.LazyFrame, leaders: Leaders, every: str, tz: str) -> pl.LazyFrame:
    """What a cube counts, a row per event, with the keys of its cell.

    Args:
        log: events with `cost_usd`.
        leaders: what has cells of its own.
        every: the length of a step.
        tz: the time zone in which days begin.
    """
    time = time_step(pl.col("started_at"), every, tz).dt.epoch("ms").alias("time")
    log = log.with_columns(rows.model(), time, *_if_failed())
    for place, keys, pairs in (
        ("f", ["org", "feature"], leaders.features),
        ("m", ["provider", "model"], leaders.models),
        ("s", ["org", "session"], leaders.sessions),
    ):
        places = pl.LazyFrame(
            [(*pair, i) for i, pair in enumerate(pairs)],
            {**dict.fromkeys(keys, pl.String), place: pl.Int32},
            orient="row",
        )
        log = log.join(places, on=keys, how="left", nulls_equal=True).with_columns(
            pl.col(place).fill_null(len(pairs))
        )
    return log.select(
        *(*KEYS, "feature", "kind", "operation", "path", "outcome", "status"),
        *("retry_count", "retry_of_failed", "token_source", "total_ms"),
        *("provider", "service_tier", *rows.BILLED),
        *("cost_usd", "credential", "plan_usd", "cost_stated_usd"),
        *_TOKENS,
    )


def cube(cells: pl.LazyFrame) -> Cube:
    """The cube of `placed` rows: of a log, or of a part of one."""
    ms = pl.col("total_ms")
    # What lies on an edge is above it, though the last digit of a logarithm depends on
    # how many are taken at once.
    number = (ms.clip(lower_bound=0.01).log() / math.log(GROWTH) + 1e-9).floor()
    done = cells.filter(rows.succeeded() & ms.is_not_null())
    n = pl.len().cast(pl.Int64).alias("n")
    return Cube(
        cells.group_by(KEYS).agg(*_sums(), *asides.aside_measures()),
        done.group_by(*KEYS, number.cast(pl.Int32).alias("bin")).agg(n),
    )


def _if_failed() -> list[pl.Expr]:
    return [
        pl.when(rows.failed()).then(said).alias(said.meta.output_name())
        for said in reasons()
    ]


def reasons() -> list[pl.Expr]:
    """Of a failed request: `why`, what went wrong, and `whose` fault it was."""
    answered = pl.format("status {}", "status")
    else_ = pl.when(pl.col("outcome") == "provider_error").then(answered)
    return [
        pl.coalesce("error_type", else_.otherwise("outcome"), "outcome").alias("why"),
        pl.col("error_source").alias("whose"),
    ]


def _sums() -> list[pl.Expr]:
    cost = pl.col("cost_usd")
    sums = {
        "requests": rows.is_request(),
        "errors": rows.failed(),
        "left": rows.disconnected(),
        "retries": rows.retried(),
        "spend_usd": cost,
        "priced": rows.is_priced(),
        "unpriced": rows.unpriced(),
        "uncounted": rows.uncounted() & ~rows.is_priced(),
        "estimated": rows.estimated(),
        "counted": pl.col("input_tokens").is_not_null(),
        **{name: pl.col(name).cast(pl.Int64) for name in _TOKENS},
        "untagged": rows.untagged(),
        "untagged_usd": cost.filter(pl.col("feature").is_null()),
    }
    return summed({name: sums[name] for name in MEASURES})


def timed(cells: pl.LazyFrame) -> pl.LazyFrame:
    """The durations of successful requests among `placed` rows: `f`, `total_ms`."""
    ms = pl.col("total_ms")
    return cells.filter(rows.succeeded() & ms.is_not_null()).select("f", ms)


def exact_latency(durations: pl.LazyFrame) -> pl.LazyFrame:
    """Exact percentiles of whole requests with their 95 % intervals.

    Args:
        durations: what `timed` gives.

    Returns:
        A row per place `f`, and one of everything, where `f` is -1: `total_p50_ms`,
        `total_p50_low_ms`, `total_p50_high_ms`, likewise p95 and p99, and `total_n`.
    """
    ms = pl.col("total_ms")
    in_order = durations.sort(ms)  # once for all
    of_total = exact_figures("total", ms, intervals=True, in_order=True)
    own = in_order.group_by("f").agg(*of_total)
    whole = in_order.select(pl.lit(-1, pl.Int32).alias("f"), *of_total)
    return pl.concat([own, whole]).sort("f")
