"""Secrets in JSON, by the names of members and what stands beside them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.tape.bodies import texts_in
from lectr_lab.tape.json_texts import texts_of
from lectr_lab.tape.views import Whole

HUSH = "hush-0123456789"
MCP = {"type": "mcp", "server_label": "s", "server_url": "https://mcp.test"}
SEARCH = {"endpoint": "https://search.test", "index_name": "i"}
AZURE = [{"type": "azure_search", "parameters": SEARCH}]


def azure(**authentication):
    parameters = SEARCH | {"authentication": authentication}
    return {"data_sources": [{"type": "azure_search", "parameters": parameters}]}


SECRET = {
    "Azure: a key": azure(type="api_key", key=HUSH),
    "Azure: an access token": azure(type="access_token", access_token=HUSH),
    "Azure: a connection string": azure(
        type="connection_string", connection_string=HUSH
    ),
    "Azure: key and key id": azure(type="key_and_key_id", key=HUSH, key_id="k"),
    "Azure: an encoded key": azure(type="encoded_api_key", encoded_api_key=HUSH),
    "OpenAI: MCP": {"tools": [MCP | {"authorization": HUSH}]},
    "OpenAI: a header of MCP": {"tools": [MCP | {"headers": {"X-Mine": HUSH}}]},
    "OpenAI: it stands first": {"tools": [{"headers": {"A": HUSH}} | MCP]},
    "Anthropic: MCP": {"mcp_servers": [{"url": "u", "authorization_token": HUSH}]},
    "realtime": {"client_secret": {"value": HUSH, "expires_at": 1}},
    "realtime, of today": {"value": HUSH, "expires_at": 1, "session": {"id": "s"}},
    "deep": {"a": [[{"b": [{"api_key": HUSH}]}]]},
    "behind others": {"a": {"b": "c"}, "password": HUSH, "d": ["e"]},
    "in a list": {"refresh_token": ["a-b-c-d-e", HUSH]},
    "a token": {"tool": {"token": HUSH}},
    "a tool's arguments": {"arguments": json.dumps({"token": HUSH, "n": 1})},
    "twice within": {"a": json.dumps({"b": json.dumps({"secret": HUSH})})},
    "behind escapes": {"a": json.dumps({"é😀\n": '"\\', "authorization": HUSH})},
}


def secrets(text):
    return [t.view.data for t in texts_of(Whole(text)) if t.kind == "secret"]


@pytest.mark.parametrize("case", SECRET)
@pytest.mark.parametrize("layout", [{}, {"indent": 2}, {"separators": (",", ":")}])
def test_secrets_are_found_by_their_place(case, layout):
    """At any depth, in any layout."""
    text = json.dumps(SECRET[case], **layout).encode()

    assert HUSH.encode() in secrets(text)


@pytest.mark.parametrize("case", SECRET)
def test_they_are_found_in_a_stream_and_in_lines(case):
    """Each line by itself; what is no JSON does not get in the way."""
    body = json.dumps(SECRET[case])
    stream = f'event: "x\ndata: {body}\n\ndata: [DONE]\n\n'.encode()
    upload = f"--b\r\nContent-Disposition: form-data\r\n\r\n{body}\r\n{{}}\r\n--b--"

    for text in (stream, upload.encode()):
        found = (t.view.data for t in texts_in(text) if t.kind == "secret")
        assert HUSH.encode() in found


def logprob(token, **more):
    return {"token": token, "logprob": -0.5, "bytes": [1], **more}


LEFT_ALONE = {
    "logprobs": {
        "content": [logprob("strawberry", top_logprobs=[logprob("raspberry")])]
    },
    "in another order": {"bytes": [1], "logprob": -0.5, "token": "strawberry"},
    "llama.cpp's": {"id": 1, "token": "strawberry", "bytes": [1], "prob": 0.5},
    "counts": {"max_tokens": 5, "prompt_tokens": 5, "usage": {"total_tokens": 5}},
    "a tagger's answer": [{"token": "Paris", "tag": "NNP"}],
    "a sentence": {"token": "a token is a piece of a word"},
    "thinking": {"type": "thinking", "thinking": "…", "signature": "Er4B" * 20},
    "reasoning": {"type": "reasoning", "encrypted_content": "gAAAAAB-_" * 20},
    "an image": {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
    "an embedding": {"object": "embedding", "embedding": "AACAPwAAgD8="},
    "a tool's schema": {
        "name": "login",
        "parameters": {
            "type": "object",
            "properties": {
                "password": {"type": "string", "description": "as it was given"},
                "headers": {"type": "object", "description": "of HTTP"},
                "authentication": {"type": "string", "description": "which kind"},
            },
            "required": ["password", "headers"],
        },
    },
    "a filter": {"filters": {"type": "eq", "key": "region", "value": "eu-central"}},
    "no text": {"password": None, "secret": False, "api_key": 5, "token": []},
    "headers of no server": {"headers": {"X-Mine": "anything"}},
}


@pytest.mark.parametrize("case", LEFT_ALONE)
def test_what_is_no_secret_is_left_alone(case):
    """Pieces with probabilities, counts, schemas, signatures, media."""
    assert secrets(json.dumps(LEFT_ALONE[case]).encode()) == []


JSON = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(before=JSON, after=JSON, value=st.text(min_size=1), ascii_only=st.booleans())
def test_a_span_is_the_value_as_written(before, after, value, ascii_only):
    """To the byte, escapes and all, also where the JSON is a string within JSON."""
    inner = {"a": before, "password": value, "b": after}
    outer = {"arguments": json.dumps(inner, ensure_ascii=ascii_only), "c": after}
    text = json.dumps(outer, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")

    secret = [t.view for t in texts_of(Whole(text)) if t.kind == "secret"]
    places = {place for view in secret for place in view.raw(0, len(view.data))}
    for start, end in sorted(places, reverse=True):
        text = text[:start] + b"-" + text[end:]

    assert json.loads(json.loads(text)["arguments"])["password"] == "-"


@given(text=st.binary() | st.text('{}[]":,\\ atoken').map(str.encode))
def test_any_text_can_be_looked_at(text):
    """Whatever it is, the spans are within it."""
    for one in texts_of(Whole(text)):
        places = one.view.raw(0, len(one.view.data))
        assert all(0 <= start <= end <= len(text) for start, end in places)
