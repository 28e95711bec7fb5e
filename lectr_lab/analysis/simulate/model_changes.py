"""The moves that rules make: from one model to another, per rule, org and feature.

A move is a row here. What is known of each: what carries over, how long the target's
answers are, what its requests cost on each day before and after.
"""

from collections import defaultdict
from typing import Any

import polars as pl

from lectr_lab.analysis.simulate.answer_length import Groups, Lengths, length_ratio
from lectr_lab.analysis.simulate.costs import costs, latencies, percentiles
from lectr_lab.analysis.simulate.reroute import KEYS
from lectr_lab.analysis.simulate.tokenizers import same_tokens
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.money import summed
from lectr_lab.analysis.views.percentiles import Percentiles
from lectr_lab.core.pricing.price import PriceList

LEAST_TIMED = 30
"""Answers of a feature, below which a target's latency is that of all its answers."""

MOVE = ["org", "feature", "rule", "from_provider", "from_model"]
MOVE += ["to_provider", "to_model"]

_LEARNED = {
    "times": pl.Float64,
    "output_ratio": pl.Float64,
    "output_ratio_low": pl.Float64,
    "output_ratio_high": pl.Float64,
    "answers_from": pl.Int64,
    "answers_to": pl.Int64,
    "same_tokens": pl.Boolean,
    "keeps_tier": pl.Boolean,
}
FACTS = ["requests", "counted", "unpriced", "uncounted", "cached", "reasoned", "input"]
_MS = ["p50_ms", "p95_ms", "n"]


def moves_of(
    kinds: pl.DataFrame, facts: pl.DataFrame, confidence: float
) -> pl.DataFrame:
    """One row per move, with its number and what was learned of the target's answers.

    Args:
        kinds: as `reroute.decided` gives them.
        facts: as `costs.facts` gives them, with what was decided.
        confidence: of a ratio's interval.
    """
    moves = (
        kinds.filter("changed")
        .with_columns(from_provider=pl.col("provider"))
        .select(MOVE)
        .unique()
        .sort(MOVE)
        .with_row_index("move")
    )
    lengths = _lengths(facts)
    learned = [
        _learned(move, lengths, confidence) for move in moves.iter_rows(named=True)
    ]
    return moves.hstack(pl.DataFrame(learned, _LEARNED, orient="row"))


_Asked = tuple[str, str | None, str | None]  # org, provider, model


def _lengths(facts: pl.DataFrame) -> dict[_Asked, Groups]:
    keys = ["org", "provider", "from_model", "feature", "task"]
    sums = facts.group_by(keys).agg(pl.col("answers", "output", "output_squares").sum())
    found: dict[_Asked, dict[tuple[str | None, str | None], Lengths]] = defaultdict(
        dict
    )
    for org, provider, model, feature, task, *three in sums.sort(keys).iter_rows():
        found[org, provider, model][feature, task] = Lengths(*three)
    return dict(found)


def _learned(
    move: dict[str, Any], lengths: dict[_Asked, Groups], confidence: float
) -> tuple[Any, ...]:
    org, was, to = move["org"], move["from_model"] or "", move["to_model"]
    same = same_tokens(was, to)
    keeps_tier = move["from_provider"] == move["to_provider"]
    found = None
    if was != to:
        found = length_ratio(
            lengths.get((org, move["from_provider"], was), {}),
            lengths.get((org, move["to_provider"], to), {}),
            confidence,
        )
    if found is None:
        return (1.0, 1.0, None, None, None, None, same, keeps_tier)
    ratio, (low, high, _), answers_from, answers_to = found
    return (ratio, ratio, low, high, answers_from, answers_to, same, keeps_tier)


def costs_by_day(
    log: pl.LazyFrame,
    facts: pl.DataFrame,
    kinds: pl.DataFrame,
    prices: PriceList | None,
) -> pl.DataFrame:
    """One row per move and day: counts by whether they can be judged, and both costs.

    Args:
        log: events with `cost_usd`.
        facts: with `move`.
        kinds: all kinds with `move` and what `costs.as_if` takes.
        prices: the user's own prices.

    Returns:
        `move`, `day`, the facts' counts, `judged`, `unpriced_after`, `output` tokens,
        `before_usd` and `after_usd`, both over the judged.
    """
    sums = (
        facts.drop_nulls("move")
        .group_by("move", "day")
        .agg(*summed((*FACTS, "spend_usd")))
    )
    if sums.is_empty():
        return none_moved(sums)
    quick = costs(log, kinds, prices, row_by_row=False)
    both = _beside(sums, collected(quick))
    # Where all of a day's rows had a price, or none had, its sums tell all.
    all_before = pl.col("unpriced") == 0
    none_before = (pl.col("unpriced") == pl.col("counted")) & ~all_before
    none_after = pl.col("judged") == 0
    all_after = pl.col("judged") == pl.col("counted")
    if not both.select(
        (none_before | (all_before & (all_after | none_after))).all()
    ).item():
        exact = costs(log, kinds, prices, row_by_row=True)
        return _beside(sums, collected(exact))
    spent = pl.when(none_after).then(0.0).otherwise("spend_usd")
    figures = ["judged", "output", "unpriced_after", "before_usd", "after_usd"]
    return both.with_columns(before_usd=spent).with_columns(
        pl.when(none_before).then(0).otherwise(pl.col(figures)).name.keep()
    )


def none_moved(sums: pl.DataFrame) -> pl.DataFrame:
    """`costs_by_day` where no rule moves anything."""
    counts = ["judged", "output", "unpriced_after"]
    none = [pl.lit(0).alias(name) for name in counts]
    none += [pl.lit(0.0).alias(name) for name in ("before_usd", "after_usd")]
    return _beside(sums, sums.select("move", "day", *none))


def _beside(sums: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """What was, with what would have been."""
    both = sums.join(after, on=["move", "day"], how="left").with_columns(
        pl.col("judged", "output", "unpriced_after").fill_null(0).cast(pl.Int64),
        pl.col("before_usd", "after_usd").fill_null(0.0),
        pl.col(FACTS).cast(pl.Int64),
    )
    return both.sort("move", "day")


def with_latencies(
    log: pl.LazyFrame, moves: pl.DataFrame, how: Percentiles = "exact"
) -> pl.DataFrame:
    """Moves with `before_` and `after_` latencies: what was observed, of each model.

    A target's are those of the same org and feature where these are enough, else of
    all the org's answers by it, else null: nothing is made up.
    """
    was, to = ["from_provider", "from_model"], ["to_provider", "to_model"]
    target = [*moves.select(to).unique().drop_nulls().iter_rows()]
    models = [*moves.select(was).unique().drop_nulls().iter_rows(), *target]
    times = latencies(log, models, how)
    aims = pl.DataFrame(
        target, {"provider": pl.String, "asked": pl.String}, orient="row"
    )
    here = percentiles(times, ["org", "feature"])
    of_targets = times.join(aims, on=["provider", "asked"], how="semi")
    anywhere = percentiles(of_targets, ["org"])
    enough = here.filter(pl.col("n") >= LEAST_TIMED)
    found = _timed(moves, here, ["org", "feature"], was, "before")
    found = _timed(found, enough, ["org", "feature"], to, "after")
    found = _timed(found, anywhere, ["org"], to, "model")
    of_feature = pl.col("after_n").is_not_null()
    of_model = pl.col("model_n").is_not_null()
    return found.with_columns(
        *(
            pl.coalesce(f"after_{name}", f"model_{name}").alias(f"after_{name}")
            for name in _MS
        ),
        after_latency_of=pl.when(of_feature)
        .then(pl.lit("feature"))
        .when(of_model)
        .then(pl.lit("model")),
        percentiles=pl.lit(how),
    ).drop(f"model_{name}" for name in _MS)


def _timed(
    moves: pl.DataFrame, times: pl.DataFrame, by: list[str], pair: list[str], name: str
) -> pl.DataFrame:
    return moves.join(
        times.rename({column: f"{name}_{column}" for column in _MS}),
        left_on=[*by, *pair],
        right_on=[*by, "provider", "asked"],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )


def with_moves(kinds: pl.DataFrame, moves: pl.DataFrame) -> pl.DataFrame:
    """All kinds, those that are moved with their move's number and what it carries."""
    carried = ["move", "times", "keeps_tier"]
    return (
        kinds.with_columns(from_provider=pl.col("provider"))
        .join(
            moves.select(*MOVE, *carried),
            on=MOVE,
            how="left",
            nulls_equal=True,
        )
        .with_columns(pl.when("changed").then(pl.col(carried)))
        .drop("from_provider")
        .select(
            *KEYS, "rule", "skipped", "from_model", "to_provider", "to_model", *carried
        )
    )
