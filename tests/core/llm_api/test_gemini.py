"""Gemini's own replies: its counts, and its chunks as events or as one array."""

import json

import polars as pl
import pytest
from genai_prices.data_snapshot import get_snapshot

from lectr_lab.core.llm_api.reply import ReplyReader
from lectr_lab.core.pricing.price import USAGE_KEYS
from lectr_lab.tape.cassette import read_cassette

CHUNKS = [
    {
        "candidates": [{"content": {"parts": [{"text": "Hé"}]}, "index": 0}],
        "usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9},
        "modelVersion": "gemini-3.5-flash",
    },
    {
        "candidates": [
            {
                "content": {"parts": [{"functionCall": {"name": "f", "args": {}}}]},
                "finishReason": "STOP",
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 12,
            "candidatesTokenCount": 2,
            "thoughtsTokenCount": 30,
            "serviceTier": "standard",
        },
    },
]


def facts_of(body: bytes):
    reader = ReplyReader("chat", 200, "", "")
    reader.feed(body)
    return reader.finish()


@pytest.fixture(scope="module")
def native(shared):
    """Two hundred real bodies, as genai-prices keeps them."""
    bodies = pl.read_parquet(shared / "datasets/prices/usage_costs.parquet")
    rows = bodies.filter(provider_id="google", api_flavor="default")
    found = [json.loads(body) for body in rows["body_json"].unique()]
    return [body for body in found if "usageMetadata" in body]


def test_what_genai_prices_extracts_is_in_the_columns(native):
    """The same counts from every real body: thoughts, tools' prompts and sounds, too."""
    [google] = [p for p in get_snapshot().providers if p.id == "google"]
    assert len(native) > 200
    for body in native:
        _, theirs = google.extract_usage(body, api_flavor="default")

        facts = facts_of(json.dumps(body).encode())

        assert facts.token_source == "provider"
        assert facts.model_actual == body.get("modelVersion")
        for column, key in USAGE_KEYS.items():
            told = getattr(facts, column) or 0
            their = theirs.reported_value(key)
            if column.endswith("image_tokens"):  # video is billed as images
                their += theirs.reported_value(key.replace("image", "video"))
            assert told == their, (key, body)


@pytest.mark.parametrize("form", ["events", "array", "pretty"])
def test_chunks_say_the_same_in_every_form(form):
    """With `alt=sse` they are events, without it one array; the last counts stand."""
    if form == "events":
        body = b"".join(b"data: %s\r\n\r\n" % json.dumps(c).encode() for c in CHUNKS)
    else:
        body = json.dumps(CHUNKS, indent=2 if form == "pretty" else None).encode()

    facts = facts_of(body)

    assert (facts.model_actual, facts.finish_reason) == ("gemini-3.5-flash", "STOP")
    assert (facts.input_tokens, facts.output_tokens) == (12, 32)
    assert facts.reasoning_tokens == 30
    assert facts.output_chars == len("Hé{}")
    assert facts.service_tier == "standard"


def test_recorded_streams_are_counted(shared):
    """Each to its last chunk, which corrects the ones before it."""
    folder = shared / "cassettes/gemini"
    [file] = folder.glob("newrelic__*.yaml")
    for one in read_cassette(file):
        last = json.loads(one.body.split(b"data: ")[-1])["usageMetadata"]

        facts = facts_of(one.body)

        assert facts.token_source == "provider"
        assert facts.input_tokens == last["promptTokenCount"]
        total = (facts.input_tokens or 0) + (facts.output_tokens or 0)
        assert total == last["totalTokenCount"]
        assert facts.finish_reason == "STOP"


@pytest.mark.parametrize(
    "odd",
    [
        {"usageMetadata": {"promptTokensDetails": [1, {"modality": []}, {}]}},
        {"usageMetadata": {"promptTokensDetails": 7, "promptTokenCount": "9"}},
        {"usageMetadata": [], "candidates": [1, {"content": {"parts": [None]}}]},
        {"candidates": [{"content": None, "finishReason": 3}], "modelVersion": 1},
    ],
)
def test_odd_ones_cost_only_themselves(odd):
    """What does not fit is left out, and nothing fails."""
    reader = ReplyReader("chat", 200, "", "")
    reader.feed(json.dumps(odd).encode())

    assert reader.finish().token_source == "absent"
    assert reader.fault is None


@pytest.mark.parametrize(
    ("model", "queries", "searches"),
    [
        ("gemini-3-flash-preview", ["a", "b", "", "a"], 2),
        ("gemini-2.5-flash", ["a", "b"], 1),
        ("gemini-3-flash-preview", [""], None),
        ("gemini-3-flash-preview", None, None),
    ],
)
def test_searches_are_counted_as_they_are_billed(model, queries, searches):
    """By the query, once each; up to Gemini 2.5 by the prompt."""
    grounded = {"webSearchQueries": queries}
    body = {"modelVersion": model, "candidates": [{"groundingMetadata": grounded}]}
    chunks = b"".join(b"data: %s\n\n" % json.dumps(body).encode() for _ in range(3))

    for data in (json.dumps(body).encode(), chunks):
        assert facts_of(data).web_searches == searches


def test_a_look_at_the_map_is_a_tool_that_is_billed():
    """Pages of the web are what a search found."""
    chunks = [{"web": {"uri": "u"}}, {"maps": {"uri": "u"}}]
    for some, calls in ((chunks, 1), (chunks[:1], None)):
        body = {"candidates": [{"groundingMetadata": {"groundingChunks": some}}]}

        assert facts_of(json.dumps(body).encode()).other_tool_calls == calls
