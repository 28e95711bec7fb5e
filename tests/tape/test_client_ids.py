"""Ids that a client draws anew for every request."""

import json
from uuid import uuid4

import pytest

from lectr_lab.tape.cassette import Interaction
from lectr_lab.tape.match import Tape

URL = "http://x/v1/chat/completions"


def played(recorded, asked):
    """Whether a body is answered by the recording of another."""
    one = Interaction(
        file="a.yaml",
        number=1,
        method="POST",
        uri=URL,
        provider=None,
        request_headers=(),
        request_body=json.dumps(recorded).encode(),
        status=200,
        response_headers=(),
        chunks=(),
    )
    tape = Tape([one])
    sent = tape.request("POST", URL, (), json.dumps(asked).encode(), None)
    return tape.play(sent) is not None


def conversation(call, other="call_2"):
    """A tool's call, its result, and another's result."""
    tool = {"id": call, "type": "function", "function": {"name": "f"}}
    return {
        "messages": [
            {"role": "assistant", "tool_calls": [tool]},
            {"role": "tool", "tool_call_id": call, "content": "1"},
            {"role": "tool", "tool_call_id": other, "content": "2"},
        ]
    }


DRAWN = {
    "Claude Code's session": lambda u: {"metadata": {"user_id": f"u_session_{u}"}},
    "Codex's cache key": lambda u: {"prompt_cache_key": str(u)},
    "LiteLLM's call": lambda u: {"litellm_call_id": u.hex},
    "a tool's call": lambda u: conversation(f"pyd_ai_{u.hex}"),
    "Gemini's call": lambda u: {"tool_use_id": f"adk-{u}"},
}


@pytest.mark.parametrize("body", DRAWN.values(), ids=DRAWN)
def test_a_drawn_id_is_not_part_of_the_request(body):
    """It is another one every time that the program runs."""
    assert played(body(uuid4()), body(uuid4()))


@pytest.mark.parametrize(
    "body",
    [
        lambda u: {"messages": [{"role": "user", "content": f"what is {u}?"}]},
        lambda u: {"file_id": str(u)},
        lambda u: {"previous_response_id": f"resp_{u.hex}"},
        lambda u: {"user_id": f"alice-{u.int % 2}-{uuid4()}", "n": u.int},
    ],
)
def test_what_says_something_is_part_of_it(body):
    """A prompt's text, what a provider has given out, whatever stands beside an id."""
    assert not played(body(uuid4()), body(uuid4()))


def test_what_belongs_together_still_does():
    """A result of another call is another request."""
    assert played(conversation("a", "b"), conversation("c", "d"))
    assert not played(conversation("a", "b"), conversation("c", "c"))
