"""The same looks at a log of many rows: sums of cells, and its newest rows.

How many requests there are and what they cost, here and as another model, is in cells: a
cost is so much a token, so a cell costs what its rows do. What requests look like and
use is told from the newest rows (`newest.py`), but for what counts say of all.

Where prices changed, the lower of what was paid and of today's counts, and the dearer of
what a target cost then and costs today: not of each request, but of all of a day that
are billed alike (in tier, place, length and time of day) and are priced in both ways.
"""

from datetime import date
from random import SystemRandom
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.log import AnyLog, Log
from lectr_lab.analysis.newest import days_of, in_cells, newest
from lectr_lab.analysis.pricing.bands import band, lengths, slot
from lectr_lab.analysis.pricing.priced_cells import ON_DAY, costed
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
from lectr_lab.analysis.views.percentiles import group_number
from lectr_lab.analysis.views.rows import ROWS, Each
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.core.pricing.units import COUNTS

_CELLS = Each(cells=True)
_COSTS = ("paid", "from_today", "to_then", "to_today")
_ALIKE = ("service_tier", "inference_geo", "band", "slot", "paid_by")
_FOUND = ("n", "from_usd", "to_usd", "unpriced", "days")
_PER_CHAR = per_char("input_tokens")
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
    pieces: list[tuple[Each, pl.LazyFrame]]  # cells by day; rows, with what they cost
    own: PriceList | None  # that cells are priced by

    def repriced(
        self, changes: pl.DataFrame, today: date, prices: PriceList | None
    ) -> pl.DataFrame:
        """As `reprice.repriced`, and of each group its `days` with traffic."""
        numbered = changes.with_row_index("change")
        parts = [
            collected(_alike(_priced(piece, numbered, today, prices, self.own)))
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
    own = log.prices if isinstance(log, Log) else None
    if cells is None:
        whole = pieces = [(ROWS, log.lazy().filter(judged()))]
    else:
        some = cells.at_any_time.cells.filter(judged())
        rest = ROWS, cells.by_day.rows.filter(judged())
        whole = [(_CELLS, costed(some.select(_OF_CELLS), own)), rest]
        by_day = cells.by_day.cells.filter(judged())
        pieces = [(_CELLS, by_day.select(_OF_CELLS)), rest]
    shape = collected(shapes(newest(log).rows))
    return ManyRows(_together(_sizes(whole), shape), days, pieces, own)


def _sizes(pieces: list[tuple[Each, pl.LazyFrame]]) -> pl.DataFrame:
    parts = []
    for each, frame in pieces:
        told = frame.with_columns(rows.model(), passed=_passed(each, frame))
        most = pl.col("passed").max()
        by = told.group_by(*KEYS, "model_requested")
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
    own: PriceList | None,
) -> pl.LazyFrame:
    """Rows and cells of the groups that may change, with what each costs, in 1e-12 USD."""
    each, frame = piece
    some = _of_groups(frame, changes).with_columns(rows.model())
    if each.cells:
        found = _cells_both_ways(some, changes, today, prices, own)
        amounts = [pl.col(f"{name}_pusd") for name in _COSTS]
    else:
        asked = some.join(changes.lazy(), on=KEYS, how="inner", nulls_equal=True)
        found = both_ways(asked, today, prices)
        amounts = [pusd(f"{name}_usd").alias(f"{name}_pusd") for name in _COSTS]
        n = pl.lit(1, pl.Int64)
        at = pl.col("kept_at").alias("started_at")
        found = found.with_columns(at, rows=n, band=_band(some)).with_columns(
            slot=slot()
        )
    names = ("change", "service_tier", "inference_geo", "paid_by", "rows")
    day = pl.col("started_at").dt.date().alias("day")
    return found.select(*names, "band", "slot", *amounts, day)


def _band(some: pl.LazyFrame) -> pl.Expr:
    length = pl.col("input_tokens")
    if {*ESTIMATES} <= {*some.collect_schema().names()}:
        of_estimate = length_of(prompt_bucket(), pl.col(_PER_CHAR))
        length = pl.coalesce(of_estimate, length)
    return band(length)


def _cells_both_ways(
    cells: pl.LazyFrame,
    changes: pl.DataFrame,
    today: date,
    prices: PriceList | None,
    own: PriceList | None,
) -> pl.LazyFrame:
    """As `both_ways`, of cells: what they cost here is told once, whatever the changes."""
    cost, then = pl.col("cost_pusd"), pl.col(ON_DAY)
    paid = costed(cells, own, today)
    here = paid.with_columns(paid_pusd=cost, paid_by="price_source")
    if (own or ()) != (prices or ()):
        here = costed(here, prices, today)
    asked = here.with_columns(from_today_pusd=then).join(
        changes.lazy(), on=KEYS, how="inner", nulls_equal=True
    )
    there = asked.with_columns(*as_target(asked.collect_schema().names()))
    found = costed(there, prices, today)
    return found.with_columns(to_then_pusd=cost, to_today_pusd=then)


def _of_groups(frame: pl.LazyFrame, changes: pl.DataFrame) -> pl.LazyFrame:
    """What is of the groups that may change, told by a hash: what is read is less so. A
    join by names, which comes after, leaves out what has a hash of theirs by chance."""
    seed, of_change = SystemRandom().getrandbits(62), [pl.col(key) for key in KEYS]
    wanted = changes.select(group_number(of_change, seed)).unique().to_series()
    number = group_number([*of_change[:-1], rows.model()], seed)
    return frame.filter(number.is_in(wanted.implode()))


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
    of_groups = whole.group_by("change").agg(pl.col("day").n_unique().alias("days"))
    some = [pl.when(f"{n}_known").then(n).alias(n) for n in amounts]
    is_own = (pl.col("paid_by") == "user").fill_null(False)
    lower = pl.min_horizontal("paid_pusd", "from_today_pusd")
    dearer = pl.max_horizontal("to_then_pusd", "to_today_pusd")
    both = pl.col("to_today_pusd_known")
    n = pl.col("rows")
    return (
        whole.filter("paid_pusd_known")
        .with_columns(some)
        .with_columns(from_pusd=pl.when(is_own).then("paid_pusd").otherwise(lower))
        .group_by("change", "day")
        .agg(
            n.filter(both).sum().alias("n"),
            usd_of(pl.col("from_pusd").filter(both).sum()).alias("from_usd"),
            usd_of(dearer.filter(both).sum()).alias("to_usd"),
            n.filter(~both).sum().alias("unpriced"),
        )
        .join(of_groups, on="change")
    )
