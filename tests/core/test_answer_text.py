"""Whole or in pieces, a reply says one text."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.answer_text import MAX_CHARS, answer_text


def sse(*documents) -> bytes:
    return b"".join(b"data: %s\n\n" % json.dumps(d).encode() for d in documents)


def delta(content: str, **more) -> dict:
    return {"choices": [{"index": 0, "delta": {"content": content}, **more}]}


CHAT_STREAM = (
    sse(
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]},
        {"choices": [{"index": 1, "delta": {"content": "other"}}]},
        {"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]},
        delta("Hé"),
        delta("llo", finish_reason="stop"),
        {"choices": [], "usage": {"prompt_tokens": 1}},
    )
    + b"data: [DONE]\n\n"
)
MESSAGES_STREAM = sse(
    {"type": "message_start", "message": {"content": [], "usage": {}}},
    {"type": "content_block_start", "content_block": {"type": "text", "text": ""}},
    {
        "type": "content_block_delta",
        "delta": {"type": "thinking_delta", "thinking": "x"},
    },
    {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hé"}},
    {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "llo"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
    {"type": "message_stop"},
)
WHOLE = [
    ("chat", {"choices": [{"message": {"content": "Héllo"}}]}),
    ("chat", {"choices": [{"message": {"content": [{"text": "Hé"}, {"text": "llo"}]}}]}),
    ("completions", {"choices": [{"text": "Héllo"}]}),
    ("messages", {"content": [{"type": "thinking", "thinking": "x"}, {"type": "text", "text": "Héllo"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "reply"), WHOLE)
def test_a_whole_reply_says_its_text(operation, reply):
    """In each provider's form, compressed or not."""
    body = json.dumps(reply).encode()

    assert answer_text(operation, "", [body]) == "Héllo"
    assert answer_text(operation, "gzip", [gzip.compress(body)]) == "Héllo"


@pytest.mark.parametrize(
    ("operation", "stream"), [("chat", CHAT_STREAM), ("messages", MESSAGES_STREAM)]
)
@given(cuts=st.lists(st.integers(0, 900)).map(sorted))
def test_a_stream_says_the_same_however_it_is_cut(operation, stream, cuts):
    """Of the first choice, without its reasoning."""
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]

    assert answer_text(operation, "", chunks) == "Héllo"


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("chat", b""),
        ("chat", b"<html>"),
        ("chat", b'{"error": {}}'),
        ("embeddings", b'{"data": []}'),
        ("chat", sse({"choices": [{"delta": {"tool_calls": [{}]}}]})),
        ("messages", sse({"type": "content_block_start", "content_block": {"type": "tool_use"}})),
        ("chat", sse(delta("x" * MAX_CHARS), delta("x"))),
    ],
)  # fmt: skip
def test_what_has_no_text_to_compare_is_none(operation, body):
    """Tools, errors, other calls, and what is too long."""
    assert answer_text(operation, "", [body]) is None


@given(st.sampled_from(["chat", "completions", "messages"]), st.binary())
def test_no_bytes_raise(operation, body):
    """Whatever a provider sends."""
    answer_text(operation, "gzip", [body])
    answer_text(operation, "", [body])
