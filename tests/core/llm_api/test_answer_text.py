"""What a recorded reply says."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.llm_api.answer_text import AnswerText, read_answer
from lectr_lab.core.routing.providers import operation
from lectr_lab.resources import shipped_cassettes
from lectr_lab.tape.cassette import read_cassettes


def stream(*events):
    """Server-sent events of these objects."""
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()


def choice(reason=None, **delta):
    """A chunk of a chat stream."""
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


CHAT_STREAM = stream(
    choice(content=""),
    choice(content="Y"),
    {"choices": [{"index": 1, "delta": {"content": "No"}}]},
    choice(content="es"),
    choice("stop"),
)


@pytest.mark.parametrize("encode", [bytes, gzip.compress])
def test_a_stream_says_what_its_pieces_say(encode):
    """The first choice, whole, compressed or not."""
    encoding = "" if encode is bytes else "gzip"

    body = encode(CHAT_STREAM + b"data: [DONE]\n\n")
    assert read_answer("chat", 200, encoding, body) == AnswerText("Yes", True)


def test_a_cut_answer_says_so():
    """By its limit, or on its way."""
    limit = {"choices": [{"message": {"content": "It"}, "finish_reason": "length"}]}

    assert read_answer("chat", 200, "", json.dumps(limit).encode()) == AnswerText(
        "It", False
    )
    assert read_answer("chat", 200, "", stream(choice(content="It"))) == AnswerText(
        "It", False
    )


CALLS = '{"tool_calls":[{"name":"add","arguments":"{\\"a\\":1}"}]}'
FUNCTION = {"function": {"name": "add", "arguments": '{"a":1}'}}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (
            "chat",
            json.dumps(
                {
                    "choices": [
                        {
                            "message": {
                                "content": "Let me see",
                                "tool_calls": [FUNCTION],
                            },
                            "finish_reason": "tool_calls",
                        }
                    ]
                }
            ).encode(),
        ),
        (
            "chat",
            stream(
                choice(tool_calls=[{"index": 0, "function": {"name": "add"}}]),
                choice(tool_calls=[{"index": 0, "function": {"arguments": '{"a"'}}]),
                choice(tool_calls=[{"index": 0, "function": {"arguments": ":1}"}}]),
                choice("tool_calls"),
            ),
        ),
        (
            "messages",
            json.dumps(
                {
                    "type": "message",
                    "stop_reason": "tool_use",
                    "content": [{"type": "tool_use", "name": "add", "input": {"a": 1}}],
                }
            ).encode(),
        ),
        (
            "messages",
            stream(
                {"type": "message_start", "message": {"content": []}},
                {
                    "type": "content_block_start",
                    "index": 0,
                    "content_block": {"type": "tool_use", "name": "add", "input": {}},
                },
                {
                    "type": "content_block_delta",
                    "index": 0,
                    "delta": {"type": "input_json_delta", "partial_json": '{"a":1}'},
                },
                {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
                {"type": "message_stop"},
            ),
        ),
        (
            "responses",
            json.dumps(
                {
                    "status": "completed",
                    "output": [
                        {"type": "function_call", "name": "add", "arguments": '{"a":1}'}
                    ],
                }
            ).encode(),
        ),
    ],
)
def test_tool_calls_are_written_alike_in_every_api(kind, body):
    """Name and arguments, from whole replies and from streams."""
    assert read_answer(kind, 200, "", body) == AnswerText(CALLS, True)


def test_a_servers_tool_is_no_call():
    """Its input goes by in a stream as that of the client's tools does."""
    block = {"type": "server_tool_use", "name": "web_search", "input": {}}
    events = stream(
        {"type": "content_block_start", "index": 0, "content_block": block},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": '{"query":"q"}'},
        },
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "text_delta", "text": "Hi"},
        },
    )
    assert read_answer("messages", 200, "", events).text == "Hi"


@pytest.mark.parametrize(
    ("kind", "reply"),
    [
        ("chat", {"choices": [{"message": {"content": [{"text": "H"}, {"text": "i"}]}}]}),
        ("chat", {"choices": [{"message": {"reasoning": "hm", "content": "Hi"}}]}),
        ("completions", {"choices": [{"text": "Hi"}]}),
        ("messages", {"content": [{"type": "thinking", "thinking": "hm"}, {"text": "Hi"}]}),
    ],
)  # fmt: skip
def test_reasoning_is_no_part_of_what_is_said(kind, reply):
    """Of a text, or of its parts."""
    assert read_answer(kind, 200, "", json.dumps(reply).encode()).text == "Hi"


def test_messages_and_responses_say_their_text():
    """Text blocks, and a stream's last event, which repeats the response."""
    message = {"content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"}
    assert read_answer("messages", 200, "", json.dumps(message).encode()) == (
        "Hi",
        True,
    )
    output = [{"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}]
    events = stream(
        {"type": "response.output_text.delta", "delta": "Hi"},
        {
            "type": "response.completed",
            "response": {"status": "completed", "output": output},
        },
    )
    assert read_answer("responses", 200, "", events) == ("Hi", True)


def test_what_is_no_answer_is_none():
    """An error, an error inside a stream, an unknown operation, nothing."""
    assert read_answer("chat", 500, "", b'{"error": {}}') is None
    assert (
        read_answer("chat", 200, "", CHAT_STREAM + stream({"error": {"code": "x"}}))
        is None
    )
    assert read_answer("embeddings", 200, "", b'{"data": []}') is None
    assert read_answer("chat", 200, "", b"") is None
    assert read_answer("chat", 200, "", b'{"choices": ["no"]}') is None


OBJECTS = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "choices delta message content type output response tool_calls "
                "function error index text".split()
            ),
            inner,
            max_size=3,
        )
    ),
)


@given(
    st.sampled_from(["chat", "messages", "responses", "completions", "other"]),
    OBJECTS.map(lambda o: json.dumps(o).encode())
    | OBJECTS.map(stream)
    | st.binary(max_size=40),
)
def test_nothing_a_provider_sends_raises(kind, body):
    """Whatever it is, it says something or nothing."""
    told = read_answer(kind, 200, "", body)
    assert told is None or isinstance(told.text, str)


def test_every_recorded_answer_is_read():
    """Of the recordings that travel with the package, streams included."""
    read = 0
    for one in read_cassettes(shipped_cassettes() / "llama"):
        kind = operation("/v1/{}".format(one.uri.split("/v1/")[1]).encode())
        if kind == "chat" and one.status == 200:
            told = read_answer(kind, one.status, "", one.body)
            assert told is not None
            read += 1
    assert read > 90
