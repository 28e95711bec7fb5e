"""Rare looks become incidents: one for an episode of a series, with all its kinds.

An episode opens where a look is within the budget, and goes on while any kind is under
`findings.WARM`; an hour's quiet ends it, and half its length after a window of six.
Beside the fixed budget stands Benjamini and Hochberg's rule at each tick, at the same
total level: where k series are odd at once, each may be k times as frequent, for things
that break together are told apart from chance by that.
Source: Benjamini & Hochberg, Controlling the false discovery rate (1995).
"""

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.odd.predict import HOUR

_FIRST = ("rate", "window", "cell", "kind")  # of alarms as rare, one is the first


class Episode(NamedTuple):
    """One episode of a series, in cells."""

    series: int
    found: int  # the cell whose look opened it
    last: int  # of its last warm look
    open: bool
    first: pl.DataFrame  # the alarms of that first look
    alarms: pl.DataFrame


def alarms(looks: pl.DataFrame, budget: float) -> pl.DataFrame:
    """The looks within the budget, or within their tick's by Benjamini and Hochberg.

    Args:
        looks: rare ones of all series, as `findings.LOOKS`.
        budget: expected false alarms a feature-week.
    """
    rank = pl.int_range(1, pl.len() + 1).over("cell", order_by="rate")
    best = (
        looks.group_by("cell", "series")
        .agg(pl.col("rate").min())
        .with_columns(rank=rank)
        .filter(pl.col("rate") <= pl.col("rank") * budget)
        .group_by("cell")
        .agg(together=pl.col("rank").max())
    )
    within = pl.col("rate") <= pl.col("together") * budget
    return looks.join(best, on="cell").filter(within)


def episodes(looks: pl.DataFrame, budget: float, last_cell: int) -> Iterator[Episode]:
    """The incidents of all series, each when it began.

    Args:
        looks: rare ones of all series, as `findings.LOOKS`.
        budget: expected false alarms a feature-week.
        last_cell: the one that is now.
    """
    for (series,), alarmed in alarms(looks, budget).group_by(
        "series", maintain_order=True
    ):
        warm = (
            looks.filter(pl.col("series") == series)
            .group_by("cell")
            .agg(pl.col("window").max())
            .sort("cell")
        )
        hot = sorted(set(alarmed["cell"].to_list()))
        for found, last, reach in _runs(hot, list(warm.iter_rows())):
            inside = alarmed.filter(pl.col("cell").is_between(found, last))
            yield Episode(
                int(str(series)),
                found,
                last,
                last + reach >= last_cell,
                inside.filter(pl.col("cell") == found).sort(_FIRST),
                inside.sort(_FIRST),
            )


def _runs(
    hot: list[int], warm: list[tuple[int, int]]
) -> Iterator[tuple[int, int, int]]:
    """First and last cell of each run of warm looks from an alarm on, and its reach."""
    over = -1
    for alarm in hot:
        if alarm <= over:
            continue
        last, reach = alarm, HOUR
        for cell, window in warm:
            if cell < alarm:
                continue
            if cell > last + reach:
                break
            last, reach = cell, max(HOUR, window // 2)
        over = last
        yield alarm, last, reach
