"""What cells cost is what their rows cost."""

from datetime import UTC, datetime, time

import polars as pl
import pytest
from cell_logs import cut, logs, user_prices
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.cells.facts import added, as_cells, facts
from lectr_lab.analysis.lab_rows import counted_log
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.pricing.priced_cells import (
    COSTS,
    ON_DAY,
    costed,
    with_estimates,
)
from lectr_lab.analysis.pricing.token_ratio import ratios, reported, tokens_sum
from lectr_lab.analysis.views import rows
from lectr_lab.core.pricing.price_changes import change_days
from lectr_lab.core.pricing.units import TOKENS
from lectr_lab.log.schema import frame

DAYS = [datetime.combine(day, time(), UTC) for day in change_days(())[-3:]]
BY = ["org", "feature", "task", "provider", "model", "outcome", "credential", "kind"]
COUNTED = {
    "priced": rows.is_priced(),
    "unpriced": rows.unpriced(),
    "uncounted": rows.uncounted() & ~rows.is_priced(),
    "estimated": rows.estimated() & rows.is_priced(),
    "on_plan": pl.col("plan_usd").is_not_null(),
    "stated": pl.col("cost_stated_usd").is_not_null(),
    "sourced": pl.col("price_source") == "genai-prices",
}
PUSD = [name for name in COSTS if name.endswith("_pusd")]


def figures(cells, by):
    """Numbers of rows, money and tokens."""
    numbers = [pl.col("rows").filter(p).sum().alias(n) for n, p in COUNTED.items()]
    keys = [
        *(rows.model() if name == "model" else pl.col(name) for name in by),
    ]
    tokens = [tokens_sum(name).alias(name) for name in TOKENS]
    found = cells.group_by(keys).agg(*numbers, pl.col(PUSD).sum(), *tokens)
    return found.sort(by, nulls_last=True)


def of_log(log, prices):
    """A whole log's rows, each a cell."""
    return as_cells(priced(counted_log(log.lazy()), prices)).collect()


def of_parts(parts, prices, *, day=False):
    """The same from what was counted of its files."""
    at = pl.col("started_at").dt.truncate("1d") if day else None
    sums = added(pl.concat([part.sums for part in parts]).lazy(), at=at)
    rest = pl.concat([frame([]), *(part.rest for part in parts)], how="diagonal").lazy()
    return sums, rest


random_cuts = given(
    log=logs(DAYS),
    prices=user_prices,
    pieces=st.integers(1, 3),
    dice=st.randoms(),
    day=st.booleans(),
)


@settings(max_examples=15)
@random_cuts
def test_cells_cost_what_their_rows_do(log, prices, pieces, dice, day):
    """To the last 1e-12 USD and the last token, for any prices and any cut."""
    hold(log, prices, pieces, dice, day)


@pytest.mark.slow
@settings(max_examples=80)
@random_cuts
def test_many_logs_cost_what_their_rows_do(log, prices, pieces, dice, day):
    """The same of more of them."""
    hold(log, prices, pieces, dice, day)


def hold(log, prices, pieces, dice, day):
    parts = [facts(part) for part in cut(log, pieces, dice)]
    learned = ratios(pl.concat([part.taught for part in parts]).lazy())
    sums, rest = of_parts(parts, prices, day=day)

    cells = costed(with_estimates(sums, learned.collect()), prices)
    left = counted_log(rest, makers=log.lazy(), per_model=learned)
    both = pl.concat([cells, as_cells(priced(left, prices))]).collect()

    assert figures(both, BY).equals(figures(of_log(log, prices), BY))


@settings(max_examples=20)
@given(log=logs(DAYS))
def test_other_prices_need_no_other_cells(log):
    """What was counted once is priced again by any list."""
    sums = facts(log).sums
    none = ratios(reported(frame([]).lazy())).collect()

    free = costed(with_estimates(sums.lazy(), none), ()).collect()

    assert free.select(sums.columns[:-6]).equals(sums.select(sums.columns[:-6]))


@settings(max_examples=10, deadline=None)
@given(log=logs(DAYS), prices=user_prices, day=st.sampled_from(DAYS))
def test_what_cells_would_cost_on_a_day(log, prices, day):
    """What they cost if they were sent on it, at the same times."""
    learned = ratios(reported(log.lazy())).collect()
    told = with_estimates(facts(log).sums.lazy(), learned)
    at = pl.col("started_at")
    then = day + (at - at.dt.truncate("1d"))

    found = costed(told, prices, day.date()).collect()

    moved = costed(told.with_columns(then.alias("started_at")), prices).collect()
    assert found[ON_DAY].equals(moved["cost_pusd"])
    assert found.drop(ON_DAY).equals(costed(told, prices).collect())
