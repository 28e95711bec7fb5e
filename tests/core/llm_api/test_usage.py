"""Usage blocks of every provider."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest
from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.llm_api.reply import ReplyReader
from lectr_lab.core.llm_api.usage import TokenCounts, usage_columns, usage_of_timings
from lectr_lab.core.pricing.price import USAGE_KEYS

COLUMNS = TokenCounts.__struct_fields__
# Who a body is really from: model prefix, and the API by the keys of its usage block.
# (Every body stands in the data set once per extractor that happens to accept it.)
REAL = [
    ("openai", "chat", "chat", "gpt- o3-", "completion_tokens"),
    ("openai", "responses", "responses", "gpt- o3-", "output_tokens"),
    ("openai", "embeddings", "embeddings", "text-embedding", "prompt_tokens"),
    ("anthropic", "default", "messages", "claude-", "output_tokens"),
    (
        "groq",
        "default",
        "chat",
        "meta-llama/ openai/gpt-oss qwen/",
        "completion_tokens",
    ),
    ("google", "chat", "chat", "gemini- models/gemini", "completion_tokens"),
    ("azure", "chat", "chat", "gpt-4 gpt-5-", "completion_tokens"),
    ("azure", "responses", "responses", "gpt-4 gpt-5-", "output_tokens"),
]
AT = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def bodies(shared):
    """1,577 real bodies, and who accepts them; half of them lie here."""
    return pl.read_parquet(shared / "datasets/prices/usage_costs.parquet")


def of_whom(bodies, provider, flavor, models, key):
    """The bodies that really are of a provider's API."""
    rows = bodies.filter(provider_id=provider, api_flavor=flavor)
    named = rows.filter(pl.col("model").str.contains(f"^({'|'.join(models.split())})"))
    return [
        body
        for body in map(json.loads, named["body_json"].unique().to_list())
        if key in body["usage"]
    ]


@pytest.mark.parametrize(("provider", "flavor", "operation", "models", "key"), REAL)
def test_what_genai_prices_extracts_is_in_the_columns(
    bodies, provider, flavor, operation, models, key
):
    """Both read the same counts from real bodies, and so the price is the same.

    But for thoughts that Gemini's compatible endpoint counts in the total alone (one of
    these bodies; they are billed). genai-prices also tells the five-minute part of
    cache writes, which is what is left of them.
    """
    [extractor] = [p for p in get_snapshot().providers if p.id == provider]
    real = of_whom(bodies, provider, flavor, models, key)
    for body in real:
        reader = ReplyReader(operation, 200, "application/json", "")
        reader.feed(json.dumps(body).encode())
        facts = reader.finish()
        _, theirs = extractor.extract_usage(body, api_flavor=flavor)

        ours = {k: getattr(facts, column) for column, k in USAGE_KEYS.items()}

        assert facts.token_source == "provider"
        told = body["usage"]
        if told.get("total_tokens", 0) > (told.get("prompt_tokens") or 10**9) + (
            told.get("completion_tokens") or 0
        ):
            assert provider == "google"
            continue
        for k, counted in ours.items():
            assert (counted or 0) == theirs.reported_value(k), (k, body)
        if extractor.find_model(body["model"]) is not None:
            paid, due = (
                calc_price(
                    u, body["model"], provider_id=provider, genai_request_timestamp=AT
                ).total_price
                for u in (Usage(**ours), theirs)
            )
            assert paid == due

    assert real


BLOCKS = {
    "chat": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "total_tokens": 150,
            "prompt_tokens_details": {
                "cached_tokens": 40,
                "audio_tokens": 30,
                "image_tokens": 20,
                "cache_write_tokens": 10,
                "cached_tokens_details": {"audio_tokens": 5},
            },
            "completion_tokens_details": {
                "reasoning_tokens": 15,
                "audio_tokens": 10,
                "image_tokens": 5,
            },
        },
        {
            "input_tokens": 100,
            "output_tokens": 50,
            "cache_read_tokens": 40,
            "cache_write_tokens": 10,
            "input_audio_tokens": 30,
            "input_image_tokens": 20,
            "cache_read_audio_tokens": 5,
            "reasoning_tokens": 15,
            "output_audio_tokens": 10,
            "output_image_tokens": 5,
        },
    ),
    "responses": (
        {
            "input_tokens": 100,
            "input_tokens_details": {"cached_tokens": 40},
            "output_tokens": 50,
            "output_tokens_details": {"reasoning_tokens": 15},
        },
        {
            "input_tokens": 100,
            "cache_read_tokens": 40,
            "output_tokens": 50,
            "reasoning_tokens": 15,
        },
    ),
    "anthropic": (
        {
            "input_tokens": 3,
            "cache_read_input_tokens": 90,
            "cache_creation_input_tokens": 7,
            "cache_creation": {
                "ephemeral_5m_input_tokens": 3,
                "ephemeral_1h_input_tokens": 4,
            },
            "output_tokens": 50,
            "output_tokens_details": {"thinking_tokens": 15},
            "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
        },
        {
            "input_tokens": 100,
            "cache_read_tokens": 90,
            "cache_write_tokens": 7,
            "cache_write_1h_tokens": 4,
            "output_tokens": 50,
            "reasoning_tokens": 15,
            "web_searches": 2,
        },
    ),
    "anthropic's chat": (
        {"prompt_tokens": 10, "completion_tokens": 5, "cached_tokens": 4},
        {"input_tokens": 10, "output_tokens": 5, "cache_read_tokens": 4},
    ),
    "a proxy that says it both ways": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "cache_read_input_tokens": 4,
            "input_tokens": 6,
        },
        {"input_tokens": 10, "output_tokens": 5, "cache_read_tokens": 4},
    ),
    "embeddings": (
        {"prompt_tokens": 8, "total_tokens": 8},
        {"input_tokens": 8},
    ),
    "groq": (
        {"queue_time": 0.1, "prompt_tokens": 18, "completion_tokens": 73.0},
        {"input_tokens": 18, "output_tokens": 73},
    ),
    "nothing": ({}, {}),
}


@pytest.mark.parametrize(("block", "columns"), BLOCKS.values(), ids=BLOCKS)
def test_a_block_fills_its_columns_and_no_others(block, columns):
    """What was not said is None."""
    assert usage_columns(block) == columns


odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.lists(st.none(), max_size=1),
)
keys = st.sampled_from(
    "prompt_tokens input_tokens output_tokens cached_tokens prompt_tokens_details "
    "input_tokens_details audio_tokens cache_read_input_tokens cache_creation "
    "cache_creation_input_tokens server_tool_use web_search_requests".split()
)
blocks = st.dictionaries(keys, odd | st.dictionaries(keys, odd, max_size=3), max_size=8)


@given(blocks)
def test_nonsense_is_never_stored(block):
    """Negative, broken, huge, text or bool: None, and no exception."""
    for column, counted in usage_columns(block).items():
        assert column in COLUMNS
        assert type(counted) is int and 0 <= counted <= 2**53


def test_the_columns_are_the_events():
    """The price of a request can be computed from what is read here."""
    assert set(COLUMNS) == set(USAGE_KEYS)


@pytest.mark.parametrize(
    ("timings", "usage"),
    [
        (
            {"prompt_n": 5, "cache_n": 0, "predicted_n": 2, "predicted_ms": 1.5},
            {"prompt_tokens": 5, "completion_tokens": 2},
        ),
        ({"prompt_n": 5, "predicted_n": 2}, {}),
        ({"prompt_n": "5", "cache_n": 1, "predicted_n": 2}, {}),
        ({}, {}),
    ],
)
def test_timings_of_llama_cpp_count_tokens_too(timings, usage):
    """Where they are whole: without `cache_n` the prompt's length is not known."""
    assert usage_of_timings(timings) == usage
