"""What a request asks for."""

import json
import time
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.event import Event
from lectr_lab.core.event_values import Operation
from lectr_lab.core.llm_api.lenient_json import Unread
from lectr_lab.core.llm_api.request import (
    RequestContent,
    RequestFacts,
    read_content,
    read_names,
    read_request,
)

SCHEMA = {"type": "object", "properties": {"a": {"type": "array"}}}


def asked(operation="chat", **body):
    """The facts of a request with this body."""
    facts = read_request(json.dumps(body).encode(), operation)
    assert facts is not None
    return facts


def test_the_facts_are_columns_of_the_event():
    """Every fact has its column; `model` is `model_requested`, and how many answers are
    asked for at once is for budgets alone."""
    facts = set(RequestFacts.__struct_fields__) - {"model", "answers"}

    assert facts <= set(Event.__struct_fields__)


def test_every_recorded_request_is_read(recordings):
    """Each is an object, with the model and the prompt that a plain reading finds."""
    seen = 0
    for recording in recordings:
        if recording.operation == "other" or recording.request[:1] != b"{":
            continue
        seen += 1
        body = json.loads(recording.request)
        facts = read_request(recording.request, recording.operation)
        assert facts is not None, recording.file
        assert facts.model == body.get("model")
        assert facts.stream in (bool(body.get("stream")), None)
        assert facts.has_tools in (
            bool(body.get("tools") or body.get("functions")),
            None,
        )
        if recording.operation in ("chat", "messages"):
            assert facts.message_count == len(body["messages"])
        assert facts.prompt_chars == prompt_chars(body), recording.file
    assert seen > 90


def prompt_chars(body):
    """The characters of a prompt, read the slow and simple way."""
    texts = [body.get("system"), body.get("instructions"), body.get("prompt")]
    for message in [*body.get("messages", ()), *as_list(body.get("input"))]:
        if isinstance(message, dict):
            texts += [message.get("content"), message.get("output")]
        elif "input" in body:  # a text among messages is an error on the client's part
            texts.append(message)
    return sum(map(characters, texts))


def as_list(value):
    """Several, or one, or none."""
    return value if isinstance(value, list) else [] if value is None else [value]


def characters(content):
    """Of a text or of parts."""
    if isinstance(content, str) or content is None:
        return len(content or "")
    return sum(
        len(part.get("text") or "") + characters(part.get("content"))
        if isinstance(part, dict)
        else len(part)
        for part in content
    )


def test_a_chat_request_is_read_whole():
    """Every signal that a chat body has."""
    facts = asked(
        model="gpt-4o",
        stream=True,
        stream_options={"include_usage": True},
        service_tier="flex",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "No."}]},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Hé?"},
                    {"type": "image_url", "image_url": {"url": "data:,xxxx"}},
                    {"type": "input_audio", "input_audio": {"data": "xxxx"}},
                ],
            },
        ],
        max_completion_tokens=200,
        max_tokens=100,
        temperature=1,
        reasoning_effort="low",
        tools=[{"type": "function", "function": {"name": "f"}}],
        response_format={"type": "json_schema", "json_schema": {"schema": SCHEMA}},
    )

    assert facts == RequestFacts(
        model="gpt-4o",
        stream=True,
        include_usage=True,
        service_tier_requested="flex",
        message_count=3,
        prompt_chars=15,
        system_chars=12,
        max_output_tokens=200,
        temperature=1.0,
        reasoning_effort="low",
        has_tools=True,
        has_images=True,
        has_audio=True,
        response_format="json_schema",
        schema_depth=2,
    )


def test_a_messages_request_is_read_whole():
    """Anthropic's names for the same things."""
    facts = asked(
        "messages",
        model="claude-sonnet-5",
        max_tokens=10,
        system=[{"type": "text", "text": "Be brief.", "cache_control": {}}],
        messages=[
            {"role": "user", "content": "Hi"},
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "content": [{"type": "text", "text": "42"}],
                    },
                    {"type": "document", "source": {"data": "xxxx"}},
                ],
            },
        ],
        output_config={
            "effort": "high",
            "format": {"type": "json_schema", "schema": {}},
        },
    )

    assert facts == RequestFacts(
        model="claude-sonnet-5",
        stream=False,
        message_count=2,
        prompt_chars=13,
        system_chars=9,
        max_output_tokens=10,
        reasoning_effort="high",
        has_tools=False,
        has_images=True,
        has_audio=False,
        response_format="json_schema",
    )


def test_a_responses_request_is_read_whole():
    """OpenAI's newer names for the same things."""
    facts = asked(
        "responses",
        model="gpt-5",
        stream=True,
        instructions="Be brief.",
        input=[
            {"role": "developer", "content": "No."},
            {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
            {"type": "function_call_output", "call_id": "c", "output": "42"},
        ],
        reasoning={"effort": "minimal"},
        max_output_tokens=7,
        text={"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}},
    )

    assert facts == RequestFacts(
        model="gpt-5",
        stream=True,
        message_count=3,
        prompt_chars=16,
        system_chars=12,
        max_output_tokens=7,
        reasoning_effort="minimal",
        has_tools=False,
        has_images=False,
        has_audio=False,
        response_format="json_schema",
        schema_depth=2,
    )


@pytest.mark.parametrize(
    ("operation", "body", "chars"),
    [
        ("completions", {"prompt": "abc"}, 3),
        ("completions", {"prompt": ["a", "bc"]}, 3),
        ("completions", {"prompt": [1, 2, 3]}, None),
        ("embeddings", {"input": "abc"}, 3),
        ("embeddings", {"input": ["a", "bc"]}, 3),
        ("embeddings", {"input": [[1, 2], [3]]}, None),
        ("embeddings", {}, None),
        ("responses", {"input": "abc"}, 3),
        ("responses", {}, None),
        ("chat", {}, None),
        ("other", {"prompt": "abc"}, None),
    ],
)
def test_a_prompt_is_measured_where_it_is_text(operation, body, chars):
    """Token numbers have no characters; what is not there is None."""
    assert asked(operation, **body).prompt_chars == chars


@pytest.mark.parametrize(
    ("operation", "body", "stream", "include_usage"),
    [
        ("chat", {}, False, None),
        ("chat", {"stream": None}, False, None),
        (
            "chat",
            {"stream": False, "stream_options": {"include_usage": True}},
            False,
            None,
        ),
        ("chat", {"stream": True}, True, False),
        ("chat", {"stream": True, "stream_options": {}}, True, False),
        ("chat", {"stream": True, "stream_options": {"include_usage": 1}}, True, False),
        ("completions", {"stream": True, "stream_options": None}, True, False),
        ("responses", {"stream": True}, True, None),
        ("messages", {"stream": True}, True, None),
        ("chat", {"stream": "yes"}, True, False),
        ("chat", {"stream": 1}, True, False),
        ("chat", {"stream": 0}, False, None),
        ("embeddings", {"stream": True}, None, None),
    ],
)
def test_null_is_kept_for_what_is_not_known(operation, body, stream, include_usage):
    """Not asked for is False; usage is asked for only where it is not sent unasked.

    What some servers take for yes is a stream: it must count as one.
    """
    facts = asked(operation, **body)

    assert (facts.stream, facts.include_usage) == (stream, include_usage)


@pytest.mark.parametrize(
    ("model", "read"),
    [
        ("gpt-4o", "gpt-4o"),
        (" gpt-4o ", " gpt-4o "),
        ("", None),
        ("  ", None),
        (None, None),
        (7, None),
        (["gpt-4o"], None),
        ("a\ud800", "a?"),
    ],
)
def test_a_model_is_a_text_that_says_something(model, read):
    """As it was sent; a lone surrogate, which no file can hold, is replaced."""
    assert asked(model=model).model == read


def test_of_a_key_given_twice_the_last_counts():
    """As with providers' own parsers."""
    facts = read_request(b'{"model": "a", "model": "b"}', "chat")

    assert facts is not None
    assert facts.model == "b"


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'[{"model": "m"}]', b'"m"', b"{", b"--x\r\n", b"\xff"],
)
def test_what_is_no_object_is_no_request(body):
    """None, and no exception."""
    assert read_request(body, "chat") is None


def test_a_byte_order_mark_is_no_obstacle():
    """Some editors write one."""
    facts = read_request(b'\xef\xbb\xbf{"model": "m"}', "chat")

    assert facts is not None
    assert facts.model == "m"


def test_wrong_types_cost_only_themselves():
    """The facts beside an odd field survive it."""
    facts = asked(
        model="m",
        messages=[{"role": "user", "content": {"text": "x"}}, {"content": "Hi"}, 7],
        tools={"a": 1},
        temperature="hot",
        max_tokens=-5,
        response_format="json",
        reasoning_effort=["high"],
        stream_options=[],
        stream=True,
    )

    assert (facts.model, facts.stream, facts.include_usage) == ("m", True, False)
    assert (facts.message_count, facts.prompt_chars) == (3, 2)
    assert facts.temperature is facts.max_output_tokens is facts.response_format is None
    assert facts.reasoning_effort is None


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", "9" * 400, "true"])
def test_numbers_that_cannot_be_stored_are_none(value):
    """A temperature is a small number, a limit is a count."""
    body = f'{{"model": "m", "temperature": {value}, "max_tokens": {value}}}'

    facts = read_request(body.encode(), "chat")

    assert facts == RequestFacts(model="m", stream=False, has_tools=False)


@pytest.mark.parametrize(
    ("operation", "body", "text"),
    [
        ("chat", b'{"messages":[{"role":"user","content":[{"text":"H"},{},{"text":"i"}]}]}', "H\ni"),
        ("chat", b'{"messages":[{"role":"user","content":"a"},{"role":"user","content":"Hi"},{"role":"assistant","content":"b"}]}', "Hi"),
        ("messages", b'{"system":"a","messages":[{"role":"user","content":"Hi"}]}', "Hi"),
        ("responses", b'{"input": "Hi"}', "Hi"),
        ("responses", b'{"input": [{"role": "user", "content": "Hi"}]}', "Hi"),
        ("completions", b'{"prompt": "Hi"}', "Hi"),
        ("completions", b'{"prompt": [1, 2]}', ""),
        ("chat", b'{"messages": [3, {"role": "user"}]}', ""),
        ("chat", b"[", ""),
    ],
)  # fmt: skip
def test_what_the_user_wrote_last_is_read_in_every_api(operation, body, text):
    """Lists of parts, responses, completions, and what is none of them."""
    assert read_content(body, operation) == RequestContent(text, None)


@pytest.mark.parametrize(
    ("operation", "fields"),
    [
        ("chat", {"response_format": {"json_schema": {"schema": {"a": 1}}}}),
        ("messages", {"output_config": {"format": {"schema": {"a": 1}}}}),
        ("messages", {"output_format": {"schema": {"a": 1}}}),
        ("responses", {"text": {"format": {"schema": {"a": 1}}}}),
    ],
)
def test_the_schema_wanted_is_read_in_every_api(operation, fields):
    """Wherever it stands; what is no object is none."""
    body = json.dumps(fields)

    assert read_content(body.encode(), operation).schema == {"a": 1}
    odd = body.replace('{"a": 1}', "[1]").encode()
    assert read_content(odd, operation).schema is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "model stream messages role content type text input prompt system tools "
                "response_format json_schema schema format reasoning effort output "
                "temperature max_tokens stream_options output_config properties "
                "contents parts systemInstruction generationConfig thinkingConfig "
                "inlineData mimeType functionResponse response requests "
                "generateContentRequest responseSchema thinkingBudget".split()
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)
operations = st.sampled_from(get_args(Operation))


@given(json_values, operations)
def test_no_json_value_makes_it_fail(value, operation):
    """An object has facts that can be stored, anything else is None."""
    facts = read_request(json.dumps(value).encode(), operation)

    assert isinstance(read_content(json.dumps(value).encode(), operation), tuple)
    assert (facts is None) == (not isinstance(value, dict))
    msgspec.json.encode(facts)


@given(st.binary(max_size=60), operations)
def test_no_bytes_make_it_fail(data, operation):
    """Whatever bytes come."""
    read_request(data, operation)
    read_content(data, operation)
    read_request(b'{"model": "' + data + b'"}', operation)


@pytest.mark.parametrize("opening", [b'{"a":', b'{"messages":[', b'{"tools":[['])
def test_deep_nesting_makes_it_no_request(opening):
    """Deeper than the stack: None, and no exception."""
    assert read_request(opening * 50_000, "chat") is None


def test_reading_costs_a_few_times_the_parsing():
    """A client waits for it: a 1 KB request takes about 4 to 6 times a bare parse."""
    body = json.dumps(
        {"model": "m", "messages": [{"role": "user", "content": "Hi there. " * 95}]}
    ).encode()

    ratio = cpu_s(lambda: read_request(body, "chat")) / cpu_s(
        lambda: msgspec.json.decode(body)
    )

    assert ratio < 20


def cpu_s(work):
    """The best of several rounds, in processor seconds."""
    rounds = []
    for _ in range(7):
        began = time.process_time()
        for _ in range(300):
            work()
        rounds.append(time.process_time() - began)
    return min(rounds)


@given(
    st.dictionaries(
        st.sampled_from(["model", "stream", "messages", "x"]),
        st.none() | st.booleans() | st.text() | st.lists(st.integers()),
    ),
    st.sampled_from(["chat", "embeddings", "messages", "other"]),
)
def test_the_names_are_those_of_the_facts(body, operation):
    """The law: what a request is sent on by does not depend on how much was read."""
    data = json.dumps(body).encode()
    facts, names = read_request(data, operation), read_names(data, operation)
    assert facts is not None
    assert names is not None

    assert (names.model, names.stream) == (facts.model, facts.stream)
    assert names.facts_truncated
    assert read_request(data, operation, quickly=True) == facts


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf[1]", b"--x\r\n", b"", b"7"])
def test_no_object_has_no_names(body):
    """As it has no facts."""
    assert read_names(body, "chat") is None
    assert read_names(body, "chat", quickly=True) is None


def test_a_large_body_is_not_read_quickly():
    """Its names are."""
    text = {"role": "user", "content": "x" * 300_000}
    body = json.dumps({"messages": [text], "model": "m", "stream": True}).encode()

    with pytest.raises(Unread):
        read_request(body, "chat", quickly=True)
    names = read_names(body, "chat", quickly=True)

    assert names == RequestFacts(model="m", stream=True, facts_truncated=True)
