"""What a recorded reply says."""

import gzip
import json
import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.llm_api.answer_text import KeptAnswer, read_answer
from lectr_lab.core.llm_api.reply import ReplyReader
from lectr_lab.core.routing.paths import operation
from lectr_lab.resources import shipped_cassettes
from lectr_lab.tape.cassette import read_cassettes


def text_of(operation, body, encoding=""):
    """What a reply of status 200 says."""
    return read_answer(operation, 200, encoding, body).text


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
    assert text_of("chat", body, encoding) == "Yes"


def test_a_cut_answer_says_so():
    """By its limit, or on its way."""
    limit = {"choices": [{"message": {"content": "It"}, "finish_reason": "length"}]}
    limited = read_answer("chat", 200, "", json.dumps(limit).encode())
    cut = read_answer("chat", 200, "", stream(choice(content="It")))

    assert (limited.text, limited.facts.finish_reason) == ("It", "length")
    assert (cut.text, cut.facts.finish_reason) == ("It", None)


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
            stream(
                {
                    "type": "response.output_item.added",
                    "output_index": 1,
                    "item": {"type": "function_call", "name": "add", "arguments": ""},
                },
                {
                    "type": "response.function_call_arguments.delta",
                    "output_index": 1,
                    "delta": '{"a":1}',
                },
                {"type": "response.completed", "response": {"status": "completed"}},
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
    assert text_of(kind, body) == CALLS


@pytest.mark.parametrize(
    ("kind", "reply"),
    [
        ("chat", {"function_call": {"name": "f", "arguments": "{}"}}),
        ("chat", {"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}),
        ("messages", {"content": [{"type": "tool_use", "name": "f", "input": {}}]}),
        ("responses", {"output": [{"type": "function_call", "name": "f"}]}),
    ],
)
def test_no_arguments_are_an_empty_object(kind, reply):
    """However an API leaves them out."""
    whole = {"choices": [{"message": reply}]} if kind == "chat" else reply
    told = json.loads(text_of(kind, json.dumps(whole).encode()))

    assert told == {"tool_calls": [{"name": "f", "arguments": "{}"}]}


def test_half_a_surrogate_pair_in_a_call_is_kept():
    """Models write them, and JSON can."""
    function = {"name": "f", "arguments": "\ud83d"}
    body = {"choices": [{"message": {"tool_calls": [{"function": function}]}}]}

    assert "\ud83d" in text_of("chat", json.dumps(body).encode())


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
    assert text_of("messages", events) == "Hi"


@pytest.mark.parametrize(
    ("kind", "reply"),
    [
        ("chat", {"choices": [{"message": {"content": [{"text": "H"}, {"text": "i"}]}}]}),
        ("chat", {"choices": [{"message": {"reasoning": "hm", "content": "Hi"}}]}),
        ("chat", {"candidates": [{"content": {"parts": [{"text": "hm", "thought": True}, {"text": "Hi"}]}}]}),
        ("completions", {"choices": [{"text": "Hi"}]}),
        ("messages", {"content": [{"type": "thinking", "thinking": "hm"}, {"text": "Hi"}]}),
    ],
)  # fmt: skip
def test_reasoning_is_no_part_of_what_is_said(kind, reply):
    """Of a text, or of its parts."""
    assert text_of(kind, json.dumps(reply).encode()) == "Hi"


def test_messages_and_responses_say_their_text():
    """Text blocks, and a stream's deltas, which its last event repeats."""
    message = {"content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"}
    assert text_of("messages", json.dumps(message).encode()) == "Hi"
    output = [{"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}]
    last = {"status": "completed", "output": output}
    events = stream(
        {"type": "response.reasoning_summary_text.delta", "delta": "hm"},
        {"type": "response.output_text.delta", "delta": "Hi"},
        {"type": "response.completed", "response": last},
    )
    assert text_of("responses", events) == "Hi"
    assert text_of("responses", json.dumps(last).encode()) == "Hi"


def test_what_is_no_answer_is_none():
    """An error, an error inside a stream, an unknown operation, nothing."""
    assert read_answer("chat", 500, "", b'{"error": {}}').text is None
    assert text_of("chat", CHAT_STREAM + stream({"error": {"code": "x"}})) is None
    assert text_of("embeddings", b'{"data": []}') is None
    assert text_of("chat", b"") is None
    assert text_of("chat", b'{"choices": ["no"]}') is None
    assert text_of("chat", b'{"choices": [{"message": {"content": null}}]}') is None
    assert text_of("chat", b'{"choices": [{"message": {"content": ""}}]}') == ""


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
    text = text_of(kind, body)
    assert text is None or isinstance(text, str)


def test_every_recorded_answer_is_read():
    """Of the recordings that travel with the package, streams included."""
    read = 0
    for one in read_cassettes(shipped_cassettes() / "llama"):
        kind = operation("/v1/{}".format(one.uri.split("/v1/")[1]).encode())
        if kind == "chat" and one.status == 200:
            assert text_of(kind, one.body) is not None
            read += 1
    assert read > 90


# --- the length and the text are one reading


class Everything(KeptAnswer):
    """Keeps what is only measured, too."""

    def __init__(self):
        super().__init__()
        self.pieces = Counter()

    def measure(self, text, choice=0):
        super().measure(text)
        self.pieces[text or ""] += 1

    @property
    def kept(self):
        """The pieces of the texts and of the calls."""
        kept = Counter(piece for pieces in self.texts.values() for piece in pieces)
        for _, arguments in self.calls.values():
            kept.update(arguments)
        return kept


def read_by(answer, recording, cuts=()):
    """The facts of a recording that is cut there and read into an answer."""
    head = (recording.operation, recording.status, recording.content_type)
    reader = ReplyReader(*head, recording.content_encoding, answer)
    edges = [0, *sorted(cuts), len(recording.body)]
    for start, end in pairwise(edges):
        reader.feed(recording.body[start:end])
    facts = reader.finish()
    assert reader.fault is None
    return facts


def length(pieces):
    """Characters of all."""
    return sum(len(piece) * times for piece, times in pieces.items())


def test_what_is_kept_is_as_long_as_what_is_measured(recordings, own_recordings):
    """Of every recording; what is measured alone is thought, or a server's tool's."""
    exact = 0
    for recording in [*recordings, *own_recordings]:
        answer = Everything()
        facts = read_by(answer, recording)

        assert facts == read_by(None, recording), recording.file
        assert length(answer.pieces) == (facts.output_chars or 0)
        assert answer.kept <= answer.pieces
        if length(answer.kept) == (facts.output_chars or 0):
            exact += bool(facts.output_chars)
        else:
            alone = r'"(reasoning|reasoning_content|thinking|summary|server_tool_use)"'
            assert re.search(alone, recording.text), recording.file
    assert exact > 200


@given(st.data())
def test_cuts_change_no_text(recordings, own_recordings, data):
    """However the network slices a stream, and wherever it ends."""
    recording = data.draw(st.sampled_from([*recordings, *own_recordings]))
    places = st.integers(0, len(recording.body))
    ended = recording._replace(body=recording.body[: data.draw(places)])
    cuts = [min(cut, len(ended.body)) for cut in data.draw(st.lists(places))]
    whole, sliced = Everything(), Everything()

    facts = read_by(whole, ended)

    assert read_by(sliced, ended, cuts) == facts == read_by(None, ended)
    assert (sliced.texts, sliced.calls) == (whole.texts, whole.calls)
    assert length(whole.pieces) == (facts.output_chars or 0)
