"""What the very requests of a log would have cost with other models.

The tokens carry over: what was cached stays cached, a tier stays that tier. Each row is
priced as the target at its own time and at today's prices, and the dearer counts; what
the present model costs is what was paid, or today's price where that is lower. So a
saving is never the effect of a price that is gone.
"""

from collections.abc import Container
from datetime import date

import polars as pl

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.pricing.token_ratio import per_char
from lectr_lab.analysis.recommend.signals import KEYS, judged
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.money import usd_sum
from lectr_lab.core.pricing.price import PriceList

MODELS = ["model_actual", "model_sent", "model_requested"]
REASONING_TIMES = 3
"""A target that reasons where the present model does not may write more: it must still
be cheaper at this many times the answer's tokens. Ours."""


def repriced(
    log: pl.LazyFrame, changes: pl.DataFrame, today: date, prices: PriceList | None
) -> pl.LazyFrame:
    """What each change would have cost, by day.

    Args:
        log: events with `cost_usd` and `price_source`.
        changes: the columns of `KEYS`, `to_model`, and `reasons_anew`: the target
            reasons and the present model does not.
        today: the day of the prices to come.
        prices: the user's own prices, which go before the list.

    Returns:
        One row per change and `day` (UTC): `n` rows priced as both, `from_usd` and
        `to_usd` over these, and `unpriced`: rows that only the present model prices.
    """
    some = log.filter(judged() & rows.is_priced()).with_columns(rows.model())
    asked = some.join(changes.lazy(), on=KEYS, how="inner", nulls_equal=True)
    found = both_ways(asked, today, prices)
    return _by_day(found.select(*KEYS, "to_model", "kept_at", _from_usd(), _to_usd()))


def both_ways(
    asked: pl.LazyFrame, today: date, prices: PriceList | None
) -> pl.LazyFrame:
    """Rows with what each cost and would cost.

    Args:
        asked: priced rows, each with its `to_model` and `reasons_anew`.
        today: the day of the prices to come.
        prices: the user's own prices.

    Returns:
        The same rows with `kept_at` (when they were sent), `paid_usd`, `paid_by`,
        `from_today_usd`, `to_then_usd` and `to_today_usd`, and as they would be asked.
    """
    found = asked.with_columns(
        kept_at=pl.col("started_at"),
        paid_usd=pl.col("cost_usd"),
        paid_by=pl.col("price_source"),
    )
    found = _costed(found, "from_today_usd", on_day(today), prices)
    found = found.with_columns(*as_target(asked.collect_schema().names()))
    found = _costed(found, "to_then_usd", pl.col("kept_at"), prices)
    return _costed(found, "to_today_usd", on_day(today), prices)


def as_target(columns: Container[str]) -> list[pl.Expr]:
    """The same requests of another model, whose answers may be longer.

    Args:
        columns: those that there are; of estimates, the characters count.
    """
    longer = ["output_tokens", per_char("output_tokens")]
    return [
        *(pl.col("to_model").alias(name) for name in MODELS),
        *(
            pl.when("reasons_anew")
            .then(pl.col(name) * REASONING_TIMES)
            .otherwise(name)
            .alias(name)
            for name in longer
            if name in columns
        ),
    ]


def on_day(today: date) -> pl.Expr:
    """The same time of day, today."""
    at = pl.col("kept_at")
    midnight = pl.lit(today).cast(pl.Datetime("us", "UTC"))
    return midnight + (at - at.dt.truncate("1d"))


def _costed(
    found: pl.LazyFrame, name: str, at: pl.Expr, prices: PriceList | None
) -> pl.LazyFrame:
    as_if = found.drop("cost_usd", "price_source").with_columns(started_at=at)
    return priced(as_if, prices).with_columns(pl.col("cost_usd").alias(name))


def _from_usd() -> pl.Expr:
    """A user's own price is not held against a list that may not apply to them."""
    is_own = (pl.col("paid_by") == "user").fill_null(False)
    lower = pl.min_horizontal("paid_usd", "from_today_usd")
    return pl.when(is_own).then("paid_usd").otherwise(lower).alias("from_usd")


def _to_usd() -> pl.Expr:
    """Unknown where it is not known what it will cost."""
    dearer = pl.max_horizontal("to_then_usd", "to_today_usd")
    return pl.when(pl.col("to_today_usd").is_not_null()).then(dearer).alias("to_usd")


def _by_day(costs: pl.LazyFrame) -> pl.LazyFrame:
    both = pl.col("to_usd").is_not_null()
    return (
        costs.group_by(*KEYS, "to_model", day=pl.col("kept_at").dt.date())
        .agg(
            n=both.sum(),
            from_usd=usd_sum(pl.col("from_usd").filter(both)),
            to_usd=usd_sum(pl.col("to_usd").filter(both)),
            unpriced=(~both).sum(),
        )
        .sort(*KEYS, "to_model", "day")
    )
