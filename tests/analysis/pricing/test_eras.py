"""Since when the prices hold that a request has."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.pricing.eras import era
from lectr_lab.core.pricing.price import PriceQuery, UserPrice, find_price
from lectr_lab.core.pricing.price_changes import change_days

DAYS = [date(2000, 1, 1), *change_days((), others=True)]
PLACES = [
    *(("openai", "o3"), ("anthropic", "claude-opus-4-6"), ("azure", "gpt-5.4")),
    *(("mine", "anthropic/claude-sonnet-4.5"), (None, "openai/o3"), ("groq", None)),
    *((None, None), ("deepseek", "deepseek-chat"), ("openrouter", "openai/gpt-4o")),
]
MINE = UserPrice(
    model="o3",
    input_usd_per_mtok=Decimal(1),
    output_usd_per_mtok=Decimal(2),
    first_day=date(2026, 3, 7),
    last_day=date(2026, 3, 8),
)
moments = st.builds(
    lambda day, hours: (
        datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hours)
    ),
    st.sampled_from([*DAYS, date(2026, 3, 7), date(2026, 3, 9)]),
    st.integers(-1, 1),
)


def frame(rows):
    return pl.DataFrame(
        [(at, provider, None, model, "as requested") for at, (provider, model) in rows],
        {
            "started_at": pl.Datetime("us", "UTC"),
            "provider": pl.Categorical,
            **dict.fromkeys(["model_actual", "model_sent", "model_requested"], pl.Utf8),
        },
        orient="row",
    )


@given(
    st.lists(st.tuples(moments, st.sampled_from(PLACES)), max_size=8),
    st.sampled_from([(), (MINE,)]),
)
def test_a_price_is_the_same_from_its_beginning_on(rows, prices):
    """At the moment that is told, and at that of the row; none begins later than it."""
    log = frame(rows)

    begins = log.select(era(prices)).to_series()

    assert begins.dtype == log["started_at"].dtype
    for (at, (provider, model)), begun in zip(rows, begins, strict=True):
        assert begun <= at
        query = PriceQuery(provider, None, model, None, None, at)
        then = query._replace(started_at=datetime.combine(begun, at.time(), UTC))
        assert find_price(query, prices) == find_price(then, prices)


def test_a_model_has_few_of_a_lists_days():
    """So most of a year of it is one era."""
    days = [
        datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(300)
    ]

    begins = frame([(at, ("openai", "o3")) for at in days]).select(era()).to_series()

    assert 1 < begins.n_unique() < len([d for d in DAYS if d.year == 2026]) / 3
