"""Gemini's own API: its paths, its key, its usage, at real sockets."""

import json

import httpx
import pytest

KEY = "AIza-made-up"
USAGE = {
    "promptTokenCount": 9,
    "cachedContentTokenCount": 4,
    "candidatesTokenCount": 2,
    "thoughtsTokenCount": 30,
}
PIECE = {
    "candidates": [{"content": {"parts": [{"text": "Hello"}]}, "finishReason": "STOP"}],
    "usageMetadata": USAGE,
    "modelVersion": "gemini-3-pro-001",
}
ASKED = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
SSE = b"data: %s\n\n" % json.dumps(PIECE).encode()
ARRAY = json.dumps([{"candidates": []}, PIECE]).encode()


def replied(body: bytes, kind: str) -> bytes:
    """A whole reply, after which the provider closes."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n"
    return head.encode() + body


@pytest.fixture
def client(proxy):
    """A client that has a Lectr key and no other."""
    headers = {"X-Lectr-Key": proxy.keys()["X-Lectr-Key"]}
    with httpx.Client(
        base_url=proxy.url, headers=headers, timeout=30, trust_env=False
    ) as client:
        yield client


@pytest.mark.parametrize("version", ["v1beta", "v1"])
@pytest.mark.parametrize(
    ("verb", "body", "kind"),
    [
        ("generateContent", json.dumps(PIECE).encode(), "application/json"),
        ("streamGenerateContent?alt=sse", SSE, "text/event-stream"),
        ("streamGenerateContent", ARRAY, "application/json"),
    ],
)
def test_a_call_in_geminis_own_form_is_accounted(
    provider, proxy, client, version, verb, body, kind
):
    """The model is in the path; thoughts are output; a stream may be an array."""
    provider.reply(replied(body, kind))
    path = f"/{version}/models/gemini-3-pro:{verb}"

    reply = client.post(path, json=ASKED, headers={"x-goog-api-key": KEY})

    event = proxy.event()
    assert reply.content == body
    assert provider.received[0].line == f"POST /gemini{path} HTTP/1.1"
    assert (event["provider"], event["provider_source"]) == ("gemini", "path")
    assert event["operation"] == "generate_content"
    assert event["model_requested"] == "gemini-3-pro"
    assert event["model_actual"] == "gemini-3-pro-001"
    assert (event["input_tokens"], event["output_tokens"]) == (9, 32)
    assert (event["cache_read_tokens"], event["reasoning_tokens"]) == (4, 30)
    assert event["stream"] == verb.startswith("stream")
    assert (event["message_count"], event["prompt_chars"]) == (1, 2)
    assert (event["outcome"], event["finish_reason"]) == ("ok", "STOP")


@pytest.mark.parametrize(
    ("sent", "query", "arrives"),
    [
        ({"x-goog-api-key": KEY}, "", {"x-goog-api-key": KEY}),
        ({"authorization": f"Bearer {KEY}"}, "", {"x-goog-api-key": KEY}),
        ({"authorization": "Bearer ya29.t"}, "", {"authorization": "Bearer ya29.t"}),
        ({}, f"?key={KEY}", {}),
    ],
)
def test_the_key_goes_out_where_that_api_takes_it(
    provider, proxy, client, sent, query, arrives
):
    """In its own header, or in the query as it came; nothing of it is on record."""
    provider.reply(replied(b"{}", "application/json"))

    path = f"/v1beta/models/gemini-3-pro:countTokens{query}"
    reply = client.post(path, json=ASKED, headers=sent)

    [got] = provider.received
    there = {n: v for n, v in got.headers if n in ("authorization", "x-goog-api-key")}
    event = proxy.event()
    assert reply.status_code == 200
    assert there == arrives
    assert got.line == f"POST /gemini{path} HTTP/1.1"
    assert (event["operation"], event["provider"]) == ("count_tokens", "gemini")
    assert KEY not in repr(event)


def test_without_any_key_it_is_refused(provider, proxy, client):
    """And Gemini is not asked."""
    reply = client.post("/v1beta/models/gemini-3-pro:generateContent", json=ASKED)

    error = reply.json()["error"]
    assert error["details"][0]["reason"] == "missing_authorization"
    assert not provider.received
