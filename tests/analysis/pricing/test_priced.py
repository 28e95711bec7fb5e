"""A frame's costs."""

import json
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import cycle

import msgspec
import polars as pl
import pytest
from genai_prices import Usage, calc_price, extract_usage
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.core.pricing.price import USAGE_KEYS, UserPrice, price_event
from lectr_lab.core.pricing.price_changes import change_days, list_changes
from lectr_lab.core.pricing.units import COUNTS
from lectr_lab.log.schema import frame

OURS = {provider.id: provider.id for provider in get_snapshot().providers}
OURS |= {"google": "gemini"}
SOLD_BY_AZURE = ["openai", "anthropic", "deepseek", "x-ai", "moonshotai"]
OTHERS = [("gemini", "imagen-3.0-generate-001"), ("cohere", "rerank-v3.5")]
LISTED = OTHERS + sorted(
    (ours, model.id)
    for provider in get_snapshot().providers
    for ours in [OURS[provider.id]]
    + (["azure"] if provider.id in SOLD_BY_AZURE else [])
    for model in provider.models
)
GATEWAYS = [
    (gateway, name)
    for gateway in ("openai", "openrouter", "mine")
    for listed in get_snapshot().providers
    for model in listed.models
    for name in (model.id if listed.id == "aws" else f"{listed.id}/{model.id}",)
    if listed.id in ("openai", "anthropic", "google", "aws")
]
GATEWAYS += [
    ("openai", f"{seller}/{model.id}")
    for seller, listed in (("groq", "groq"), ("deepseek", "deepseek"), ("xai", "x-ai"))
    for provider in get_snapshot().providers
    for model in provider.models
    if provider.id == listed
]
MINE = (
    UserPrice(
        model="gpt-4o*",
        input_usd_per_mtok=Decimal("1.999999"),
        output_usd_per_mtok=Decimal("0.000001"),
        cache_read_usd_per_mtok=Decimal("0.5"),
        first_day=datetime(2026, 2, 1).date(),
        last_day=datetime(2026, 7, 31).date(),
    ),
    UserPrice(
        model="*",
        provider="groq",
        input_usd_per_mtok=Decimal(0),
        output_usd_per_mtok=Decimal(0),
    ),
)
DAYS = [datetime.combine(d, time(), UTC) for d in change_days(MINE, others=True)]
STARTS = sorted(list_changes(others=True).input_tokens)
EDGES = [start + step for start in STARTS for step in (0, 1)]
few = st.one_of(st.none(), st.integers(0, 40), st.integers(0, 400_000))
inputs = st.one_of(st.none(), st.sampled_from(EDGES), st.integers(0, 400_000))
times = st.builds(
    lambda day, shift: day + timedelta(microseconds=shift),
    st.sampled_from(DAYS),
    st.one_of(st.sampled_from([-1, 0, 1]), st.integers(0, 86_400_000_000)),
)
TIERS = [None, "default", "flex", "priority", "fast", "batch", "odd", "gateway_cache"]
tiers = st.sampled_from(TIERS)
geos = st.sampled_from([None, None, "us", "us", "global", "not_available", "mars"])


def with_searches_apart(draw, counts):
    """Counts of what is not tokens: most replies have none."""
    rare = {
        "web_searches": st.integers(0, 40),
        "other_tool_calls": st.integers(0, 2),
        "image_count": st.integers(0, 4),
        "audio_seconds": st.sampled_from([0.0, 3.0, 12.34, 60.5, -1.0]),
        "input_characters": st.integers(0, 4000),
        "rerank_searches": st.integers(0, 3),
    }
    for column, some in rare.items():
        counts[column] = draw(some) if draw(st.integers(0, 5)) == 0 else None
    return counts


@st.composite
def usages(draw):
    """Counts as a provider may report them, most of them consistent."""
    counts = {column: draw(few) for column in USAGE_KEYS}
    counts["input_tokens"] = draw(inputs)
    if draw(st.integers(0, 9)):  # mostly, parts are no larger than the whole
        left = {
            "input": counts["input_tokens"] or 0,
            "output": counts["output_tokens"] or 0,
        }
        for part in ("cache_read_tokens", "cache_write_tokens", "reasoning_tokens"):
            whole = "output" if part == "reasoning_tokens" else "input"
            counts[part] = (
                None if counts[part] is None else min(counts[part], left[whole])
            )
            left[whole] -= counts[part] or 0
        for rare in (
            "input_audio_tokens",
            "input_image_tokens",
            "cache_read_audio_tokens",
        ):
            counts[rare] = draw(st.sampled_from([None, None, 0, 3]))
        for rare in ("output_audio_tokens", "output_image_tokens"):
            counts[rare] = draw(st.sampled_from([None, None, 0, 3]))
        write = counts["cache_write_tokens"]
        hour = draw(st.integers(0, write)) if write else None
        counts["cache_write_1h_tokens"] = hour
    return with_searches_apart(draw, counts)


calls = st.lists(
    st.tuples(st.sampled_from(LISTED + GATEWAYS), usages(), times, tiers, geos),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(calls=calls, own=st.booleans())
def test_a_frame_and_a_single_request_are_priced_alike(event, calls, own):
    """To the last bit: each cost is the float nearest to the exact price."""
    prices = MINE if own else ()
    events = [
        event(
            provider=provider,
            model_actual=model,
            started_at=at,
            service_tier=tier,
            inference_geo=geo,
            **usage,
        )
        for (provider, model), usage, at, tier, geo in calls
    ]

    costs = priced(frame(events).lazy(), prices).collect()["cost_usd"]

    exact = [price_event(e, prices) for e in events]
    assert costs.to_list() == [None if e is None else float(e) for e in exact]


@pytest.mark.parametrize("geo", [None, "us", "global", "mars"])
def test_a_frame_is_priced_by_the_place_of_each_row(event, geo):
    """Both sides of the day from which the place has a price, to the last bit."""
    days = [day for day in DAYS if day.year == 2026]
    events = [
        event(provider=provider, model_actual=model, started_at=at, inference_geo=geo)
        for provider, model in LISTED
        if provider in ("anthropic", "openai")
        for at in (*days, *(day - timedelta(seconds=1) for day in days))
    ]

    costs = priced(frame(events).lazy()).collect()["cost_usd"].to_list()

    exact = [price_event(e) for e in events]
    assert costs == [None if e is None else float(e) for e in exact]
    assert any(cost is not None for cost in costs) == (geo != "mars")


@pytest.mark.parametrize("tokens", [1, 40_000, 150_000, 300_000, 600_000])
@pytest.mark.parametrize(
    "at", [DAYS[0] - timedelta(days=1), DAYS[-1], DAYS[-1] + timedelta(hours=12)]
)
def test_the_whole_price_list_is_priced_alike(event, tokens, at):
    """Every listed model, so that a new kind of price in the list is noticed."""
    usage = {"input_tokens": tokens, "output_tokens": 77}
    mores = ({}, {"web_searches": 1}, {"cache_read_tokens": tokens // 3}, {})
    events = [
        event(
            provider=provider,
            model_actual=model,
            started_at=at,
            **usage,
            **more,
        )
        for (provider, model), more in zip(LISTED + GATEWAYS, cycle(mores))
    ]

    costs = priced(frame(events).lazy()).collect()["cost_usd"].to_list()

    exact = [price_event(e) for e in events]
    assert costs == [None if e is None else float(e) for e in exact]
    assert sum(cost is not None for cost in costs) > 0.6 * len(LISTED)


@pytest.mark.parametrize("gateway", ["openai", "openrouter", "mine"])
def test_names_of_gateways_are_priced_alike(event, gateway):
    """Each in a frame of its own provider, on days from which prices change."""
    events = [
        event(provider=provider, model_actual=model, started_at=day)
        for provider, model in GATEWAYS
        if provider == gateway
        for day in DAYS[::6]
    ]

    costs = priced(frame(events).lazy()).collect()["cost_usd"].to_list()

    exact = [price_event(e) for e in events]
    assert costs == [None if e is None else float(e) for e in exact]
    assert sum(cost is not None for cost in costs) > 0.5 * len(events)


def test_real_usage_bodies_are_priced_alike(event, shared):
    """Every body of the providers that maps to our columns, to the last bit."""
    bodies = pl.read_parquet(shared / "datasets/prices/usage_costs.parquet")
    events = []
    for row in bodies.to_dicts():
        body = json.loads(row["body_json"])
        try:
            found = extract_usage(
                body, provider_id=row["provider_id"], api_flavor=row["api_flavor"]
            )
        except (LookupError, ValueError):  # another provider's body
            continue
        usage = {c: found.usage.reported_value(k) for c, k in USAGE_KEYS.items()}
        model = body.get("model") or body.get("modelVersion")
        provider = OURS[row["provider_id"]]
        events.append(event(provider=provider, model_actual=model, **usage))

    costs = priced(frame(events).lazy()).collect()["cost_usd"].to_list()

    unlike = {
        (e.model_actual, cost)
        for e, cost in zip(events, costs, strict=True)
        if cost != listed_usd(e)
    }
    # The list takes sound for text, leaves out the fee for a search, bills what was
    # cached in full, and has entries without any price, which need not be free.
    assert unlike == UNLIKE
    assert sum(cost is not None for cost in costs) > 1500


UNLIKE = {
    ("gpt-4o-audio-preview-2024-12-17", None),
    ("gpt-4o-search-preview-2025-03-11", None),
    ("qwen-3-coder-480b", None),
    ("openai/gpt-oss-120b", None),
}


def listed_usd(event):
    """The list's own call on one event, past all of our code."""
    names = {ours: theirs for theirs, ours in OURS.items()}
    counts = {key: getattr(event, column) for column, key in USAGE_KEYS.items()}
    model = event.model_actual or event.model_requested
    if event.input_tokens is None or model is None:
        return None
    try:
        listed = calc_price(
            Usage(**counts),
            model,
            provider_id=names[event.provider],
            genai_request_timestamp=event.started_at,
        )
    except (LookupError, ValueError):
        return None
    return float(listed.total_price)


def test_a_failed_request_has_no_cost(log_of, failed):
    """Null, and no source, where no tokens were counted."""
    found = priced(log_of([failed()])).collect().row(0, named=True)

    assert (found["cost_usd"], found["status"]) == (None, 429)


def test_the_source_of_a_price_is_named(log_of, event):
    """The user's, the list's, or nobody's."""
    events = [event(provider="groq"), event(), event(model_actual="x")]

    found = priced(log_of(events), MINE[1:]).collect()

    assert found["price_source"].to_list() == ["user", "genai-prices", None]
    assert found["cost_usd"].to_list() == [0.0, 0.00045, None]


def test_pricing_is_lazy_and_costs_nothing_where_it_is_not_read(log_of, event):
    """A view that needs no cost reads neither prices nor token columns."""
    log = priced(log_of([event()]))

    assert isinstance(log, pl.LazyFrame)
    assert "python_udf" not in log.select("feature").explain()


def test_rows_keep_their_order_and_columns(traffic):
    """Three columns are added at the end, and nothing else changes."""
    found = priced(traffic).collect()

    assert found.columns == [
        *traffic.collect_schema(),
        "cost_usd",
        "price_source",
        "plan_usd",
    ]
    assert found.drop("cost_usd", "price_source", "plan_usd").equals(traffic.collect())


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_both_engines_of_polars_agree(traffic, engine):
    """Batches may be cut anywhere."""
    found = priced(traffic).select("cost_usd").collect(engine=engine)

    assert found.equals(priced(traffic).select("cost_usd").collect())


def test_an_empty_log_is_priced(log_of):
    """No rows, and both columns with their types."""
    found = priced(log_of([])).collect()

    assert (found.height, found.schema["cost_usd"]) == (0, pl.Float64)


def test_a_count_beyond_belief_is_not_priced(log_of, event):
    """It could not be exact, and no reply can be that long."""
    big = event(input_tokens=10**9)

    assert price_event(big) is None
    assert priced(
        log_of([big, msgspec.structs.replace(big, input_tokens=1)])
    ).collect()["cost_usd"].is_null().to_list() == [True, False]


@pytest.mark.parametrize(
    ("stated", "own", "cost"),
    [(0.04, (), None), (0.0, (), 0.0), (None, (), 0.0), (0.04, MINE[1:], 0.0)],
)
def test_no_tokens_are_not_free_where_the_seller_says_it_cost(
    log_of, event, stated, own, cost
):
    """Gateways write 0 for what they did not count; a price of one's own stands."""
    counts = {"input_tokens": 0, "output_tokens": 0, "cost_stated_usd": stated}
    picture = event(provider="groq", model_actual="llama-3.1-8b-instant", **counts)

    found = priced(log_of([picture, event()]), own).collect()["cost_usd"]

    assert found.to_list() == [cost, 0.00045]
    exact = price_event(picture, own)
    assert (None if exact is None else float(exact)) == cost


def test_one_kind_of_request_is_priced_exactly(log_of, event):
    """A log with a single price divides as exactly as one with many."""
    counts = [(0, None), (1, 34), (None, None)]
    events = [event(input_tokens=read, output_tokens=sent) for read, sent in counts]

    found = priced(log_of(events)).collect()["cost_usd"]

    assert found.to_list() == [0.0, 2.055e-05, None]


def test_every_unit_is_priced_alike(event):
    """A twentieth of the models, with each count alone and beside tokens, to the last bit."""
    some = {"audio_seconds": 12.34}
    events = [
        event(
            provider=provider,
            model_actual=model,
            input_tokens=tokens,
            output_tokens=None,
            **{count: some.get(count, 7)},
        )
        for provider, model in OTHERS + LISTED[::20]
        for count in COUNTS
        if count not in ("input_tokens", "output_tokens")
        for tokens in (None, 1000)
    ]

    costs = priced(frame(events).lazy()).collect()["cost_usd"].to_list()

    exact = [price_event(e) for e in events]
    assert costs == [None if e is None else float(e) for e in exact]
    assert sum(cost is not None for cost in costs) > len(LISTED) / 20
