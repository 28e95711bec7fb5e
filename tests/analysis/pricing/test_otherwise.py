"""What rows would have cost with other counts: what rows with those counts cost."""

from datetime import UTC, datetime, time

import polars as pl
from cell_logs import logs, user_prices
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.lab_rows import counted_log
from lectr_lab.analysis.pricing.otherwise import priced_otherwise
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views import rows
from lectr_lab.core.pricing.price_changes import change_days

DAYS = [datetime.combine(day, time(), UTC) for day in change_days(())[-3:]]
few = st.sampled_from([None, 0, 7, 40_000])
PARTS = ("cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens")
counts = st.fixed_dictionaries({}, optional=dict.fromkeys(PARTS, few))


@settings(max_examples=15, deadline=None)
@given(
    log=logs(DAYS, most=60),
    prices=user_prices,
    otherwise=st.lists(counts, min_size=1, max_size=3),
    at_least=st.integers(0, 400_000),
)
def test_other_counts_cost_what_rows_with_them_do(log, prices, otherwise, at_least):
    """To the last bit: of few rows that are others, and of estimates, too."""
    told = counted_log(log.lazy()).collect().lazy()  # in one order
    many = pl.col("input_tokens") >= at_least
    scenes = {
        f"usd_{nth}": {
            name: pl.when(many).then(pl.lit(n, pl.Int64)).otherwise(name)
            for name, n in some.items()
        }
        for nth, some in enumerate(otherwise)
    }

    found = priced_otherwise(told, scenes, prices).select(*scenes).collect()

    for name, changed in scenes.items():
        others = [count.alias(of) for of, count in changed.items()]
        alone = priced(told.with_columns(others), prices).select(rows.list_usd())
        assert found[name].equals(alone.collect().to_series())
