"""The two looks at a log that a simulation takes: what there is, and what it would cost.

Both are sums per kind of request and day, so that the rest is arithmetic on few rows.
"""

from collections.abc import Sequence
from random import SystemRandom

import polars as pl

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.simulate.reroute import KEYS, asked_model, joined
from lectr_lab.analysis.views import binned, rows
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.money import summed, usd_sum
from lectr_lab.analysis.views.percentiles import Percentiles, group_number
from lectr_lab.analysis.views.rows import ROWS, Each
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.core.pricing.units import COUNTS

# What is answered grows with the answer; the rest of a request stays as it was.
PARTS = ("reasoning_tokens", "output_audio_tokens", "output_image_tokens")
_PERCENTILES = (50, 95)


def day() -> pl.Expr:
    """The day of a request, UTC."""
    return pl.col("started_at").dt.date().alias("day")


def facts(log: pl.LazyFrame) -> pl.LazyFrame:
    """One row per kind of request and day: what was asked, paid and answered.

    Returns:
        `KEYS` and `day`, then rows: `requests`, `counted`, `unpriced`, `uncounted`,
        `cached`, `reasoned`; `input` tokens; `spend_usd`; `first_us` and `last_us`,
        times of day; and of successful answers `answers`, `output` (tokens) and
        `output_squares`.
    """
    # By outcome as well, so that what an outcome means is asked of few rows.
    sums = log.group_by(*KEYS, "outcome", day()).agg(
        *asked(ROWS),
        pl.col("input_tokens").sum().alias("input"),
        pl.col("started_at").min().alias("first_at"),
        pl.col("started_at").max().alias("last_at"),
        *answered(),
    )
    return of_kinds(sums)


def asked(each: Each) -> list[pl.Expr]:
    """What a frame of rows or cells says of requests, but for their answers."""
    counted = pl.col("input_tokens").is_not_null() | rows.is_priced()
    return [
        each.number().alias("requests"),
        each.number(counted).alias("counted"),
        each.number(rows.is_priced()).alias("priced"),
        each.number(pl.col("cache_read_tokens") > 0).alias("cached"),
        each.number(pl.col("reasoning_tokens") > 0).alias("reasoned"),
        each.usd("cost_usd").alias("spend_usd"),
    ]


def answered() -> list[pl.Expr]:
    """What rows say of how long answers are."""
    output = pl.col("output_tokens").cast(pl.Float64)
    return [
        output.count().alias("answers"),
        output.sum().alias("output"),
        (output * output).sum().alias("output_squares"),
    ]


def of_kinds(sums: pl.LazyFrame) -> pl.LazyFrame:
    """`facts`, of sums by outcome as well; what one does not say is null there."""
    return (
        sums.with_columns(
            unpriced=pl.col("counted") - pl.col("priced"),
            uncounted=pl.when(rows.answered())
            .then(pl.col("requests") - pl.col("counted"))
            .otherwise(0),
        )
        .group_by(*KEYS, "day")
        .agg(
            *summed(_SUMS),
            pl.col(_OF_ANSWERS).filter(rows.succeeded(calls=True)).sum(),
            _time_of_day("first_at").min().alias("first_us"),
            _time_of_day("last_at").max().alias("last_us"),
        )
    )


_SUMS = ["requests", "counted", "unpriced", "uncounted", "cached", "reasoned", "input"]
_SUMS += ["spend_usd"]
_OF_ANSWERS = ["answers", "output", "output_squares"]


def _time_of_day(at: str) -> pl.Expr:
    """Microseconds since midnight, UTC."""
    return (pl.col(at) - pl.col(at).dt.truncate("1d")).dt.total_microseconds()


def as_if(log: pl.LazyFrame, kinds: pl.DataFrame) -> pl.LazyFrame:
    """The rows that rules would have sent elsewhere, as they would have come back.

    Args:
        log: events.
        kinds: all kinds of the log, with `move` (null: it stays), `to_provider`,
            `to_model`, `keeps_tier` and `times` (output tokens per output token).

    Returns:
        The rows, priced under the target's name alone: an answer's name for the model
        is not known before there is one.
    """
    return as_target(joined(log, kinds, TARGET))


TARGET = ("to_provider", "to_model", "keeps_tier", "times")
"""What `joined` gives a row of the move that it makes."""


def as_target(moved: pl.LazyFrame) -> pl.LazyFrame:
    """Rows that have `TARGET`, as they would have come back."""
    output = pl.col("output_tokens") * pl.col("times")
    # Rounded down, so that the parts never exceed the whole.
    parts = [
        (pl.col(name) * pl.col("times")).floor().cast(pl.Int64).alias(name)
        for name in PARTS
    ]
    return moved.with_columns(
        pl.col("to_provider").alias("provider"),
        pl.col("to_model").alias("model_sent"),
        pl.lit(None, pl.String).alias("model_actual"),
        pl.lit(None, pl.String).alias("model_requested"),
        *(
            pl.when("keeps_tier").then(name).alias(name)
            for name in ("service_tier", "inference_geo")
        ),
        # A plan covers its own provider alone.
        pl.when(pl.col("provider") == pl.col("to_provider"))
        .then("credential")
        .alias("credential"),
        output.round().cast(pl.Int64).alias("output_tokens"),
        *parts,
    )


def costs(
    log: pl.LazyFrame,
    kinds: pl.DataFrame,
    prices: PriceList | None,
    *,
    row_by_row: bool,
) -> pl.LazyFrame:
    """What the moved requests would have cost, per move and day.

    Args:
        log: events with `cost_usd`.
        kinds: as `as_if` takes them.
        prices: the user's own prices, which go before the list.
        row_by_row: look at each row's present cost. It takes a second pricing, and is
            needed where some rows of a kind and day have a price and some have none.

    Returns:
        `move`, `day`, `judged` rows, `after_usd` of these and their `output` tokens,
        `unpriced_after` rows, and `before_usd` of the judged (null unless row by row).
    """
    needed = [*dict.fromkeys([*KEYS, *PRICED_BY, *COUNTS])]
    if row_by_row:
        log = log.select(*needed, pl.col("cost_usd").alias("before_usd"))
    else:
        log = log.select(*needed, pl.lit(None, pl.Float64).alias("before_usd"))
    before = pl.col("before_usd").is_not_null() if row_by_row else pl.lit(True)
    after = pl.col("cost_usd").is_not_null()
    counted = pl.col("input_tokens").is_not_null()
    return (
        priced(as_if(log, kinds), prices)
        .group_by("move", day())
        .agg(
            (before & after).sum().alias("judged"),
            usd_sum(pl.col("cost_usd").filter(before & after)).alias("after_usd"),
            pl.col("output_tokens").filter(before & after).sum().alias("output"),
            (counted & before & ~after).sum().alias("unpriced_after"),
            usd_sum(pl.col("before_usd").filter(before & after)).alias("before_usd"),
        )
    )


PRICED_BY = (
    "model_actual",
    "service_tier",
    "inference_geo",
    "started_at",
    "credential",
    "cost_stated_usd",
)


def output_usd_per_token(moves: pl.DataFrame, prices: PriceList | None) -> pl.Series:
    """What one more token of answer costs at each move's target, at its mean request.

    Args:
        moves: `to_provider`, `to_model`, `at` (a time) and `input_tokens`.
        prices: the user's own prices.
    """
    base = moves.select(
        pl.col("to_provider").alias("provider"),
        pl.col("to_model").alias("model_sent"),
        pl.col("at").alias("started_at"),
        pl.col("input_tokens"),
        *(pl.lit(None, pl.String).alias(name) for name in _NOT_SAID),
        pl.lit(None, pl.Float64).alias("cost_stated_usd"),
        *(
            pl.lit(None, pl.Int64).alias(name)
            for name in COUNTS
            if name not in ("input_tokens", "output_tokens")
        ),
    )
    none, some = (
        priced(base.with_columns(output_tokens=pl.lit(n, pl.Int64)).lazy(), prices)
        for n in (0, _SOME_TOKENS)
    )
    usd = pl.concat(
        [none.select("cost_usd"), some.select(more="cost_usd")], how="horizontal"
    ).select((pl.col("more") - pl.col("cost_usd")) / _SOME_TOKENS)
    return usd.collect().to_series()


_NOT_SAID = (
    "model_actual",
    "model_requested",
    "service_tier",
    "inference_geo",
    "credential",
)
_SOME_TOKENS = 10**6


def latencies(
    log: pl.LazyFrame,
    models: Sequence[tuple[str, str]],
    how: Percentiles = "exact",
) -> pl.DataFrame:
    """How long those providers' models took, over successful requests; read now.

    Returns:
        `org`, `feature`, `provider`, `asked`, and `ms`: a list of `total_ms`; or, where
        they are binned, how many lie in which bin, as `binned.bin_counts` says it.
    """
    wanted = pl.DataFrame(
        models, {"provider": pl.String, "asked": pl.String}, orient="row"
    ).unique()
    # Few models are asked for, so that names alone leave most rows out before a join.
    named = asked_model().is_in(wanted["asked"].unique().to_list())
    timed = log.filter(rows.succeeded() & named).select(
        *("org", "feature", "provider", "total_ms"), asked_model().alias("asked")
    )
    those = timed.join(wanted.lazy(), on=["provider", "asked"], how="semi")
    if how == "exact":
        return collected(those.group_by(_TIMED).agg(pl.col("total_ms").alias("ms")))
    number = group_number(
        [pl.col(key) for key in _TIMED], SystemRandom().getrandbits(62)
    )
    counts = binned.bin_counts(those.select(number, "total_ms"), "_group")["total_ms"]
    groups = collected(those.select(_TIMED).unique()).with_columns(number)
    return groups.join(counts, on="_group", validate="1:m").drop("_group")


def percentiles(times: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """`by`, `provider`, `asked`, `p50_ms`, `p95_ms` and their `n`, of `latencies`."""
    if "ms" not in times.columns:
        n = binned.count()
        figures = [
            binned.at((p / 100 * (n - 1)).floor().cast(pl.Int64)).alias(f"p{p}_ms")
            for p in _PERCENTILES
        ]
        return times.group_by(*by, "provider", "asked").agg(*figures, n.alias("n"))
    ms = pl.col("ms")
    return (
        times.group_by(*by, "provider", "asked")
        .agg(ms.list.explode(keep_nulls=False, empty_as_null=False))
        .with_columns(
            *(
                ms.list.eval(pl.element().quantile(p / 100, "linear"))
                .list.first()
                .alias(f"p{p}_ms")
                for p in _PERCENTILES
            ),
            n=ms.list.len().cast(pl.Int64),
        )
        .drop("ms")
    )


_TIMED = ("org", "feature", "provider", "asked")
