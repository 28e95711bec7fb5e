"""Responses, whole and streamed."""

import json

import pytest

from lectr_lab.core.llm_api.dialect import Answer
from lectr_lab.core.llm_api.responses import RESPONSES


def taken(*replies):
    """The answer of a whole response, or of the events of a stream."""
    answer = Answer()
    for reply in replies:
        RESPONSES.take(answer, RESPONSES.decoder.decode(json.dumps(reply)))
    return answer


ITEMS = [
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "abc"}]},
    {"type": "message", "content": [{"type": "output_text", "text": "de"}]},
    {"type": "message", "content": [{"type": "refusal", "refusal": "no"}]},
    {"type": "function_call", "name": "f", "arguments": "{}"},
    {"type": "custom_tool_call", "name": "g", "input": "xyz"},
    {"type": "code_interpreter_call", "code": "1+1"},
    {"type": "web_search_call", "action": {"type": "search", "query": "q"}},
    {"type": "web_search_call", "action": {"type": "open_page", "url": "u"}},
    {"type": "web_search_call", "status": "completed"},
]


def test_a_whole_response_is_read():
    """Texts and arguments are measured, searches counted, pages opened not."""
    answer = taken(
        {"object": "response", "model": "m", "output": ITEMS, "status": "completed"}
    )

    assert answer.chars == 3 + 2 + 2 + 2 + 3 + 3
    assert answer.searches == 2
    assert answer.finish == {0: "completed"}


def test_a_streams_searches_are_counted_when_they_are_done():
    """Once each, not again in the last event."""
    events = [{"type": "response.output_item.done", "item": item} for item in ITEMS]
    last = {"type": "response.completed", "response": {"output": ITEMS}}

    assert taken(*events, last).searches == 2


@pytest.mark.parametrize("kind", ["completed", "incomplete", "failed"])
def test_the_last_event_ends_the_stream(kind):
    """In whichever way it ended."""
    reply = {"type": f"response.{kind}", "response": {"status": kind}}

    assert taken(reply).complete
    assert taken(reply).failed == (kind == "failed")


def test_an_incomplete_response_says_why():
    """The reason is more than the status."""
    answer = taken(
        {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    )

    assert answer.finish == {0: "max_output_tokens"}


def test_audio_is_not_measured():
    """Its deltas are base64."""
    deltas = [{"type": "response.audio.delta", "delta": "AAAA"}]
    deltas += [{"type": "response.output_text.delta", "delta": "ab"}]

    assert taken(*deltas).chars == 2


def test_the_tier_given_replaces_the_tier_asked_for():
    """A stream opens with `auto`."""
    opened = {"type": "response.created", "response": {"service_tier": "auto"}}
    closed = {"type": "response.completed", "response": {"service_tier": "default"}}

    assert taken(opened, closed).tier == "default"


SEARCH = {"type": "web_search_call", "action": {"type": "search"}}


def searches_told(n):
    return {"web_search": {"num_requests": n}}


@pytest.mark.parametrize(
    ("told", "searches"),
    [
        (searches_told(1), 1),
        (searches_told(5), 5),
        (searches_told(0), 3),  # gateways repeat what they do not know as 0
        (searches_told(None), 3),
        (searches_told("2"), 3),
        ({"web_search": 4}, 3),
        ([], 3),
    ],
)
def test_the_searches_that_are_billed_go_before_those_that_are_shown(told, searches):
    """One that is billed may be shown as several, and the other way round."""
    whole = {"status": "completed", "output": [SEARCH] * 3, "tool_usage": told}
    done = [{"type": "response.output_item.done", "item": SEARCH}] * 3
    begun = {"status": "in_progress", "tool_usage": searches_told(0)}

    stream = [{"type": "response.created", "response": begun}, *done]
    stream.append({"type": "response.completed", "response": whole})
    for replies in ([whole], stream):
        assert taken(*replies).searches == searches


@pytest.mark.parametrize(
    ("item", "tool_usage", "calls"),
    [
        ({"type": "image_generation_call"}, None, 1),
        ({"type": "image_generation_call"}, {"image_gen": {"total_tokens": 4160}}, 1),
        ({"type": "message"}, {"image_gen": {"total_tokens": 4160}}, 1),
        ({"type": "message"}, {"image_gen": {"total_tokens": 0}}, 0),
        ({"type": "shell_call", "environment": {"type": "container_auto"}}, None, 1),
        ({"type": "shell_call", "environment": {"type": "local"}}, None, 0),
        ({"type": "shell_call", "environment": None}, None, 0),
        ({"type": "mcp_call"}, None, 0),
    ],
)
def test_tools_that_are_billed_apart_are_counted(item, tool_usage, calls):
    """Pictures by another model's tokens, a shell by its container; not the client's."""
    whole = {"status": "completed", "output": [item], "tool_usage": tool_usage}

    assert taken(whole).tool_calls == calls
