"""What the cache saved, what it missed, and what to change for that."""

from pathlib import Path
from typing import Any

import polars as pl

from lectr_lab.analysis.given_log import Log, as_log
from lectr_lab.analysis.pricing.price_file import read_prices
from lectr_lab.analysis.views.cache_dollars import with_dollars
from lectr_lab.analysis.views.cache_misses import CAUSES, PARTS, with_misses
from lectr_lab.analysis.views.groups import By, grouped, key_names
from lectr_lab.analysis.views.money import pusd, usd_of, usd_sum
from lectr_lab.core import formatting
from lectr_lab.core.pricing.price import PriceList

_ADVICE = {
    "pause": "Most is lost to pauses longer than the cache lasts{longer}.",
    "tools": "Most is lost where tools changed: send the same ones in the same order, and "
    "those not wanted too.",
    "system": "Most is lost where the system prompt changed: put what differs, such as the "
    "time or a name, behind what stays.",
    "history": "Most is lost where earlier messages were edited: add to them, and cut "
    "seldom and much.",
    "model": "Most is lost where the model changed within a session: each has a cache of "
    "its own, so stay with one.",
    "parameters": "Most is lost where parameters changed (tool choice, thinking, effort, a "
    "schema, the first picture): keep them through a session.",
    "provider": "Most is lost though nothing changed and it was in time: that is the "
    "provider's doing. A stable prompt_cache_key may help, where there is one.",
    "too_short": "Most prompts are shorter than this provider caches: put more of what "
    "stays before what changes, or leave it.",
    "unmarked": "Most is not marked for the cache: add "
    'cache_control={"type": "ephemeral"} to the request.',
}

OF_LOST = (
    *("org", "feature", "kind", "operation", "path"),
    *("input_tokens", "cache_read_tokens", "is_watched", "saved_usd"),
    *(f"missed_{part}" for part in PARTS),
    *(f"{part}_cause" for part in PARTS),
    *(f"lost_{part}_usd" for part in PARTS),
    *("missed_longer", "longer_saves_usd", "longer_costs_usd", "longer_how"),
)
"""The columns that `cache_of` and `losses_of` take by feature."""


def cache(
    log: Log,
    by: By = "feature",
    *,
    org: str | None = None,
    prices: PriceList | Path | str | None = None,
) -> pl.LazyFrame:
    """What the cache saved each group, and what was lost by cause; most lost first.

    Dollars are those of the very rows, priced again with other counts of tokens read and
    written; which tokens those are is told by characters. What a plan covers is at list
    price.

    Args:
        log: events with `cost_usd`, as `scan` gives them.
        by: one column, several, or None for one row per org: feature, client, session.
        org: one org alone; without it, `org` is the first column.
        prices: the user's own prices, or the file that has them, as given to `scan`.

    Returns:
        The keys, then `requests`, `watched` (those whose prompt was compared with the one
        before; nothing is lost of others, nor of the first of a session), `unpriced`
        (those whose dollars are not known), `hit_rate` (of the input, 0 to 1), `saved_usd` (below 0 where more was written than read),
        `lost_usd` (the difference to a full hit) and its parts, null where there is none:

        - `lost_to_pause_usd`: kept, and unused for longer than the provider keeps it;
        - `lost_to_tools_usd`, `…system…`, `…history…`, `…model…`, `…parameters…`: from
          the change on;
        - `lost_to_provider_usd`: kept and in time, and still not read;
        - `lost_to_too_short_usd`: below the length that the provider caches;
        - `lost_to_unmarked_usd`: the provider caches what is marked, and this was not.

        `longer_saves_usd` and `longer_costs_usd`: what the longer time to live that the
        provider offers (an hour) would have saved, and cost. `advice`: what to change.

    Raises:
        LabError: a column that the log does not have.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> lectr.table(lectr.cache(log).select("feature", "saved_usd", "lost_usd").head(2))
    feature        lost   saved
    coding-agent  $5.49  $18.69
    untagged      $1.45   $5.62
    """
    return cache_of(lost_of(log, prices), by, org)


def cache_of(
    lost: pl.LazyFrame, by: By = "feature", org: str | None = None
) -> pl.LazyFrame:
    """`cache`, of what `lost_of` gives."""
    found = grouped(lost, _measures(), by=by, org=org)
    keys = key_names(by, org=org)
    order = [pl.col("lost_usd"), pl.col("saved_usd"), *map(pl.col, keys)]
    falling = [True, True, *[False] * len(keys)]
    told = found.with_columns(advice=_advice()).drop("longer_how")
    return told.sort(order, descending=falling, nulls_last=True)


def cache_losses(
    log: Log,
    by: By = None,
    *,
    org: str | None = None,
    prices: PriceList | Path | str | None = None,
) -> pl.LazyFrame:
    """What was lost by each cause, most first: one row per group and cause.

    Args:
        log: events with `cost_usd`, as `scan` gives them.
        by: one column, several, or None for one row per org and cause.
        org: one org alone; without it, `org` is the first column.
        prices: the user's own prices, or the file that has them.

    Returns:
        The keys and `cause` (as `cache` names them), then `requests`, `missed_tokens`
        and `lost_usd`.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> lectr.table(lectr.cache_losses(log).head(2))
    cause    lost  requests  missed tokens
    pause   $3.47        38      1,445,081
    system  $2.62        80      1,091,672
    In every row: org made-up-data.
    """
    own = _own(prices)
    some = _some_missed(with_misses(as_log(log, own)))
    return losses_of(with_dollars(some, own), by, org)


def losses_of(
    lost: pl.LazyFrame, by: By = None, org: str | None = None
) -> pl.LazyFrame:
    """`cache_losses`, of what `lost_of` gives."""
    named = [] if by is None else [by] if isinstance(by, str) else list(by)
    # Groups are told apart by part, and not rows: these are many.
    alike = [*named, *(f"{part}_cause" for part in PARTS)]
    sums = grouped(_some_missed(lost), _of_parts(), by=alike, org=org)
    keys = key_names([*named, "cause"], org=org)
    pusds = pl.col("lost_pusd")
    found = (
        _in_parts(sums)
        .group_by(keys)
        .agg(
            pl.col("requests", "missed_tokens").sum(),
            usd_of(pl.when(pusds.is_not_null().any()).then(pusds.sum())).alias(
                "lost_usd"
            ),
        )
    )
    order = ["lost_usd", "missed_tokens", *keys]
    falling = [True, True, *[False] * (len(order) - 2)]
    return found.sort(order, descending=falling, nulls_last=True)


def _of_parts() -> list[pl.Expr]:
    """What was missed of each part of a prompt, of rows alike in the causes of all; a
    request counts once a cause."""
    missed, told = _missed(), []
    for nth, part in enumerate(PARTS):
        cause = pl.col(f"{part}_cause")
        again = [
            missed[other] & (pl.col(f"{other}_cause") == cause) for other in PARTS[:nth]
        ]
        counts = missed[part] & ~pl.any_horizontal(pl.lit(False), *again)
        lost = pusd(pl.when(missed[part]).then(f"lost_{part}_usd"))
        told += [
            counts.sum().cast(pl.Int64).alias(f"requests_{part}"),
            pl.col(f"missed_{part}").sum(),
            pl.when(lost.is_not_null().any()).then(lost.sum()).alias(f"lost_{part}"),
        ]
    return told


def _in_parts(sums: pl.LazyFrame) -> pl.LazyFrame:
    """A row for each part of a prompt of which something was missed."""
    parts = [
        pl.struct(
            cause=f"{part}_cause",
            requests=f"requests_{part}",
            missed_tokens=f"missed_{part}",
            lost_pusd=f"lost_{part}",
        )
        for part in PARTS
    ]
    each = sums.with_columns(_part=pl.concat_list(parts)).explode("_part")
    return each.unnest("_part").filter(pl.col("missed_tokens") > 0)


def _missed() -> dict[str, pl.Expr]:
    """Of each part of a prompt, whether some of it was missed."""
    return {part: pl.col(f"missed_{part}") > 0 for part in PARTS}


def _some_missed(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.filter(pl.any_horizontal(_missed().values()))


def lost_of(log: Log, prices: PriceList | Path | str | None = None) -> pl.LazyFrame:
    """The log's counted calls, each with what the cache saved and missed."""
    own = _own(prices)
    return with_dollars(with_misses(as_log(log, own)), own)


def _own(prices: PriceList | Path | str | None) -> PriceList | None:
    return read_prices(prices) if isinstance(prices, Path | str) else prices


def _sum(name: str) -> pl.Expr:
    """A sum that is null where nothing is known."""
    usd = pl.col(name)
    return pl.when(usd.is_not_null().any()).then(usd_sum(usd)).alias(name)


def _measures() -> list[pl.Expr]:
    total, read = pl.col("input_tokens").sum(), pl.col("cache_read_tokens").sum()
    lost = pl.sum_horizontal(f"lost_{part}_usd" for part in PARTS)
    watched, priced = pl.col("is_watched"), pl.col("saved_usd").is_not_null()
    return [
        pl.len().cast(pl.Int64).alias("requests"),
        watched.sum().cast(pl.Int64).alias("watched"),
        pl.col("saved_usd").is_null().sum().cast(pl.Int64).alias("unpriced"),
        pl.when(total > 0).then(read / total).alias("hit_rate"),
        _sum("saved_usd"),
        pl.when(watched.any() & priced.any()).then(usd_sum(lost)).alias("lost_usd"),
        *(_lost_to(cause) for cause in CAUSES),
        _of_longer("longer_saves_usd"),
        _of_longer("longer_costs_usd"),
        pl.col("longer_how").drop_nulls().first().alias("longer_how"),
    ]


def _lost_to(cause: str) -> pl.Expr:
    parts = [
        pl.when(pl.col(f"{part}_cause") == cause)
        .then(f"lost_{part}_usd")
        .otherwise(0.0)
        for part in PARTS
    ]
    usd = usd_sum(pl.sum_horizontal(parts))
    return pl.when(usd > 0).then(usd).alias(f"lost_to_{cause}_usd")


def _of_longer(name: str) -> pl.Expr:
    """Only where it would have read something."""
    some = (pl.col("missed_longer") > 0).any()
    return pl.when(some).then(usd_sum(name)).alias(name)


def _advice() -> pl.Expr:
    names = [f"lost_to_{cause}_usd" for cause in CAUSES]
    needed = [*names, "watched", "longer_saves_usd", "longer_costs_usd", "longer_how"]
    return pl.struct(needed).map_batches(
        lambda some: pl.Series([_sentence(row) for row in some], dtype=pl.String),
        return_dtype=pl.String(),
    )


def _sentence(row: dict[str, Any]) -> str | None:
    lost = {cause: row[f"lost_to_{cause}_usd"] or 0.0 for cause in CAUSES}
    cause = max(CAUSES, key=lost.__getitem__)
    if not lost[cause]:
        return (
            None if row["watched"] else "No prompt was watched: ask through the proxy."
        )
    return (
        _ADVICE[cause].format(longer=_longer(row))
        if cause == "pause"
        else (_ADVICE[cause])
    )


def _longer(row: dict[str, Any]) -> str:
    """What a longer time to live would have done."""
    saves, costs = row["longer_saves_usd"], row["longer_costs_usd"]
    if saves is None:
        return ""
    sums = (
        f"it would have saved {formatting.usd(saves)} and cost {formatting.usd(costs)}"
    )
    if saves <= costs:
        return f"; a longer life would not pay: {sums}"
    return f": ask for a longer life, {row['longer_how']}; {sums}"
