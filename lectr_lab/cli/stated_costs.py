"""What a source says that calls cost, beside what they cost by list."""

from pathlib import Path
from typing import Any

import polars as pl

from lectr_lab.core import formatting

_APART = 0.01  # of the larger of two costs
_ROUNDING_USD = 1e-6  # what an export cuts off


def stated_cost_sentence(lab: Path, source: str, org: str) -> str | None:
    """How many of a source's calls cost otherwise by its own word; None where none do.

    Also None where the extra with the price list is not installed.

    Args:
        lab: the lab folder that they were imported to.
        source: as the log names it.
        org: whose calls.
    """
    try:
        from lectr_lab.analysis.scan import scan
    except ModuleNotFoundError:
        return None
    stated, listed = pl.col("cost_stated_usd"), pl.col("cost_usd")
    most = pl.max_horizontal(stated, listed)
    apart = (stated - listed).abs() > most * _APART + _ROUNDING_USD
    log = scan(lab).filter(source=source, org=org)
    both = log.filter(stated.is_not_null() & listed.is_not_null())
    sums = both.select(
        n=pl.len(),
        apart=apart.sum(),
        stated=stated.filter(apart).sum(),
        listed=listed.filter(apart).sum(),
    )
    return _sentence(sums.collect().row(0, named=True), source)


def _sentence(sums: dict[str, Any], source: str) -> str | None:
    if not sums["apart"]:
        return None
    return (
        f"What {source} says that calls cost is not the list's price of "
        f"{formatting.count(sums['apart'])} of {formatting.count(sums['n'])}: "
        f"{formatting.usd(sums['stated'])} there, {formatting.usd(sums['listed'])} by list."
    )
