"""What a cost is made of."""

from decimal import Decimal

import msgspec
import polars as pl
import pytest
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.pricing.cost_parts import PARTS, with_cost_parts
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.core.pricing.price import UserPrice, price_event
from lectr_lab.log.schema import frame

SOLD = ("openai", "anthropic", "google", "groq", "mistral")
LISTED = sorted(
    ("gemini" if provider.id == "google" else provider.id, model.id)
    for provider in get_snapshot().providers
    if provider.id in SOLD
    for model in provider.models
)
MINE = (
    UserPrice(
        model="*",
        input_usd_per_mtok=Decimal("1.9"),
        output_usd_per_mtok=Decimal(7),
        cache_read_usd_per_mtok=Decimal("0.5"),
        web_search_usd=Decimal("0.01"),
    ),
)


@st.composite
def counts(draw):
    """Of a chat's reply: parts within their wholes, and few tokens, that no tier is met."""
    whole, out = draw(st.integers(0, 9_000)), draw(st.integers(0, 2_000))
    read = draw(st.integers(0, whole))
    write = draw(st.integers(0, whole - read))
    hour = draw(st.integers(0, write))
    return {
        "input_tokens": whole,
        "cache_read_tokens": read,
        "cache_write_tokens": write,
        "cache_write_1h_tokens": hour,
        "output_tokens": out,
        "reasoning_tokens": draw(st.integers(0, out)),
        "web_searches": draw(st.sampled_from([None, None, 0, 3])),
    }


def without(event, part):
    """The request as if it had none of that."""
    fewer = {
        "cache_read_usd": ["cache_read_tokens"],
        "cache_write_usd": ["cache_write_tokens"],
        "output_usd": [],
        "other_usd": [],
    }[part]
    gone = {"input_tokens": event.input_tokens - sum(getattr(event, n) for n in fewer)}
    gone |= dict.fromkeys(fewer, 0)
    if part == "cache_write_usd":
        gone["cache_write_1h_tokens"] = 0
    elif part == "output_usd":
        gone |= {"output_tokens": 0, "reasoning_tokens": 0}
    elif part == "other_usd":
        gone["web_searches"] = None if event.web_searches is None else 0
    return msgspec.structs.replace(event, **gone)


@settings(max_examples=40, deadline=None)
@given(
    calls=st.lists(
        st.tuples(st.sampled_from(LISTED), counts()), min_size=1, max_size=8
    ),
    own=st.booleans(),
)
def test_a_part_is_what_the_request_would_cost_less_without_it(event, calls, own):
    """By the scalar rule of prices; and the parts sum to the cost."""
    prices = MINE if own else ()
    events = [
        event(provider=provider, model_actual=model, **told)
        for (provider, model), told in calls
    ]

    found = with_cost_parts(priced(frame(events).lazy(), prices), prices).collect()

    for one, row in zip(events, found.iter_rows(named=True), strict=True):
        whole = price_event(one, prices)
        if whole is None:
            assert [row[part] for part in PARTS] == [None] * len(PARTS)
            continue
        assert sum(row[part] for part in PARTS) == pytest.approx(float(whole))
        for part in PARTS[1:]:
            rest = price_event(without(one, part), prices)
            assert rest is not None
            assert row[part] == pytest.approx(float(whole - rest), abs=1e-12), part


def test_what_a_plan_covered_has_parts_of_nothing(event):
    """It is billed by the month, whatever was counted."""
    plan = priced(frame([event(credential="plan")]).lazy())

    found = with_cost_parts(plan).select(PARTS).collect().row(0)

    assert found == (0.0,) * len(PARTS)


def test_a_price_that_is_not_told_has_one_part(event):
    """The user's own prices are not in the log: without them all of it is `other_usd`."""
    log = priced(frame([event(model_actual="ours")]).lazy(), MINE)

    blind, told = (
        with_cost_parts(log, prices).collect().row(0, named=True)
        for prices in (None, MINE)
    )

    assert blind["other_usd"] == blind["cost_usd"] > 0
    assert (told["other_usd"], told["output_usd"] > 0) == (0.0, True)


def test_an_empty_log_has_the_columns():
    """No rows, and the columns all the same."""
    found = with_cost_parts(priced(frame([]).lazy())).collect()

    assert set(PARTS) <= set(found.columns)
    assert all(found.schema[part] == pl.Float64 for part in PARTS)
