"""What one more of a count costs: held against the price of whole calls."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.reconcile.exports.shape import Dimensions
from lectr_lab.analysis.reconcile.unit_prices import COUNTS, UnitPrices
from lectr_lab.core.event import Event
from lectr_lab.core.pricing.price import UserPrice, price_event

DAY = date(2026, 11, 2)
NOON = datetime.combine(DAY, time(12), UTC)
MODELS = [
    ("openai", "gpt-4o-mini-2024-07-18"),
    ("openai", "gpt-4o-audio-preview-2024-12-17"),
    ("anthropic", "claude-sonnet-4-5-20250929"),
    ("gemini", "gemini-2.5-flash"),
    ("openai", "text-embedding-3-small"),
    ("openai", "nobody-knows"),
]


@settings(max_examples=150, deadline=None)
@given(
    which=st.sampled_from(MODELS),
    fresh=st.integers(0, 20_000),
    read=st.integers(0, 5_000),
    written=st.integers(0, 5_000),
    hour=st.floats(0, 1),
    output=st.integers(0, 20_000),
    searches=st.integers(0, 9),
)
def test_a_call_costs_the_sum_of_its_counts(
    event, which, fresh, read, written, hour, output, searches
):
    """Where a call has a price, its counts have the same; of one without, none has."""
    provider, model = which
    counts = {
        "input_tokens": fresh + read + written,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "cache_write_1h_tokens": int(written * hour),
        "output_tokens": output,
        "web_searches": searches,
    }
    call = event(started_at=NOON, provider=provider, model_actual=model, **counts)
    usd = price_event(call)

    found = UnitPrices(provider).usd(model, DAY, Dimensions(), counts)

    if usd is not None and found is not None:
        assert found == pytest.approx(float(usd), abs=1e-12)
    if model == "nobody-knows" and any(counts.values()):
        assert found is None


def test_a_count_of_none_needs_no_price():
    """Nothing was used of it."""
    none = dict.fromkeys(COUNTS, 0)

    assert UnitPrices("openai").usd("nobody-knows", DAY, Dimensions(), none) == 0


def test_one_s_own_price_goes_before_the_list():
    """A deployment of Azure's, say."""
    own = (
        UserPrice(
            model="m", input_usd_per_mtok=Decimal(2), output_usd_per_mtok=Decimal(8)
        ),
    )

    found = UnitPrices("azure", own).usd(
        "m", DAY, Dimensions(), {"input_tokens": 10**6, "output_tokens": 10**6}
    )

    assert found == 10


def test_it_is_told_whether_a_dimension_changes_a_price():
    """A batch does; what has no price does not tell."""
    units, plain = UnitPrices("openai"), Dimensions()

    assert units.differs("gpt-4o-mini", DAY, plain, Dimensions("batch"))
    assert not units.differs("gpt-4o-mini", DAY, plain, Dimensions("standard"))
    assert not units.differs("nobody-knows", DAY, plain, Dimensions("batch"))


def test_a_request_that_has_a_fee_is_no_dearer_token():
    """Each search model's has one: without the number of requests nothing is known."""
    units, counts = UnitPrices("openai"), {"input_tokens": 1000, "output_tokens": 0}
    call = Event(
        event_id=bytes(16),
        started_at=NOON,
        org="",
        path="",
        operation="chat",
        outcome="ok",
        total_ms=0.0,
        provider="openai",
        model_actual="gpt-4o-search-preview",
        **counts,
    )
    usd = price_event(call)

    found = units.usd("gpt-4o-search-preview", DAY, Dimensions(), counts, 1)

    assert found is None if usd is None else found == pytest.approx(float(usd))
