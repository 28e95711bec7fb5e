"""Which dialect each operation's replies are in."""

import json
from typing import get_args

import pytest

from lectr_lab.core.event_values import Operation
from lectr_lab.core.llm_api.dialects import DIALECTS
from lectr_lab.core.llm_api.reply import ReplyReader


def test_what_is_not_read_is_what_counts_nothing():
    """Every other operation has a dialect, and every dialect an operation."""
    silent = {"count_tokens", "models", "files", "batches", "other"}

    assert set(get_args(Operation)) - set(DIALECTS) == silent
    assert set(DIALECTS) <= set(get_args(Operation))


NATIVE = {"promptTokenCount": 90, "candidatesTokenCount": 7}
WRAPPED = {
    "chat": lambda usage: {"choices": [], "usage": usage},
    "completions": lambda usage: {"choices": [], "x_groq": {"usage": usage}},
    "embeddings": lambda usage: {"usage": usage},
    "generate_content": lambda usage: {"usageMetadata": usage},
    "responses": lambda usage: {"type": "response.done", "response": {"usage": usage}},
    "compact": lambda usage: {"type": "response.done", "response": {"usage": usage}},
    "messages": lambda usage: {"type": "message_delta", "usage": usage},
    "images": lambda usage: {"type": "image_generation.completed", "usage": usage},
    "audio": lambda usage: {"type": "transcript.text.done", "usage": usage},
    "rerank": lambda usage: {"usage": usage},
    "moderations": lambda usage: {"usage": usage},
}


@pytest.mark.parametrize("operation", DIALECTS)
@pytest.mark.parametrize("last", [0, None])
def test_a_later_zero_erases_no_count(operation, last):
    """In no dialect: what was counted before stands, what is counted later replaces."""
    whole = {"input_tokens": 90, "output_tokens": 7, "cached_tokens": 40}
    if operation == "generate_content":
        whole = NATIVE | {"cachedContentTokenCount": 40}
    wrap = WRAPPED[operation]
    told = [
        wrap(dict.fromkeys(whole, 0)),
        wrap(whole),
        wrap(dict.fromkeys(whole, last)),
    ]
    reader = ReplyReader(operation, 200, "text/event-stream", "")

    for event in told:
        reader.feed(b"data: %s\n\n" % json.dumps(event).encode())
    facts = reader.finish()

    counts = facts.input_tokens, facts.output_tokens, facts.cache_read_tokens
    assert counts == (90, 7, 40)
