"""What recommendations look at of a log of few enough rows: each of them."""

from datetime import date
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.given_log import Log, opened
from lectr_lab.analysis.log import AnyLog
from lectr_lab.analysis.log import Log as LabLog
from lectr_lab.analysis.monthly import day_edges
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.recommend.reprice import repriced
from lectr_lab.analysis.recommend.signals import KEYS, signals
from lectr_lab.analysis.views.collected import collected
from lectr_lab.core.pricing.price import PriceList


class AllRows(NamedTuple):
    """A log, as recommendations look at it."""

    groups: pl.DataFrame  # as `signals`
    edges: pl.DataFrame  # as `day_edges`
    log: pl.LazyFrame

    def repriced(
        self, changes: pl.DataFrame, today: date, prices: PriceList | None
    ) -> pl.DataFrame:
        """As `reprice.repriced`, and of each group its `days` with traffic."""
        costs = repriced(self.log, changes, today, prices)
        days = self.groups.lazy().select(*KEYS, "days")
        with_days = costs.join(
            days, on=KEYS, how="left", nulls_equal=True, maintain_order="left"
        )
        return collected(with_days)


def log_of(given: Log, own: PriceList | None, org: str | None = None) -> AnyLog:
    """A log, or the org's part of it, with what its rows cost.

    Args:
        given: whatever stands for one.
        own: the user's own prices, where it is not priced yet.
        org: one org alone.

    >>> from lectr_lab.analysis.scan import demo_log
    >>> type(log_of(demo_log(), None)).__name__
    'Log'
    """
    log = opened(given, own)
    if isinstance(log, LabLog):
        return log if org is None else log.select(org=org)
    some = log if org is None else log.filter(pl.col("org") == org)
    has = set(some.collect_schema().names())
    return some if {"cost_usd", "price_source"} <= has else priced(some, own)


def looked_at_all(log: AnyLog) -> AllRows:
    """A look at a log, row by row."""
    events = log.lazy()
    groups, edges = (collected(one) for one in (signals(events), day_edges(events)))
    return AllRows(groups, edges, events)
