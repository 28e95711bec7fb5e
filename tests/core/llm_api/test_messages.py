"""Anthropic's messages, whole."""

import json

from lectr_lab.core.llm_api.dialect import Answer
from lectr_lab.core.llm_api.messages import MESSAGES


def taken(*replies):
    """The answer of a whole message, or of the events of a stream."""
    answer = Answer()
    for reply in replies:
        MESSAGES.take(answer, MESSAGES.decoder.decode(json.dumps(reply)))
    return answer


def test_a_whole_message_is_read():
    """Text, thinking and a tool's arguments are measured; one answer, one reason."""
    answer = taken(
        {
            "type": "message",
            "model": "claude",
            "content": [
                {"type": "thinking", "thinking": "abc", "signature": "xxxxxxxx"},
                {"type": "text", "text": "de"},
                {"type": "tool_use", "name": "f", "input": {"a": "é"}},
            ],
            "stop_reason": "tool_use",
            "usage": {"input_tokens": 1, "output_tokens": 2},
        }
    )

    assert (answer.model, answer.finish) == ("claude", {0: "tool_use"})
    assert answer.chars == 3 + 2 + len('{"a":"é"}')
    assert answer.usage == {"input_tokens": 1, "output_tokens": 2}


def test_fast_mode_is_the_tier():
    """It has a price of its own, and a stream says so where it opens."""
    usage = {"input_tokens": 1, "service_tier": "standard", "speed": "fast"}
    opened = {"type": "message_start", "message": {"usage": usage}}
    slow = taken({"usage": usage | {"speed": "standard"}})

    assert taken({"usage": usage}).tier == taken(opened).tier == "fast"
    assert slow.tier is None  # and the usage's service_tier counts


def test_a_streams_arguments_are_measured_as_text():
    """A tool block opens with an empty object, which is not a part of them."""
    answer = taken(
        {
            "type": "content_block_start",
            "content_block": {"type": "tool_use", "input": {}},
        },
        {
            "type": "content_block_delta",
            "delta": {"type": "input_json_delta", "partial_json": '{"a": 1}'},
        },
        {"type": "message_stop"},
    )

    assert (answer.chars, answer.complete) == (8, True)


def test_unknown_events_are_passed_over():
    """New kinds come; they do no harm."""
    answer = taken({"type": "ping"}, {"type": "future_event", "index": 3}, {})

    assert (answer.finish, answer.chars, answer.failed) == ({}, None, False)
