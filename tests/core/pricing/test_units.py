"""The kinds of unit, and the price list."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.data_units import unit_data
from genai_prices.types import TieredPrices

from lectr_lab.core.event import columns
from lectr_lab.core.pricing.documented import documented
from lectr_lab.core.pricing.price import PriceQuery, cost_usd, find_price
from lectr_lab.core.pricing.units import COUNTS, TOKENS, UNITS, USAGE_KEYS

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
LISTED = [
    (provider.id, model)
    for provider in get_snapshot().providers
    for model in provider.models
    if provider.find_model(model.id) is model  # some ids mean another entry
]
# One of each provider's that are billed by the same units; all of them are slow.
OF_EACH_KIND = list(
    {
        f"{name} {documented(name, model.id)} {sorted(vars(model.get_prices(NOON)))}": (
            name,
            model,
        )
        for name, model in LISTED
    }.values()
)
some_or_all = pytest.mark.parametrize(
    "listed",
    [
        pytest.param(OF_EACH_KIND, id="of each kind"),
        pytest.param(LISTED, id="all", marks=pytest.mark.slow),
    ],
)
WHOLES = dict.fromkeys(UNITS["output_tokens"].parts, "output_tokens")
WHOLES |= dict.fromkeys(UNITS["input_tokens"].parts, "input_tokens")
WHOLES |= {"cache_write_1h_tokens": "cache_write_tokens"}
WHOLES |= {"cache_read_audio_tokens": "cache_read_tokens"}
ALONE = [c for c in COUNTS if c not in ("input_tokens", "cache_read_audio_tokens")]
NOWHERE_LISTED = ("other_tool_calls", "rerank_searches", "image_count")


@cache
def found_for(provider, model):
    return find_price(PriceQuery(provider, model, None, None, None, NOON))


def usd(provider, model, **counts):
    found = found_for(provider, model)
    return None if found is None else cost_usd(found, counts)


def rate(price, count):
    """USD for one, by the list alone; None where it has no such price."""
    unit = UNITS[count]
    listed = getattr(price, unit.price_key) if unit.price_key else None
    base = listed.base if isinstance(listed, TieredPrices) else listed
    if base is None:
        return None
    # As it is read: one token costs a whole number of 1e-12 USD.
    return (round(base, 6) if unit.per == 10**6 else base) / unit.per


def base_counts(price, count):
    """What a call has beside the count that is looked at."""
    if rate(price, "input_tokens") is None:
        return {}
    counts = {"input_tokens": 1000}
    whole = WHOLES.get(count)
    while whole is not None:
        counts[whole], whole = 1000, WHOLES.get(whole)
    return counts


@some_or_all
@pytest.mark.parametrize("count", ALONE)
def test_what_was_used_has_its_own_price_or_the_cost_is_unknown(count, listed):
    """Every entry of the list, every count: never $0, never another part's price."""
    checked = 0
    for provider, model in listed:
        price = model.get_prices(NOON)
        before = base_counts(price, count)
        told = documented(provider, model.id)
        without = usd(provider, model.id, **before)
        more = Decimal(7)

        found = usd(provider, model.id, **before, **{count: 7})

        own = rate(price, count)
        if count in told.usd:
            own = told.usd[count]
        if found is None or told.free:
            continue
        least = told.least.get(count, 0)
        whole = rate(price, WHOLES[count]) if count in WHOLES else Decimal(0)
        if own is None:
            assert count in told.with_whole or count == "image_count", (provider, model)
            own = whole
        due = (own - whole) * max(more, least)
        assert abs(found - (without or 0) - due) < Decimal("1e-20"), (provider, model)
        checked += 1
    assert checked or count in NOWHERE_LISTED


def test_cached_sound_is_billed_at_its_own_price():
    """It is a part of what was cached, and of what was heard."""
    heard = {"input_tokens": 1000, "cache_read_tokens": 7, "input_audio_tokens": 7}
    for provider, model in OF_EACH_KIND:
        found = usd(provider, model.id, **heard, cache_read_audio_tokens=7)

        own = rate(model.get_prices(NOON), "cache_read_audio_tokens")
        if own is None:
            assert found is None or documented(provider, model.id).free
        else:
            rest = 993 * rate(model.get_prices(NOON), "input_tokens")
            assert found == rest + 7 * own, (provider, model.id)


@some_or_all
@pytest.mark.parametrize("count", ALONE)
def test_what_the_list_has_a_price_for_is_priced(count, listed):
    """A law that holds because nothing is priced would say little."""
    key = UNITS[count].price_key
    known = [
        (provider, model)
        for provider, model in listed
        if key is not None and getattr(model.get_prices(NOON), key) is not None
        if not documented(provider, model.id).unknown
        # Its images may be a video, which has another price: see the test at the end.
        if (count, model.id) != ("input_image_tokens", "gemini-embedding-2")
    ]

    for provider, model in known:
        counts = base_counts(model.get_prices(NOON), count) | {count: 7}
        assert usd(provider, model.id, **counts) is not None, (provider, model.id)


def test_tokens_alone_cost_what_they_did():
    """Most of the list is billed by input and output, and by nothing else."""
    priced = 0
    for provider, model in OF_EACH_KIND:
        price = model.get_prices(NOON)
        rates = rate(price, "input_tokens"), rate(price, "output_tokens")
        if None in rates or documented(provider, model.id).unknown:
            continue
        if price.requests_kcount is None:
            found = usd(provider, model.id, input_tokens=1000, output_tokens=10)
            assert found == 1000 * rates[0] + 10 * rates[1], (provider, model.id)
            priced += 1
    assert priced > 0.6 * len(OF_EACH_KIND)


def test_the_units_are_the_lists():
    """Every key and every number is one of genai-prices' own."""
    for count, unit in UNITS.items():
        if unit.usage_key is not None:
            listed = unit_data[unit.usage_key]
            assert (unit.price_key, unit.per) == (listed["price_key"], listed["per"])
            tokens = listed["dimensions"]["family"] == "tokens"
            assert unit.apart == (not tokens), count


def test_every_count_of_the_log_is_a_unit():
    """A column that is billed and has no unit would be left out of every cost."""
    counted = {c.name for c in columns() if c.otel.startswith("gen_ai.usage.")}
    counted |= {c.name for c in columns() if c.otel.startswith("lectr.usage.")}

    assert counted - {"cost_stated_usd", "token_source"} == set(COUNTS)
    assert set(USAGE_KEYS) <= set(COUNTS)


def test_parts_stand_before_their_wholes():
    """Whoever goes through them can take a part off."""
    for number, count in enumerate(COUNTS):
        assert set(UNITS[count].parts) <= set(COUNTS[:number])
    assert TOKENS[-1] == "input_tokens"


def test_pictures_that_may_be_a_video_have_no_price_where_it_is_another():
    """A reply counts both as one; where their prices are equal, it does not matter."""
    counts = {"input_tokens": 1000, "input_image_tokens": 600}

    assert usd("gemini", "gemini-embedding-2", **counts) is None
    assert usd("gemini", "gemini-embedding-2", input_tokens=1000) == Decimal("0.0002")
    assert usd("gemini", "gemini-3.8-live", **counts, output_tokens=0) is not None
    assert usd("gemini", "gemini-2.5-flash", **counts, output_tokens=0) is not None
