"""What a call costs by the place where it ran."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from lectr_lab.core.pricing.geo import geo_prices, geo_times
from lectr_lab.core.pricing.price import (
    USAGE_KEYS,
    PriceQuery,
    UserPrice,
    cost_usd,
    find_price,
)

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
OPUS = PriceQuery("anthropic", "claude-opus-5-5", None, None, "standard", NOON)
COUNTS = dict.fromkeys(USAGE_KEYS) | {
    "input_tokens": 2600,
    "output_tokens": 50,
    "cache_read_tokens": 2000,
    "cache_write_tokens": 500,
    "cache_write_1h_tokens": 200,
}


@pytest.mark.parametrize(
    ("geo", "usd"),
    [
        ("us", "0.00539"),
        ("global", "0.0049"),
        ("not_available", "0.0049"),
        (None, "0.0049"),
    ],
)
def test_a_place_costs_what_claude_code_says_it_does(geo, usd):
    """Its own `total_cost_usd` of the same counts; every kind of token, times 1.1."""
    found = find_price(OPUS._replace(inference_geo=geo))

    assert found is not None
    assert cost_usd(found.price, COUNTS) == Decimal(usd)


@pytest.mark.parametrize(
    "query",
    [
        OPUS._replace(inference_geo="eu"),
        OPUS._replace(inference_geo="US "),
        OPUS._replace(
            inference_geo="us", started_at=datetime(2026, 2, 4, 23, tzinfo=UTC)
        ),
        PriceQuery("openai", "gpt-4o", None, None, None, NOON, "us"),
    ],
)
def test_a_place_that_is_not_known_has_no_price(query):
    """At that provider, on that day; it is not taken to cost what anywhere costs."""
    assert find_price(query._replace(inference_geo=None)) is not None
    assert find_price(query) is None


def test_searches_cost_the_same_everywhere():
    """The factor is one of tokens."""
    there, here = (find_price(OPUS._replace(inference_geo=g)) for g in ("us", None))
    searches = dict.fromkeys(USAGE_KEYS) | {"input_tokens": 0, "web_searches": 3}

    assert cost_usd(there.price, searches) == cost_usd(here.price, searches) > 0


def test_a_tiers_price_is_multiplied_too():
    """Fast mode and place add up."""
    fast = OPUS._replace(service_tier="fast")
    there, here = find_price(fast._replace(inference_geo="us")), find_price(fast)

    assert there.price.input_mtok == here.price.input_mtok * Decimal("1.1")


def test_a_price_of_the_users_own_is_what_they_say():
    """Wherever it ran."""
    own = UserPrice(
        model="*", input_usd_per_mtok=Decimal(7), output_usd_per_mtok=Decimal(7)
    )

    found = find_price(OPUS._replace(inference_geo="mars"), (own,))

    assert (found.source, found.price.input_mtok) == ("user", 7)


def test_every_entry_says_where_it_is_from():
    """A page and a day, and a factor that a place can have."""
    for entry in geo_prices():
        assert entry.source.startswith("https://")
        assert entry.first_day <= entry.checked <= date(2026, 11, 30)
        assert 1 < entry.times < 2
        assert geo_times(entry.provider, entry.geo, entry.first_day) == entry.times
