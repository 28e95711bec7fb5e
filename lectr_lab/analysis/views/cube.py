"""What a dashboard filters: counts, sums and binned durations per step, feature, model,
session and error.

Its size is bounded, however many rows a log has: the leading features and models have
cells of their own, all others share one. Cubes of parts of a log add up to the cube of
the whole, so that a day that is over is counted once.
"""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.pricing.token_ratio import CHARS, ESTIMATES, nano_tokens
from lectr_lab.analysis.views import asides, binned, rows
from lectr_lab.analysis.views.groups import as_text, key_columns
from lectr_lab.analysis.views.money import usd_sum
from lectr_lab.analysis.views.percentiles import exact_figures
from lectr_lab.analysis.views.rows import ROWS, Each
from lectr_lab.analysis.views.time_steps import time_step

_BINS_IN_ONE = 2
GROWTH = ((1 + binned.RELATIVE_ERROR) / (1 - binned.RELATIVE_ERROR)) ** _BINS_IN_ONE
"""Each bin of a duration ends 4 % above its start: its middle is within 2 %. It is two of
those that views count (`views/binned.py`), and so is known of what was counted before."""

FIRST_BIN = -116
"""That of 0.01 ms; what is shorter is in it, too."""

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
NANO = {name: f"{name}_nano" for name in CHARS}
"""Beside a sum of counted tokens, that of estimates, in billionths of a token: rounded
where it is shown (`whole_tokens`), so that no sum depends on how a log is cut."""

MEASURES = (
    *("requests", "errors", "left", "retries", "spend_usd", "priced", "unpriced"),
    *("uncounted", "estimated", "counted", *_TOKENS, "untagged", "untagged_usd"),
)
"""What `Cube.sums` adds up for charts, in its order; `NANO` and `asides.SUMS` follow."""


_COSTS = ("cost_usd", "plan_usd", "cost_stated_usd")
_AMOUNTS = ("rows", *_COSTS, "cost_pusd", "plan_pusd", "cost_stated_pusd")
OF_CELLS = (
    *("started_at", "org", "feature", "provider"),
    *("model_actual", "model_sent", "model_requested"),
    *("kind", "operation", "path", "outcome", "status", "error_type"),
    *("error_source", "retry_count", "retry_of_failed", "token_source"),
    *("stream", "include_usage", "price_source", "service_tier"),
    *("credential", *rows.BILLED, *_TOKENS, *_AMOUNTS),
    *(*ESTIMATES, *CHARS.values()),
)
"""The columns of priced cells that a dashboard counts."""


def needed(log: pl.LazyFrame, by: str = "feature") -> pl.LazyFrame:
    """The columns that a dashboard counts; the other views can be asked of it too.

    Args:
        log: events with `cost_usd`.
        by: a column whose values stand in the place of the features.

    Raises:
        LabError: a column that the log does not have.
    """
    log = named(log, by)
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
        *_of_estimates(log),
    )


def named(log: pl.LazyFrame, by: str) -> pl.LazyFrame:
    """A log in which another column's values stand in the place of the features; raises
    as of `needed`."""
    if by == "feature":
        return log
    [key] = key_columns(log, by, org="")  # one org, or all: its name is not asked for
    kind = log.select(key.alias("key")).collect_schema()["key"]
    return log.with_columns(as_text(key, kind).alias("feature"))


def _of_estimates(log: pl.LazyFrame) -> list[str]:
    """What estimates are added up by, where a log has them."""
    own = (*ESTIMATES, *CHARS.values())
    return list(own) if {*own} <= {*log.collect_schema()} else []


OF_RANKING = (
    *("org", "feature", "provider", "model_actual", "model_sent", "model_requested"),
    *("kind", "operation", "path", "input_tokens", "cost_usd"),
)
"""The columns of a log that `ranking` takes."""


def ranking(log: pl.LazyFrame, each: Each = ROWS) -> pl.LazyFrame:
    """Requests and spend per org, feature, provider and model; adds up like a cube.

    Args:
        log: events with `cost_usd`, or priced cells.
        each: which of the two.
    """
    calls, each = log.filter(rows.is_call()), each._replace(calls=True)
    return calls.group_by("org", "feature", "provider", rows.model()).agg(
        each.number(rows.is_request(calls=True)).alias("requests"),
        each.usd("cost_usd").alias("cost_usd"),
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


def placed(
    log: pl.LazyFrame, leaders: Leaders, every: str, tz: str, each: Each = ROWS
) -> pl.LazyFrame:
    """What a cube counts, a row per event, with the keys of its cell.

    Args:
        log: events with `cost_usd`, or priced cells (`OF_CELLS`), which know no session.
        leaders: what has cells of its own.
        every: the length of a step.
        tz: the time zone in which days begin.
        each: which of the two.
    """
    log = log.with_columns(*_if_failed())
    amounts = _AMOUNTS if each.cells else (*_COSTS, "total_ms")
    return _at_places(log, leaders, every, tz).select(
        *(*KEYS, "feature", "kind", "operation", "path", "outcome", "status"),
        *("retry_count", "retry_of_failed", "token_source", "credential"),
        *("provider", "service_tier", *rows.BILLED),
        *amounts,
        *_TOKENS,
        *_of_estimates(log),
    )


def _at_places(
    log: pl.LazyFrame, leaders: Leaders, every: str, tz: str
) -> pl.LazyFrame:
    time = time_step(pl.col("started_at"), every, tz).dt.epoch("ms").alias("time")
    log = log.with_columns(rows.model(), time)
    for place, keys, pairs in (
        ("f", ["org", "feature"], leaders.features),
        ("m", ["provider", "model"], leaders.models),
        ("s", ["org", "session"], leaders.sessions),
    ):
        if place == "s" and not pairs:
            log = log.with_columns(pl.lit(0, pl.Int32).alias(place))
            continue
        places = pl.LazyFrame(
            [(*pair, i) for i, pair in enumerate(pairs)],
            {**dict.fromkeys(keys, pl.String), place: pl.Int32},
            orient="row",
        )
        log = log.join(places, on=keys, how="left", nulls_equal=True).with_columns(
            pl.col(place).fill_null(len(pairs))
        )
    return log


def cube(cells: pl.LazyFrame) -> Cube:
    """The cube of `placed` rows: of a log, or of a part of one."""
    return Cube(sums(cells), bins(timed(cells, *KEYS)))


def sums(cells: pl.LazyFrame, each: Each = ROWS) -> pl.LazyFrame:
    """The sums of `placed` rows, or cells."""
    guessed = bool(_of_estimates(cells))
    found = [*_sums(each, guessed), *asides.aside_measures(each)]
    return cells.group_by(KEYS).agg(found)


def bins(timed: pl.LazyFrame) -> pl.LazyFrame:
    """Durations in bins: `KEYS` and `total_ms`, of requests that succeeded."""
    number = _page_bin(binned.bin_of(pl.col("total_ms")))
    n = pl.len().cast(pl.Int64).alias("n")
    return timed.group_by(*KEYS, number.alias("bin")).agg(n)


OF_DURATIONS = (
    *("started_at", "org", "feature", "provider", "session"),
    *("model_actual", "model_sent", "model_requested", "kind", "operation", "path"),
    *("outcome", "input_tokens", "total_ms"),
)
"""The columns of a log that `durations` takes: no price is looked up."""


def durations(log: pl.LazyFrame, leaders: Leaders, every: str, tz: str) -> pl.LazyFrame:
    """`timed` rows with `KEYS`, of a log of which nothing else is asked.

    Args:
        log: events, with `OF_DURATIONS`.
        leaders: as for `placed`, as are the rest.
        every: likewise.
        tz: likewise.
    """
    done = log.filter(rows.succeeded() & pl.col("total_ms").is_not_null())
    none = (pl.lit(None, pl.String).alias(name) for name in ("why", "whose"))
    placed = _at_places(done.with_columns(*none), leaders, every, tz)
    return placed.select(*KEYS, "total_ms")


def counted_bins(
    bins: pl.LazyFrame, leaders: Leaders, every: str, tz: str
) -> pl.LazyFrame:
    """The same of durations that were counted before.

    Args:
        bins: as `Log.binned` gives them, of `total_ms`.
        leaders: as for `placed`, as are the rest.
        every: likewise.
        tz: likewise.
    """
    none = (pl.lit(None, pl.String).alias(name) for name in ("why", "whose"))
    told = bins.with_columns(*none, _page_bin(pl.col("bin")).alias("bin"))
    placed = _at_places(told, leaders._replace(sessions=()), every, tz)
    return placed.group_by(*KEYS, "bin").agg(pl.col("rows").sum().alias("n"))


def _page_bin(number: pl.Expr) -> pl.Expr:
    """The page's bin of one of `views/binned.py`, which ends where two of them do."""
    ends = (number + _BINS_IN_ONE - 1) // _BINS_IN_ONE
    return (ends - 1).clip(lower_bound=FIRST_BIN).cast(pl.Int32)


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


def _sums(each: Each, guessed: bool) -> list[pl.Expr]:
    cost = each.pusd("cost_usd")
    numbers = {
        "requests": rows.is_request(),
        "errors": rows.failed(),
        "left": rows.disconnected(),
        "retries": rows.retried(),
        "priced": rows.is_priced(),
        "unpriced": rows.unpriced(),
        "uncounted": rows.uncounted() & ~rows.is_priced(),
        "estimated": rows.estimated(),
        "counted": pl.col("input_tokens").is_not_null(),
        "untagged": rows.untagged(),
    }
    found = {name: each.number(which) for name, which in numbers.items()}
    found["spend_usd"] = each.usd(cost)
    found["untagged_usd"] = each.usd(cost.filter(pl.col("feature").is_null()))
    for name in _TOKENS:
        count = pl.col(name).cast(pl.Int64)
        nano = nano_tokens(name) if guessed and name in NANO else None
        found[name] = (count if nano is None else count.filter(nano.is_null())).sum()
        if name in NANO:
            none = pl.lit(0, pl.Int128)
            found[NANO[name]] = none if nano is None else nano.sum()
    return [found[name].alias(name) for name in (*MEASURES, *NANO.values())]


def whole_tokens(cells: pl.DataFrame) -> pl.DataFrame:
    """Cells with their estimates among their tokens, in whole ones: of each place `f` the
    sum is right to the last, and a cell within one.

    Args:
        cells: `f`, tokens and `NANO`, in an order that stays.
    """
    so_far = {name: pl.col(nano).cum_sum().over("f") for name, nano in NANO.items()}
    whole = {
        name: ((nano + _NANO // 2) // pl.lit(_NANO, pl.Int128)).cast(pl.Int64)
        for name, nano in so_far.items()
    }
    return cells.with_columns(
        (pl.col(name) + (all_ - all_.shift(1, fill_value=0).over("f"))).alias(name)
        for name, all_ in whole.items()
    )


_NANO = 10**9


def timed(cells: pl.LazyFrame, *keys: str) -> pl.LazyFrame:
    """The durations of successful requests among `placed` rows: `f` and other keys, and
    `total_ms`."""
    ms = pl.col("total_ms")
    done = cells.filter(rows.succeeded() & ms.is_not_null())
    return done.select(*(keys or ("f",)), ms)


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
