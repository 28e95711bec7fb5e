"""A kind's cost is a fixed sum, and so much for each of what was counted."""

from datetime import UTC, datetime

import pytest
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.pricing.linear import at_length, linear
from lectr_lab.core.pricing.price import PriceQuery, cost_usd, find_price

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
LISTED = [
    (provider.id, model.id)
    for provider in get_snapshot().providers
    for model in provider.models
]
some = st.integers(1, 30_000)


def found(provider, model):
    return find_price(PriceQuery(provider, model, None, None, None, NOON))


@given(
    st.sampled_from(LISTED), some, some, st.integers(0, 30_000), st.integers(1, 10**6)
)
def test_it_says_what_the_scalar_rule_says(listed, sent, made, read, more):
    """For every listed model, at any length of input."""
    price = found(*listed)
    if price is None:
        return
    counts = {"input_tokens": sent + read + more, "output_tokens": made}
    if read:
        counts["cache_read_tokens"] = read

    billed = linear(price, counts["input_tokens"], dict.fromkeys(counts, True))

    usd = cost_usd(price, counts)
    if usd is None:
        assert billed is None
    else:
        each = (billed.each_pusd[name] * n for name, n in counts.items())
        assert billed.flat_pusd + sum(each) == usd * 10**12


def test_a_fee_for_each_request_stands_by_itself():
    """It is of no count."""
    price = found("perplexity", "sonar-pro")

    billed = linear(price, 0, {"input_tokens": True, "output_tokens": False})

    assert billed.flat_pusd > 0
    assert billed.each_pusd["output_tokens"] == 0


@pytest.mark.parametrize("told", [{}, {"output_tokens": True}])
def test_what_is_not_known_of_a_row_is_not_known_of_many(told):
    """Nobody counted its input."""
    assert linear(found("openai", "gpt-4o"), 0, told) is None


def test_prices_at_a_length_have_no_tiers():
    """A tier holds above its start, for every token."""
    price = found("gemini", "gemini-2.5-pro").price

    short, at, long = (at_length(price, n).input_mtok for n in (0, 200_000, 200_001))

    assert short == at == price.input_mtok.base
    assert long == price.input_mtok.tiers[-1].price
