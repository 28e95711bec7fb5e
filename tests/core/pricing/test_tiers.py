"""What a service tier costs, where the price list has no figure of its own."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import TieredPrices

from lectr_lab.core.pricing.price import PriceQuery, find_price
from lectr_lab.core.pricing.tiers import in_whole_pusd, tier_prices, tier_times

NOW = datetime(2026, 11, 24, tzinfo=UTC)
COLUMNS = {"batch": "batches", "flex": "flex", "priority": "priority"}


def input_usd(provider, model, tier, at=NOW):
    found = find_price(PriceQuery(provider, model, None, None, tier, at))
    usd = None if found is None else found.price.input_mtok
    return getattr(usd, "base", usd)


def test_every_figure_is_the_one_of_its_source(shared):
    """Each model of the table, against the list that the table was read from."""
    listed = pl.read_parquet(shared / "datasets/prices/litellm_prices.parquet")
    checked = 0
    for row in listed.to_dicts():
        model = row["key"].split("/")[-1]
        if model == "gpt-4o-mini" or model.startswith("gpt-4o-mini-2024"):
            continue  # one region's figure is rounded: 0.083 for 0.0825
        for tier, column in COLUMNS.items():
            times = tier_times(row["provider"], model, tier)
            if times is None:
                continue
            for way in ("input", "output"):
                usd = row[f"{way}_cost_per_token_{column}"]
                standard = row[f"{way}_cost_per_token"]
                if usd and standard:
                    assert usd / standard == pytest.approx(float(times), rel=1e-6), row
                    checked += 1
    assert checked > 200


def test_every_entry_says_where_it_is_from():
    """A page and a day, and a price that a model can have."""
    for entry in tier_prices():
        assert entry.source.startswith("https://")
        assert entry.checked <= date(2026, 11, 24)
        assert Decimal("0.1") <= entry.times <= 3


def test_what_the_list_says_goes_first():
    """The list has gpt-4o-mini at priority, the table has not; both agree on gpt-5."""
    assert input_usd("openai", "gpt-4o-mini", "priority") == Decimal("0.25")
    assert input_usd("openai", "gpt-5", "flex") * 2 == input_usd(
        "openai", "gpt-5", None
    )


@pytest.mark.parametrize(
    "provider, model, tier, times",
    [
        ("gemini", "gemini-2.5-flash", "flex", "0.5"),
        ("gemini", "gemini-2.5-flash", "priority", "1.8"),
        ("azure", "gpt-5.4-2026-03-05", "batch", "0.5"),
        ("azure", "gpt-5.5", "priority", "2.5"),
        ("anthropic", "claude-sonnet-4-5-20250929", "batch", "0.5"),
        ("groq", "llama-3.1-8b-instant", "flex", "1"),
    ],
)
def test_a_tier_the_list_does_not_have_is_in_the_table(provider, model, tier, times):
    """So many times the standard price."""
    standard = input_usd(provider, model, None)

    assert input_usd(provider, model, tier) == standard * Decimal(times)


def test_a_tier_before_the_list_has_it_is_in_the_table():
    """The list knows batches from October 2026 only."""
    before = datetime(2026, 9, 1, tzinfo=UTC)

    batch = input_usd("openai", "gpt-4.1", "batch", before)

    assert batch * 2 == input_usd("openai", "gpt-4.1", None, before)


@pytest.mark.parametrize(
    "provider, model, tier",
    [
        ("anthropic", "claude-sonnet-4-5", "priority"),
        ("groq", "llama-3.1-8b-instant", "performance"),
        ("openai", "gpt-4o", "a-new-word"),
        ("azure", "gpt-4o", "priority"),  # OpenAI's is OpenAI's
    ],
)
def test_a_tier_nobody_knows_has_no_price(provider, model, tier):
    """It is not taken to cost what the standard tier costs."""
    assert input_usd(provider, model, None) is not None
    assert input_usd(provider, model, tier) is None


@pytest.mark.parametrize("tier", ["default", "standard", "on_demand", "auto"])
def test_the_standard_tier_has_many_names(tier):
    """Each costs what no name at all costs."""
    assert input_usd("openai", "gpt-4o", tier) == input_usd("openai", "gpt-4o", None)


def test_searches_and_long_prompts_scale_as_they_are_billed():
    """A tier of long prompts is scaled with the rest; a search costs what it costs."""
    asked = PriceQuery("gemini", "gemini-2.5-pro", None, None, None, NOW)
    plain, flex = (
        find_price(asked._replace(service_tier=tier)).price for tier in (None, "flex")
    )

    assert flex.input_mtok.base * 2 == plain.input_mtok.base
    assert [t.price * 2 for t in flex.input_mtok.tiers] == [
        t.price for t in plain.input_mtok.tiers
    ]
    assert vars(flex).get("web_searches_kcount") == vars(plain).get(
        "web_searches_kcount"
    )


def test_names_are_without_their_date():
    """A glob with a date would never fit."""
    names = [name for entry in tier_prices() for name in entry.models]

    assert not [n for n in names if re.search(r"\d{4}-\d{2}-\d{2}$", n)]
    assert names == [n.lower() for n in names]


def test_a_token_costs_a_whole_number_of_pusd():
    """Of every listed model, tier by tier: 1e-12 USD, so that sums are exact."""
    for provider in get_snapshot().providers:
        for model in provider.models:
            price = in_whole_pusd(model.get_prices(NOW))
            for name, usd in vars(price).items():
                if name.endswith("_mtok") and usd is not None:
                    listed = getattr(model.get_prices(NOW), name)
                    each = _each_price(usd)
                    assert all(one * 10**6 % 1 == 0 for one in each), (model.id, name)
                    assert each == pytest.approx(
                        _each_price(listed), abs=Decimal("5e-7")
                    )


def _each_price(usd):
    if isinstance(usd, TieredPrices):
        return [usd.base, *(tier.price for tier in usd.tiers)]
    return [usd]
