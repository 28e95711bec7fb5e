"""Our own answers, as the SDKs understand them."""

import json

import pytest

from lectr_lab.core import error_responses
from lectr_lab.core.error_responses import Refusal, unknown_path
from lectr_lab.core.sdk_versions import sdks

ALL = [v for v in vars(error_responses).values() if isinstance(v, Refusal)]


MADE = [
    error_responses.too_large(1),
    error_responses.rate_limited(60, 2),
    error_responses.too_many_streams(4),
    *(
        error_responses.missing_lectr_key([(b"user-agent", f"{agent} 0.1.0".encode())])
        for agent in sdks()
    ),
]


@pytest.mark.parametrize("refusal", [*ALL, *MADE], ids=lambda r: r.code)
def test_a_refusal_is_an_openai_error(refusal):
    """`{"error": {message, type, code}}`, with a message to act on."""
    error = json.loads(refusal.body())["error"]

    assert error == {
        "message": refusal.message,
        "type": refusal.type,
        "code": refusal.code,
    }
    assert refusal.message.endswith(".")
    assert 400 <= refusal.status < 600


def test_who_may_try_again_is_told_when():
    """A 429, a 503 and nothing else carry a number of seconds."""
    assert {r.status for r in [*ALL, *MADE] if r.retry_after_s} == {429, 503}


VERSION = [(b"anthropic-version", b"2023-06-01")]


@pytest.mark.parametrize(
    ("path", "headers", "setting"),
    [
        (b"/v1/v1/chat/completions", [], "OPENAI_BASE_URL"),
        (b"/chat/completions", [], "OPENAI_BASE_URL"),
        (b"/responses", [], "OPENAI_BASE_URL"),
        (b"/models/gpt-4o", [], "OPENAI_BASE_URL"),
        (b"/openai/v1/v1/embeddings", [], "OPENAI_BASE_URL"),
        (b"/models", VERSION, "ANTHROPIC_BASE_URL"),
        (b"/v1/v1/messages", [], "ANTHROPIC_BASE_URL"),
        (b"/messages/count_tokens", [], "ANTHROPIC_BASE_URL"),
        (b"/v1/v1beta/models/m:generateContent", [], "GOOGLE_GEMINI_BASE_URL"),
        (b"/v1beta/v1beta/models/m:countTokens", [], "GOOGLE_GEMINI_BASE_URL"),
        (b"/models/m:streamGenerateContent", [], "GOOGLE_GEMINI_BASE_URL"),
    ],
)
def test_a_wrong_base_url_is_named(path, headers, setting):
    """The one that this client reads, and with or without /v1."""
    refusal = unknown_path(path, headers)

    assert f"Set {setting} " in refusal.message
    assert ("/v1." in refusal.message) == (setting == "OPENAI_BASE_URL")


@pytest.mark.parametrize("path", [b"/", b"*", b"/x", b"/health/x", b"/v1/../v1", b""])
def test_what_is_no_known_path_is_told_all(path):
    """Nobody's setting can be told from it."""
    assert unknown_path(path) is error_responses.NOT_FOUND
