"""The same looks at a log of many rows: sums of cells, and its newest rows.

What was asked, and what it costs here and there, is in cells: a cost is so much a token,
so a cell costs at a target what its rows do. How long answers are, and how long they
took, is told from the newest rows (`newest.py`), for a sum does not say it. Where cells
cannot say it, such as who asked, the same sums are made of the rows.
"""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.cells.newest import Newest
from lectr_lab.analysis.log import AnyLog, Log
from lectr_lab.analysis.newest import InCells, days_of, in_cells, newest
from lectr_lab.analysis.pricing.priced import OURS, priced
from lectr_lab.analysis.pricing.priced_cells import costed
from lectr_lab.analysis.pricing.token_ratio import (
    CHARS,
    ESTIMATES,
    per_char,
    tokens_sum,
)
from lectr_lab.analysis.simulate.costs import (
    PARTS,
    PRICED_BY,
    TARGET,
    answered,
    as_target,
    asked,
    day,
    of_kinds,
)
from lectr_lab.analysis.simulate.model_changes import FACTS, none_moved
from lectr_lab.analysis.simulate.reroute import KEYS, as_rules_see, joined
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.money import usd_of, usd_sum
from lectr_lab.analysis.views.rows import ROWS, Each
from lectr_lab.core.pricing.price import PriceList, PriceQuery
from lectr_lab.core.pricing.units import COUNTS
from lectr_lab.core.routing.rules import OF_RUN, Rule, asks_for_run

_CELLS = Each(calls=True, cells=True)
_ROWS = ROWS._replace(calls=True)
_UNSAID = ("provider_requested", *OF_RUN)  # by cells
_SAID = tuple(name for name in KEYS if name not in _UNSAID)
_COUNTED = (*COUNTS, *ESTIMATES, *CHARS.values())
_NEEDED = tuple(dict.fromkeys((*PRICED_BY, "outcome", "token_source", *_COUNTED)))
_OF_CELLS = ("rows", "band", "slot", "cost_stated_pusd")
_BILLED = (*PriceQuery._fields, "credential", *_COUNTED, *_OF_CELLS)
_WRITTEN = ("output_tokens", *PARTS)
_PER_CHAR = per_char("output_tokens")
_PUSD = ("before_pusd", "after_pusd", "fixed_pusd")
_OF_JUDGED = ("before_usd", "after_usd", "fixed_usd")
_AMOUNTS = (*_OF_JUDGED, "spend_usd")


class Piece(NamedTuple):
    """Calls of a log: cells that are to be priced, or rows that are."""

    each: Each
    calls: pl.LazyFrame
    at_any_time: pl.LazyFrame | None = None  # the same in fewer cells, of no day

    def costed(self, prices: PriceList | None) -> pl.LazyFrame:
        """Cells with their cost; rows have theirs."""
        return costed(self.calls, prices) if self.each.cells else self.calls

    def sums(
        self, by: Sequence[str], prices: PriceList | None
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """What was asked, by columns, and by `day` the `spend_usd`."""
        told = [*asked(self.each), tokens_sum("input_tokens").alias("input")]
        if self.at_any_time is None:
            calls = self.costed(prices).group_by(*by, day())
            sums = collected(calls.agg(told))
            counts = pl.exclude(*by, "day", "spend_usd")
            kinds = sums.group_by(by).agg(counts.sum(), usd_sum("spend_usd"))
            return kinds, sums.group_by("day").agg(usd_sum("spend_usd"))
        whole = costed(self.at_any_time, prices).group_by(by).agg(told)
        by_day = costed(self.calls.select(_BILLED), prices).group_by(day())
        spent = by_day.agg(self.each.usd("cost_usd").alias("spend_usd"))
        return collected(whole), collected(spent)


class ManyRows(NamedTuple):
    """A log of many rows, as a simulation looks at it."""

    log: AnyLog
    rules: Sequence[Rule]
    days: pl.DataFrame  # `newest.days_of` it
    pieces: list[Piece]
    newest: Newest  # calls alone

    def facts(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """`costs.facts` of all days together, and by `day` the `spend_usd`.

        Answers are those of the newest rows. The input of silent streams is added up
        before it is rounded.
        """
        by = (*KEYS, "outcome")
        sums = [piece.sums(by, _prices(self.log)) for piece in self.pieces]
        kinds, spent = zip(*sums, strict=True)
        answers = self.newest.rows.group_by(by).agg(*answered())
        together = pl.concat([*kinds, collected(answers)], how="diagonal").lazy()
        at = pl.lit(None, pl.Datetime("us", "UTC"))
        of_all = together.with_columns(day=at.dt.date(), first_at=at, last_at=at)
        by_day = pl.concat(spent).group_by("day").agg(usd_sum("spend_usd"))
        return collected(of_kinds(of_all)), by_day

    def costs_by_day(
        self, facts: pl.DataFrame, kinds: pl.DataFrame, prices: PriceList | None
    ) -> pl.DataFrame:
        """As `model_changes.costs_by_day`, which takes the same, but for one thing.

        An answer that is longer by what was learned costs so much more to the last
        digit: its tokens are not rounded by row.
        """
        some = kinds.drop_nulls("move")
        if some.is_empty():
            return none_moved(facts.clear().select("move", "day", *FACTS, "spend_usd"))
        elsewhere = pl.col("to_provider").ne_missing(pl.col("provider"))
        # Of a day's cells nobody knows at which times another provider would bill.
        timeless = some.filter(_by_time("to_provider") & elsewhere).is_empty()
        pieces = self.pieces if timeless else _of_rows(self.log, self.rules)
        learned = some.select("move", "times").unique()
        longer = bool(learned.select((pl.col("times") != 1).any()).item())
        parts = []
        for piece in pieces:
            moved = _moved(piece, kinds, _prices(self.log), prices, longer)
            parts.append(collected(_by_move(moved)))
        sums = pl.concat(parts).group_by("move", "day")
        after = sums.agg(
            pl.exclude("move", "day", *_AMOUNTS).sum(), *map(usd_sum, _AMOUNTS)
        ).join(learned, on="move")
        times, usd, fixed = (pl.col(n) for n in ("times", "after_usd", "fixed_usd"))
        return (
            after.with_columns(
                (pl.col("output") * times).round().cast(pl.Int64).alias("output"),
                pl.when(times == 1).then(usd).otherwise(fixed + times * (usd - fixed)),
            )
            .drop("times", "fixed_usd")
            .sort("move", "day")
        )


def many_rows(log: AnyLog, rules: Sequence[Rule]) -> ManyRows:
    """A look at a log that has more rows than are looked at one by one.

    Args:
        log: events with `cost_usd`.
        rules: what they ask for decides what is read.
    """
    cells = in_cells(log)
    days = days_of(log, cells)
    last = newest(log)
    calls = as_rules_see(last.rows.filter(rows.is_call()), rules)
    can_say = cells is not None and not asks_for_run(rules)
    use_cells = can_say and not _was_sent_elsewhere(log)
    pieces = _of_cells(cells) if cells and use_cells else _of_rows(log, rules)
    return ManyRows(log, rules, days, pieces, last._replace(rows=calls))


def _prices(log: AnyLog) -> PriceList | None:
    return log.prices if isinstance(log, Log) else None


def _was_sent_elsewhere(log: AnyLog) -> bool:
    """Rules had changed the provider of some request, which cells do not say."""
    stored = log.stored() if isinstance(log, Log) else log
    return bool(collected(stored.select(pl.col("provider_requested").count())).item())


def _of_cells(cells: InCells) -> list[Piece]:
    unsaid = [pl.lit(None, pl.String).alias(name) for name in _UNSAID]
    names = [*_SAID, *(name for name in _NEEDED if name not in _SAID)]
    of_cells = [*(n for n in names if n != "cost_stated_usd"), *_OF_CELLS]
    by_day, at_any_time = (
        some.cells.filter(rows.is_call()).select(*of_cells, *unsaid)
        for some in (cells.by_day, cells.at_any_time)
    )
    rest = cells.by_day.rows.filter(rows.is_call()).select(*names, "cost_usd", *unsaid)
    return [Piece(_CELLS, by_day, at_any_time), Piece(_ROWS, rest)]


def _of_rows(log: AnyLog, rules: Sequence[Rule]) -> list[Piece]:
    calls = as_rules_see(log.lazy().filter(rows.is_call()), rules)
    has, kinds = calls.collect_schema().names(), ESTIMATES
    none = (pl.lit(None, kinds[name]).alias(name) for name in kinds if name not in has)
    names = dict.fromkeys((*KEYS, *_NEEDED, "cost_usd"))
    return [Piece(_ROWS, calls.with_columns(none).select(*names))]


def _moved(
    piece: Piece,
    kinds: pl.DataFrame,
    own: PriceList | None,
    prices: PriceList | None,
    longer: bool,
) -> pl.LazyFrame:
    """Moved rows and cells as cells: what they cost, would cost, and without answers."""
    each, as_long = piece.each, kinds.with_columns(times=pl.lit(1.0))
    moved = Piece(each, joined(piece.calls, as_long, TARGET)).costed(own)
    here = moved.with_columns(
        before_pusd=each.pusd("cost_usd"), reasoned=pl.col("reasoning_tokens") > 0
    )
    there = as_target(here)
    if each.cells:
        slot = pl.when(_by_time("provider")).then("slot").otherwise(0)
        there = there.with_columns(slot.cast(pl.Int8).alias("slot"))
    found = _priced(each, there, prices).with_columns(
        after_pusd=each.pusd("cost_usd"), wrote="output_tokens", wrote_each=_PER_CHAR
    )
    fixed = pl.col("after_pusd")
    if longer:
        found = _priced(each, found.with_columns(_without_answers(each)), prices)
        fixed = each.pusd("cost_usd")
    return found.select(
        *("move", day(), "outcome", "reasoned", "cache_read_tokens"),
        pl.col("rows") if each.cells else pl.lit(1, pl.Int64).alias("rows"),
        *("input_tokens", *CHARS.values(), per_char("input_tokens")),
        pl.col("wrote").alias("output_tokens"),
        pl.col("wrote_each").alias(_PER_CHAR),
        *("before_pusd", "after_pusd", fixed.alias("fixed_pusd")),
    )


def _by_time(provider: str) -> pl.Expr:
    """Prices may go by the time of day (`pricing.bands.slot`)."""
    return ~pl.col(provider).is_in(OURS) | (pl.col(provider) == "azure")


def _priced(each: Each, moved: pl.LazyFrame, prices: PriceList | None) -> pl.LazyFrame:
    return costed(moved, prices) if each.cells else priced(moved, prices)


def _without_answers(each: Each) -> list[pl.Expr]:
    """Nothing was written, and nobody says of that what it cost."""
    none = (
        pl.lit(None, pl.Int128).alias("cost_stated_pusd")
        if each.cells
        else pl.lit(None, pl.Float64).alias("cost_stated_usd")
    )
    return [
        pl.when(pl.col(*_WRITTEN).is_not_null()).then(0).name.keep(),
        pl.when(pl.col(_PER_CHAR).is_not_null()).then(0.0).alias(_PER_CHAR),
        none,
    ]


def _by_move(costs: pl.LazyFrame) -> pl.LazyFrame:
    """`move`, `day`, `FACTS`, `spend_usd`, `judged`, `unpriced_after`, the judged's
    `output` tokens as they were, and their cost; `fixed_usd` is that without answers."""
    n, was = pl.col("rows"), pl.col("before_pusd").is_not_null()
    would = pl.col("after_pusd").is_not_null()
    told = pl.col("input_tokens").is_not_null()
    counted = told | was

    def some(which: pl.Expr) -> pl.Expr:
        return pl.when(which).then(n).sum()

    sums = costs.group_by("move", "day", known=was & would).agg(
        n.sum().alias("requests"),
        some(counted).alias("counted"),
        some(counted & ~was).alias("unpriced"),
        some(rows.answered() & ~counted).alias("uncounted"),
        some(pl.col("cache_read_tokens") > 0).alias("cached"),
        some(pl.col("reasoned")).alias("reasoned"),
        tokens_sum("input_tokens").alias("input"),
        some(was & would).alias("judged"),
        some(told & was & ~would).alias("unpriced_after"),
        tokens_sum("output_tokens").alias("output"),
        usd_of(pl.col("before_pusd").sum()).alias("spend_usd"),
        *(usd_of(pl.col(name).sum()).alias(_usd(name)) for name in _PUSD),
    )
    of_all = [*FACTS, "judged", "unpriced_after"]
    known = pl.col("known")
    return sums.group_by("move", "day").agg(
        pl.col(of_all).sum(),
        usd_sum("spend_usd"),
        pl.col("output").filter(known).sum(),
        *(usd_sum(pl.col(name).filter(known)).alias(name) for name in _OF_JUDGED),
    )


def _usd(pusd: str) -> str:
    return pusd.replace("_pusd", "_usd")
