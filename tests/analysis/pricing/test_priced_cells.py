"""What cells cost is what their rows cost."""

from datetime import UTC, datetime, time

import polars as pl
from cell_logs import cut, logs, user_prices
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.cells.facts import added, as_cells, facts
from lectr_lab.analysis.lab_rows import counted_log
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.pricing.priced_cells import COSTS, priced_cells
from lectr_lab.analysis.pricing.token_ratio import ratios, reported
from lectr_lab.analysis.views import rows
from lectr_lab.core.pricing.price_changes import change_days
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
    """Numbers of rows, and money, of counted and of estimated rows apart."""
    estimate = (pl.col("token_source") == "ratio").alias("estimate")
    numbers = [pl.col("rows").filter(p).sum().alias(n) for n, p in COUNTED.items()]
    keys = [
        *(rows.model() if name == "model" else pl.col(name) for name in by),
        estimate,
    ]
    found = cells.group_by(keys).agg(*numbers, pl.col(PUSD).sum(), pl.col("rows").sum())
    return found.sort([*by, "estimate"], nulls_last=True)


def of_log(log, prices):
    """A whole log's rows, each a cell."""
    return as_cells(priced(counted_log(log.lazy()), prices)).collect()


def of_parts(parts, prices, *, day=False):
    """The same from what was counted of its files."""
    sums = added(pl.concat([part.sums for part in parts]).lazy(), day=day)
    rest = pl.concat([frame([]), *(part.rest for part in parts)], how="diagonal").lazy()
    return sums, rest


@settings(max_examples=40)
@given(
    log=logs(DAYS),
    prices=user_prices,
    pieces=st.integers(1, 3),
    dice=st.randoms(),
    day=st.booleans(),
)
def test_cells_cost_what_their_rows_do(log, prices, pieces, dice, day):
    """To the last 1e-12 USD where they are counted, for any prices and any cut."""
    parts = [facts(part) for part in cut(log, pieces, dice)]
    learned = ratios(reported(log.lazy()))
    sums, rest = of_parts(parts, prices, day=day)

    cells = priced_cells(sums, prices, learned)
    left = counted_log(rest, makers=log.lazy(), per_model=learned)
    both = pl.concat([cells, as_cells(priced(left, prices))]).collect()

    expected = figures(of_log(log, prices), BY)
    found = figures(both, BY)
    exact = [name for name in found.columns if name not in PUSD]
    assert found.select(exact).equals(expected.select(exact))
    counted = ~pl.col("estimate").fill_null(False)
    assert found.filter(counted).equals(expected.filter(counted))
    for name in PUSD:
        for one, other, n in zip(
            found[name], expected[name], found["rows"], strict=True
        ):
            assert abs(one - other) <= n + 1e-9 * abs(other)


@settings(max_examples=20)
@given(log=logs(DAYS))
def test_other_prices_need_no_other_cells(log):
    """What was counted once is priced again by any list."""
    sums = facts(log).sums
    none = ratios(reported(frame([]).lazy()))

    free = priced_cells(sums.lazy(), (), none).collect()

    assert free.drop(*COSTS).equals(sums.drop("cost_stated_pusd"))
