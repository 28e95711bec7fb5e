"""When prices can change."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from genai_prices.data_snapshot import get_snapshot

from lectr_lab.core.pricing.price import PriceQuery, UserPrice, find_price
from lectr_lab.core.pricing.price_changes import (
    change_days,
    list_changes,
    model_change_days,
)

MODELS = [
    (p.id, m.id)
    for p in get_snapshot().providers
    for m in p.models
    if isinstance(m.prices, list) or m.price_variants  # others have one price for ever
]


@pytest.mark.parametrize("provider", sorted({provider for provider, _ in MODELS}))
def test_no_price_changes_between_two_of_the_days(provider):
    """A price of the first day still holds on the day before the next one."""
    models = [model for listed, model in MODELS if listed == provider]

    def prices(day):
        at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        return [
            find_price(PriceQuery(provider, m, None, None, None, at, geo))
            for m in models
            for geo in (None, "us")
        ]

    days = [date(2000, 1, 1), *change_days((), others=True), date(2100, 1, 1)]
    for first, following in pairwise(days):
        assert prices(first) == prices(following - timedelta(days=1))


@pytest.mark.parametrize("provider", sorted({provider for provider, _ in MODELS}))
def test_no_price_of_a_model_changes_between_two_of_its_own_days(provider):
    """Wherever it is asked: of whom lists it, of Azure, or by a gateway's name."""
    for model in (model for listed, model in MODELS if listed == provider):
        at_gateway = f"{provider}/{model}"
        for place in [
            *((provider, model), ("azure", model)),
            *(("mine", at_gateway), (None, at_gateway)),
        ]:
            own = sorted(model_change_days(*place))
            for first, following in pairwise(
                [date(2000, 1, 1), *own, date(2100, 1, 1)]
            ):
                last = following - timedelta(days=1)
                assert _price(*place, first) == _price(*place, last), place


def _price(provider, model, day):
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return find_price(PriceQuery(provider, model, None, None, None, at, "us"))


def test_the_users_entries_change_on_their_first_day_and_after_their_last():
    """Both days of an entry are part of it."""
    mine = UserPrice(
        model="mine",
        input_usd_per_mtok=Decimal(1),
        output_usd_per_mtok=Decimal(2),
        first_day=date(2031, 1, 1),
        last_day=date(2031, 1, 31),
    )

    assert {*change_days((mine,))} - {*change_days(())} == {
        date(2031, 1, 1),
        date(2031, 2, 1),
    }


def test_what_only_imported_logs_name_changes_prices_too():
    """Ours are among them."""
    ours, every = list_changes(), list_changes(others=True)

    assert ours.days and ours.input_tokens
    assert ours.days <= every.days
    assert ours.input_tokens < every.input_tokens
