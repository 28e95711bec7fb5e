"""The same looks at a log of many rows: sums of cells, and its newest rows.

How many requests there are and what they cost, here and as another model, is in cells: a
cost is so much a token, so a cell costs what its rows do. What requests look like and
use is told from the newest rows (`newest.py`), but for what counts say of all.

Where prices changed, the lower of what was paid and of today's counts, and the dearer of
what a target cost then and costs today: not of each request, but of all of a day that
are billed alike (in tier, place, length and time of day) and are priced in both ways.
"""

from datetime import date
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.log import AnyLog, Log
from lectr_lab.analysis.newest import days_of, in_cells, newest
from lectr_lab.analysis.pricing.bands import band, lengths, slot
from lectr_lab.analysis.pricing.priced_cells import costed
from lectr_lab.analysis.pricing.token_ratio import (
    CHARS,
    ESTIMATES,
    length_of,
    per_char,
    prompt_bucket,
)
from lectr_lab.analysis.recommend.reprice import (
    MODELS,
    as_target,
    both_ways,
    on_day,
)
from lectr_lab.analysis.recommend.signals import (
    KEYS,
    counted_uses,
    judged,
    shapes,
    size,
    sizes,
)
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.money import pusd, usd_of
from lectr_lab.analysis.views.rows import ROWS, Each
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.core.pricing.units import COUNTS

_CELLS = Each(cells=True)
_COSTS = ("paid", "from_today", "to_then", "to_today")
_ALIKE = ("service_tier", "inference_geo", "band", "slot", "paid_by")
_FOUND = ("n", "from_usd", "to_usd", "unpriced")
_PER_CHAR = per_char("input_tokens")
_MOST_AT_HAND = 1_500_000  # cells, of 400 bytes each
_OF_CELLS = (
    *("started_at", "org", "feature", "task", "provider", *MODELS),
    *("service_tier", "inference_geo", "credential", "token_source", "band", "slot"),
    *("rows", *COUNTS, *ESTIMATES, *CHARS.values(), "cost_stated_pusd"),
)
"""What is asked of cells, and what their prices go by."""


class ManyRows(NamedTuple):
    """A log of many rows, as recommendations look at it."""

    groups: pl.DataFrame  # as `signals`, with how many were looked at
    edges: pl.DataFrame  # as `day_edges`
    pieces: list[tuple[Each, pl.LazyFrame]]  # cells or rows, with what they cost

    def repriced(
        self, changes: pl.DataFrame, today: date, prices: PriceList | None
    ) -> pl.DataFrame:
        """As `reprice.repriced`, which takes the same."""
        numbered = changes.with_row_index("change")
        parts = [
            collected(_alike(_priced(piece, numbered, today, prices)))
            for piece in self.pieces
        ]
        by_day = _by_day(pl.concat(parts).lazy())
        names = [*KEYS, "to_model"]
        found = by_day.join(numbered.lazy(), on="change").sort(*names, "day")
        return collected(found.select(*names, "day", *_FOUND))


def many_rows(log: AnyLog) -> ManyRows:
    """A look at a log that has more rows than are looked at one by one.

    Args:
        log: events with `cost_usd`.
    """
    cells = in_cells(log)
    days = days_of(log, cells)
    if cells is None:
        pieces = [(ROWS, log.lazy())]
    else:
        pieces = [(_CELLS, cells.apart.cells), (ROWS, cells.apart.rows)]
    own = log.prices if isinstance(log, Log) else None
    told = [(each, frame.filter(judged())) for each, frame in pieces]
    told = [(e, _costed(some, own) if e.cells else some) for e, some in told]
    groups = _sizes(told)
    shape = collected(shapes(newest(log).rows))
    return ManyRows(_together(groups, shape), days, told)


def _costed(cells: pl.LazyFrame, prices: PriceList | None) -> pl.LazyFrame:
    """Cells with what they cost, at hand where they are few: they are asked for twice."""
    told = costed(cells.select(_OF_CELLS), prices)
    few = collected(cells.select(pl.len())).item() <= _MOST_AT_HAND
    return collected(told).lazy() if few else told


def _sizes(pieces: list[tuple[Each, pl.LazyFrame]]) -> pl.DataFrame:
    parts, at = [], pl.col("started_at")
    for each, frame in pieces:
        by = frame.with_columns(rows.model(), passed=_passed(each, frame)).group_by(
            *KEYS, "model_requested", day=at.dt.date()
        )
        most = pl.col("passed").max()
        parts.append(collected(by.agg(*size(each), *counted_uses(), most)))
    together = pl.concat(parts).lazy().group_by(KEYS)
    uses, passed = pl.col("^uses_.*$").any(), pl.col("passed").max()
    return collected(together.agg(*sizes(), uses, passed))


def _passed(each: Each, frame: pl.LazyFrame) -> pl.Expr:
    """A length that the input passed, where prices change at one; null for estimates."""
    steps = band(pl.col("input_tokens"))
    if each.cells:
        steps = pl.col("band")
    if _PER_CHAR in frame.collect_schema().names():
        steps = pl.when(pl.col(_PER_CHAR).is_null()).then(steps)
    starts = [*enumerate(lengths(), start=1)][::-1]
    return pl.coalesce(
        pl.when(steps >= n).then(pl.lit(start + 1, pl.Int64)) for n, start in starts
    )


def _together(groups: pl.DataFrame, shape: pl.DataFrame) -> pl.DataFrame:
    """Groups with what they look like; of those that no new request is of, nothing."""
    both = groups.join(shape, on=KEYS, how="left", nulls_equal=True, suffix="_seen")
    seen = [name for name in both.columns if name.endswith("_seen")]
    uses = [name.removesuffix("_seen") for name in seen]
    counts = pl.col("^n_.*$", "^looked_.*$").fill_null(0)
    most = pl.max_horizontal("input_most_tokens", "passed")
    return (
        both.with_columns(
            counts,
            pl.col("^uses_.*$", "unsaid").fill_null(False),
            most.alias("input_most_tokens"),
        )
        .with_columns(
            pl.col(one) | pl.col(two) for one, two in zip(uses, seen, strict=True)
        )
        .drop(*seen, "passed")
    )


def _priced(
    piece: tuple[Each, pl.LazyFrame],
    changes: pl.DataFrame,
    today: date,
    prices: PriceList | None,
) -> pl.LazyFrame:
    """Rows and cells of the groups that may change, with what each costs, in 1e-12 USD."""
    each, frame = piece
    some = frame.with_columns(rows.model()).join(
        changes.lazy(), on=KEYS, how="inner", nulls_equal=True
    )
    if each.cells:
        found = _cells_both_ways(some, today, prices)
        amounts = [pl.col(f"{name}_pusd") for name in _COSTS]
        alike = [pl.col("band", "slot")]
    else:
        found = both_ways(some.filter(rows.is_priced()), today, prices)
        amounts = [pusd(f"{name}_usd").alias(f"{name}_pusd") for name in _COSTS]
        n = pl.lit(1, pl.Int64)
        at = pl.col("kept_at").alias("started_at")
        found = found.with_columns(at, rows=n, band=_band(some)).with_columns(
            slot=slot()
        )
        alike = [pl.col("band", "slot")]
    names = ("change", "service_tier", "inference_geo", "paid_by", "rows")
    return found.select(*names, *alike, *amounts, day=pl.col("kept_at").dt.date())


def _band(some: pl.LazyFrame) -> pl.Expr:
    length = pl.col("input_tokens")
    if {*ESTIMATES} <= {*some.collect_schema().names()}:
        of_estimate = length_of(prompt_bucket(), pl.col(_PER_CHAR))
        length = pl.coalesce(of_estimate, length)
    return band(length)


def _cells_both_ways(
    some: pl.LazyFrame, today: date, prices: PriceList | None
) -> pl.LazyFrame:
    """As `both_ways`, of cells with what they cost."""
    cost = pl.col("cost_pusd")
    paid = some.filter(cost.is_not_null())
    found = paid.with_columns(
        kept_at=pl.col("started_at"), paid_pusd=cost, paid_by=pl.col("price_source")
    )
    at_today = on_day(today).alias("started_at")
    found = costed(found.with_columns(at_today), prices)
    found = found.with_columns(
        *as_target(some.collect_schema().names()),
        from_today_pusd=cost,
        started_at=pl.col("kept_at"),
    )
    found = costed(found, prices).with_columns(at_today, to_then_pusd=cost)
    return costed(found, prices).with_columns(to_today_pusd=cost)


def _alike(costs: pl.LazyFrame) -> pl.LazyFrame:
    """The sums of a day's requests that are billed alike, and priced in the same ways."""
    amounts = [f"{name}_pusd" for name in _COSTS]
    known = [pl.col(n).is_not_null().alias(f"{n}_known") for n in amounts]
    by = costs.group_by("change", "day", *_ALIKE, *known)
    return by.agg(pl.col("rows", *amounts).sum())


def _by_day(sums: pl.LazyFrame) -> pl.LazyFrame:
    """`repriced`, of sums of pieces; a change by its number."""
    amounts = [f"{name}_pusd" for name in _COSTS]
    known = [f"{name}_known" for name in amounts]
    whole = sums.group_by("change", "day", *_ALIKE, *known).agg(
        pl.col("rows", *amounts).sum()
    )
    some = [pl.when(f"{n}_known").then(n).alias(n) for n in amounts]
    is_own = (pl.col("paid_by") == "user").fill_null(False)
    lower = pl.min_horizontal("paid_pusd", "from_today_pusd")
    dearer = pl.max_horizontal("to_then_pusd", "to_today_pusd")
    both = pl.col("to_today_pusd_known")
    n = pl.col("rows")
    return (
        whole.with_columns(some)
        .with_columns(from_pusd=pl.when(is_own).then("paid_pusd").otherwise(lower))
        .group_by("change", "day")
        .agg(
            n.filter(both).sum().alias("n"),
            usd_of(pl.col("from_pusd").filter(both).sum()).alias("from_usd"),
            usd_of(dearer.filter(both).sum()).alias("to_usd"),
            n.filter(~both).sum().alias("unpriced"),
        )
    )
