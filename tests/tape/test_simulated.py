"""The simulated cassettes: what they are made by, and what the proxy makes of them."""

import subprocess
import sys

import httpx
import pytest

from lectr_lab.resources import shipped_cassettes
from lectr_lab.tape.cassette import read_cassettes
from lectr_lab.testing.replay import replay

FOLDER = shipped_cassettes() / "simulated"


def test_the_script_makes_them_again(tmp_path):
    """Byte for byte: none was changed by hand."""
    script = FOLDER.parent / "simulate.py"
    subprocess.run([sys.executable, script, tmp_path], check=True, timeout=60)

    shipped = {p.name: p.read_bytes() for p in FOLDER.iterdir()}
    assert shipped == {p.name: p.read_bytes() for p in tmp_path.iterdir()}


SHAPES = [
    ("openai", "rate limit", "provider_error", "rate_limit_exceeded", 429, None),
    ("openai", "quota", "provider_error", "insufficient_quota", 429, None),
    ("openai", "server error", "provider_error", "server_error", 500, None),
    ("openai", "details", "ok", None, 200, (2048, 100)),
    ("openai", "tool", "ok", None, 200, (60, 15)),
    ("openai", "tool stream", "ok", None, 200, (60, 15)),
    ("openai", "stream with usage", "ok", None, 200, (2048, 100)),
    ("openai", "stream without usage", "ok", None, 200, None),
    ("openai", "error in stream", "error_in_stream", "server_error", 200, None),
    ("openai", "broken stream", *("upstream_disconnect",) * 2, 200, None),
    ("anthropic", "caches", "ok", None, 200, (1600, 12)),
    ("anthropic", "stream", "ok", None, 200, (1600, 12)),
    ("anthropic", "rate limit", "provider_error", "rate_limit_error", 429, None),
    ("anthropic", "overloaded", "provider_error", "overloaded_error", 529, None),
    (
        "anthropic",
        "error in stream",
        "error_in_stream",
        "overloaded_error",
        200,
        (1600, 1),
    ),
    ("groq", "usage", "ok", None, 200, (40, 20)),
    ("groq", "stream", "ok", None, 200, (40, 20)),
    ("groq", "rate limit", "provider_error", "rate_limit_exceeded", 429, None),
    ("gemini", "usage", "ok", None, 200, (30, 10)),
    ("gemini", "unavailable", "provider_error", "UNAVAILABLE", 503, None),
]


@pytest.fixture(scope="module")
def logged():
    """The events of every simulated request, by provider and shape."""
    found = {}
    with (
        replay(FOLDER) as proxy,
        httpx.Client(trust_env=False, headers=proxy.headers()) as client,
    ):
        for one in read_cassettes(FOLDER):
            path = "messages" if "messages" in one.uri else "chat/completions"
            url = f"{proxy.base_url}/{path}"
            named = {"X-Lectr-Provider": one.provider}
            try:
                client.post(url, content=one.request_body, headers=named)
            except httpx.RemoteProtocolError:
                assert one.ended == "broken"
            shape = one.request_body.split(b"simulated: ")[1].split(b'"')[0].decode()
            found[one.provider, shape] = proxy.events().row(-1, named=True)
    assert len(found) == len(SHAPES)
    return found


@pytest.mark.parametrize(
    ("provider", "shape", "outcome", "error_type", "status", "tokens"),
    SHAPES,
)
def test_each_shape_is_understood(
    logged, provider, shape, outcome, error_type, status, tokens
):
    """Outcome, error, and the tokens that were said: none is made up where none were.

    With the tokenizer's extra one stream that said none is counted, and says so.
    """
    event = logged[provider, shape]

    assert (event["outcome"], event["status"]) == (outcome, status)
    assert event["error_type"] == error_type
    counted = event["input_tokens"], event["output_tokens"]
    if event["token_source"] == "tokenizer":
        assert (shape, tokens) == ("stream without usage", None)
        assert None not in counted
        return
    assert counted == (tokens or (None, None))
    assert (event["cost_usd"] is not None) == (tokens is not None)
