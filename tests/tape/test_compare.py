"""Requests as they are compared."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.tape.compare import comparable

CHAT = "https://api.openai.com/v1/chat/completions"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


def request(url=CHAT, body=b'{"model":"m"}', provider="openai", **more):
    return comparable(
        more.get("method", "POST"), url, more.get("headers", ()), body, provider
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1/chat/completions",
        "http://127.0.0.1:8080/v1/chat/completions",
        "http://tape/chat/completions",
        "https://api.groq.com/openai/v1/chat/completions",
        "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
        "https://me.openai.azure.com/openai/deployments/m/chat/completions?api-version=1",
        "https://me.openai.azure.com//openai/deployments/m/chat/completions",
        "http://127.0.0.1:8080/some/prefix/v1/chat/completions",
    ],
)
def test_the_operation_is_what_follows_a_providers_prefix(url):
    """One request has one key, whichever provider's address it was sent to."""
    assert request(url).operation == "chat/completions"
    assert request(url).key == request().key


def test_azure_names_its_model_in_the_path():
    """The deployment is the model where the body has none."""
    url = "https://me.openai.azure.com/openai/deployments/gpt%204/chat/completions"

    assert request(url, b"{}").model == "gpt 4"
    assert request(url, b'{"model":"m"}').model == "m"


@given(document=st.dictionaries(st.text(), JSON, max_size=3))
def test_spacing_and_order_of_json_do_not_count(document):
    """The same values are the same request, however they were written."""
    backwards = dict(reversed(document.items()))

    one = request(body=json.dumps(document).encode())
    other = request(body=json.dumps(backwards, indent=2, ensure_ascii=False).encode())

    assert one == other


@given(document=st.dictionaries(st.text(), JSON, max_size=3))
def test_another_value_is_another_request(document):
    """Nothing of the body is overlooked; a miss names where it differs."""
    document.pop("model", None)
    document["seed"] = 1
    changed = document | {"seed": 2}

    one, other = (request(body=json.dumps(d).encode()) for d in (document, changed))

    assert one.key != other.key


def test_what_is_not_json_is_compared_by_its_bytes():
    """A multipart upload, say."""
    assert request(body=b"--x\r\n\xff").key == request(body=b"--x\r\n\xff").key
    assert request(body=b"--x\r\n\xff").key != request(body=b"--y\r\n\xff").key


def test_keys_do_not_count():
    """A recording was scrubbed; the request that asks for it has a key of its own."""
    recorded = request(CHAT + "?key=[redacted]&b=1", b'{"a":"[redacted]"}')
    asked = request(
        CHAT + "?b=1&key=abcdefgh",
        b'{"a":"my-own-key-1"}',
        headers=[(b"authorization", b"Bearer my-own-key-1")],
    )

    assert asked.key == recorded.key


def test_the_query_counts():
    """But for keys and Azure's version."""
    url = "https://api.openai.com/v1/models?after=1"

    assert request(url).key != request(url.replace("1", "2")).key


@pytest.mark.parametrize(
    ("url", "body"),
    [
        (f"{CHAT}?subscription-key=<>", b"{}"),
        (f"{CHAT}?code=<>", b"{}"),
        (f"{CHAT}?sig=<>&se=1", b"{}"),
        (CHAT, b'{"tools":[{"type":"mcp","server_url":"u","headers":{"A":"<>"}}]}'),
        (CHAT, b'{"data_sources":[{"authentication":{"type":"api_key","key":"<>"}}]}'),
        (CHAT, b'{"url":"https://x.test/f?X-Amz-Signature=<>"}'),
        (CHAT, b'{"url":"https://me:<>@x.test/"}'),
        (CHAT, b"client_secret=<>&a=1"),
    ],
)
def test_a_secret_does_not_count_wherever_it_stands(url, body):
    """A recording without it answers a request with another."""
    secrets = ("[redacted]", "hush-0123456789", "another-0123456789")

    asked = [
        request(url.replace("<>", s), body.replace(b"<>", s.encode())) for s in secrets
    ]

    assert asked[0] == asked[1] == asked[2]


@pytest.mark.parametrize(
    "body", [b'{"a":"\xff"}', b'{"a":' * 100_000, b'{"a":' * 3000 + b"1" + b"}" * 3000]
)
def test_what_cannot_be_read_as_json_counts_byte_for_byte(body):
    """Broken UTF-8 and bottomless nesting are requests like any other."""
    assert request(body=body).key == request(body=body).key
    assert request(body=body).key != request(body=body + b" ").key
