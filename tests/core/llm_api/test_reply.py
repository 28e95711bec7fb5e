"""Replies as they go by: every recording, and every trap of their findings.

A test named `trap_N` is the N-th point of the recordings' FINDINGS.md.
"""

import gzip
import json
import re
from functools import partial

import brotli
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.event import Event
from lectr_lab.core.llm_api import lenient_json, reply
from lectr_lab.core.llm_api.reply import (
    MAX_BODY_BYTES,
    ReplyFacts,
    ReplyReader,
    UnreadReply,
    read_rest,
)

SSE = "text/event-stream; charset=utf-8"
JSON = "application/json"


def facts_of(body, operation="chat", status=200, kind=SSE, encoding="", cuts=()):
    """The facts of a body, given whole or cut at these places."""
    data = body if isinstance(body, bytes) else body.encode()
    reader = ReplyReader(operation, status, kind, encoding)
    edges = sorted(min(cut, len(data)) for cut in cuts)
    for start, end in zip([0, *edges], [*edges, len(data)], strict=True):
        reader.feed(data[start:end])
    facts = reader.finish()
    assert reader.fault is None
    return facts


def stream(*events, done=True):
    """A chat stream of these chunks."""
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    return "".join(lines) + ("data: [DONE]\n\n" if done else "")


def chunk(content=None, usage=None, **more):
    """One chunk of a chat stream with one choice."""
    delta = {} if content is None else {"content": content}
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return {"model": "m", "choices": [choice], "usage": usage, **more}


def counted(facts):
    """Input and output tokens."""
    return facts.input_tokens, facts.output_tokens


def test_the_facts_are_columns_of_the_event():
    """Every fact has its column, and no other name; all may be left out."""
    facts = set(ReplyFacts.__struct_fields__) - {"error_in_stream"}

    assert facts <= set(Event.__struct_fields__)
    assert ReplyFacts() == ReplyFacts(token_source="absent")


# --- every recording


def of_recording(recording, cuts=()):
    """A recording's facts."""
    return facts_of(
        recording.body,
        recording.operation,
        recording.status,
        recording.content_type,
        recording.content_encoding,
        cuts,
    )


def test_cuts_change_nothing(recordings):
    """Byte by byte every recorded reply says what it says whole."""
    for recording in recordings:
        if len(recording.body) < 20_000:
            everywhere = range(len(recording.body))
            assert of_recording(recording, everywhere) == of_recording(recording), (
                recording.file
            )


@given(st.data())
def test_cuts_change_nothing_wherever_they_are(recordings, data):
    """However the network slices a recorded reply, its facts are the same."""
    recording = data.draw(st.sampled_from(recordings))
    places = st.integers(0, len(recording.body))

    cuts = data.draw(st.lists(places, max_size=8))

    assert of_recording(recording, cuts) == of_recording(recording)


@given(st.data())
def test_compression_changes_nothing(recordings, data):
    """The facts of a gzipped copy are those of the text."""
    recording = data.draw(st.sampled_from(recordings))
    packed = gzip.compress(recording.text.encode())
    cuts = data.draw(st.lists(st.integers(0, len(packed)), max_size=4))
    head = (recording.operation, recording.status, recording.content_type)

    assert facts_of(packed, *head, "gzip", cuts) == facts_of(recording.text, *head)


@pytest.fixture
def hasty(monkeypatch):
    """Nearly everything takes too long to be read at once."""
    monkeypatch.setattr(lenient_json, "_QUICK_ODD_BYTES", 30)
    monkeypatch.setattr(reply, "QUICK_BYTES", 300)
    quickly = partial(lenient_json.read_quickly, most_bytes=300)
    monkeypatch.setattr(reply, "read_quickly", quickly)


def read_elsewhere(reader, data, cut):
    """What an event loop and a worker make of a body between them; and whether
    anything was left to the worker."""
    for start in range(0, len(data), cut):
        reader.feed(data[start : start + cut])
        while reader.behind:
            reader.read_on()
    unread = reader.end()
    if unread is not None:
        sent = msgspec.msgpack.encode(unread)
        unread = msgspec.msgpack.decode(sent, type=UnreadReply)
        reader.told(*read_rest(unread, reader.unread_texts))
    return unread is not None


@pytest.mark.parametrize("cut", [100, 1 << 20])
@pytest.mark.usefixtures("hasty")
def test_it_does_not_matter_where_a_reply_is_read(recordings, cut):
    """The law: here, elsewhere, or a part here: same facts, and over or not alike."""
    left = 0
    for one in recordings:
        head = (one.operation, one.status, one.content_type, one.content_encoding)
        here, reader = ReplyReader(*head), ReplyReader(*head)
        here.feed(one.body)
        was_complete = here.complete

        left += read_elsewhere(reader, one.body, cut)

        assert reader.complete == was_complete, one.file
        assert reader.finish() == here.finish() == of_recording(one), one.file
    assert left > len(recordings) / 2


def test_what_nobody_reads_elsewhere_is_said_to_be_cut():
    """No count that is a part of one; the model is known from before."""
    reader = ReplyReader("chat", 200, SSE, "")
    reader.feed(stream(chunk("Hi", usage={"prompt_tokens": 1}), done=False).encode())
    reader.feed(stream(chunk("x" * 300_000)).encode())
    while reader.behind:
        reader.read_on()

    assert reader.end() is not None
    reader.cut()

    assert reader.finish() == ReplyFacts(model_actual="m", facts_truncated=True)


def test_a_bomb_is_read_within_its_budget():
    """1.5 KB that unfold to 200 MB of events: a thousandth is looked at."""
    event = stream(chunk("x"), done=False).encode()
    bomb = brotli.compress(event * (200 * 2**20 // len(event)), quality=5)
    reader = ReplyReader("chat", 200, SSE, "br")
    reader.feed(bomb)
    steps = 1
    while reader.behind:
        reader.read_on()
        steps += 1

    assert len(bomb) < 3000
    assert 100 < steps < 1000
    assert reader.finish().facts_truncated


def test_an_event_in_pieces_is_no_bomb():
    """A stream that shrinks to a hundredth is read whole: 20,000 events in gzip."""
    body = stream(*[chunk("tok")] * 20_000, chunk(usage={"prompt_tokens": 7}))

    facts = facts_of(gzip.compress(body.encode()), encoding="gzip")

    assert (facts.output_chars, facts.input_tokens) == (60_000, 7)
    assert not facts.facts_truncated


@pytest.mark.parametrize(
    ("status", "body", "encoding", "truncated"),
    [
        (200, stream(chunk("Hi")).encode(), "", False),
        (200, b"", "", False),
        (200, stream(chunk("Hi")).encode(), "nonsense", True),
        (200, b"\x1f\x8b" + bytes(20), "gzip", True),
        (500, b'{"error": "', "", False),
        (200, b'data: "' + b"x" * MAX_BODY_BYTES + b'"\n\n', "", True),
    ],
)
def test_what_was_left_out_is_said(status, body, encoding, truncated):
    """An unknown encoding, a corrupt one, an event without an end."""
    reader = ReplyReader("chat", status, SSE, encoding)
    reader.feed(body)

    assert reader.finish().facts_truncated is truncated


def test_usage_of_a_thousand_names_is_none():
    """Providers name twenty counts; memory for a stream's is bounded."""
    reader = ReplyReader("chat", 200, SSE, "")
    for n in range(200):
        usage = {f"a{n}_{i}": i for i in range(10)}
        reader.feed(stream(chunk(usage=usage), done=False).encode())

    assert len(reader._answer.usage) <= 64


def said_plainly(recording):
    """All JSON values of a reply, read the slow and simple way."""
    text = recording.text.replace("\r\n", "\n")
    if text.lstrip().startswith(("{", "[")):
        return [json.loads(text)]
    lines = re.findall(r"^ ?data: ?(.*)$", text, re.MULTILINE)
    return [json.loads(line) for line in lines if line.strip() not in ("[DONE]", "")]


def find_all(value, key):
    """Every object under a key, anywhere, in the order of the text."""
    if isinstance(value, list):
        return [found for item in value for found in find_all(item, key)]
    if not isinstance(value, dict):
        return []
    inner = [found for k, v in value.items() if k != key for found in find_all(v, key)]
    return inner + ([value[key]] if isinstance(value.get(key), dict) else [])


def test_usage_is_the_one_a_plain_reading_finds(recordings):
    """The last usage anywhere in the text, or Anthropic's, merged, is what we count."""
    seen = 0
    for recording in recordings:
        if recording.operation == "other" or recording.status >= 400:
            continue
        usages = [
            u for said in said_plainly(recording) for u in find_all(said, "usage")
        ]
        merged = {k: v for u in usages for k, v in u.items() if v is not None}
        facts = of_recording(recording)
        if not merged:
            assert facts.token_source == "absent", recording.file
            assert counted(facts) == (None, None)
            continue
        seen += 1
        parts = ("cache_read_input_tokens", "cache_creation_input_tokens")
        total = merged.get("prompt_tokens") or sum(
            merged.get(key, 0) for key in ("input_tokens", *parts)
        )
        written = merged.get("completion_tokens", merged.get("output_tokens"))
        if "gemini" in str(facts.model_actual) and "total_tokens" in merged:
            written = merged["total_tokens"] - total  # thoughts stand in it alone
        assert counted(facts) == (total, written), recording.file
        assert facts.token_source == "provider"
    assert seen > 60


def written_plainly(recording):
    """The answer's characters, read the slow and simple way."""
    found = []
    for said in said_plainly(recording):
        kind = str(said.get("type", ""))
        if kind.startswith("response.") and kind.endswith(".delta"):
            found.append(said["delta"])
        for choice in said.get("choices", ()):
            message = choice.get("delta") or choice.get("message") or {}
            found += [choice.get("text"), message.get("content")]
            found += [message.get("refusal"), message.get("reasoning")]
            calls = [c["function"] for c in message.get("tool_calls") or ()]
            calls += filter(None, [message.get("function_call")])
            found += [call.get("arguments") for call in calls]
        if kind == "content_block_delta":
            found += [
                said["delta"].get(k) for k in ("text", "thinking", "partial_json")
            ]
    return sum(len(text) for text in found if text)


def test_the_answer_is_measured_whole(recordings):
    """Text, reasoning and tool arguments of all choices, in characters."""
    seen = 0
    for recording in recordings:
        whole = recording.operation in ("messages", "responses", "embeddings", "other")
        if recording.status >= 400 or (whole and not recording.is_stream):
            continue
        if recording.operation == "other" or not recording.body:
            continue
        seen += 1
        assert of_recording(recording).output_chars == written_plainly(recording), (
            recording.file
        )
    assert seen > 50


def test_a_reply_read_as_whole_json_measures_like_its_stream(recordings):
    """A stream's last event repeats a response: read alone it has the same facts."""
    seen = 0
    for recording in recordings:
        if recording.operation != "responses" or not recording.is_stream:
            continue
        seen += 1
        last = json.dumps(said_plainly(recording)[-1]["response"])
        assert facts_of(last, "responses", kind=JSON) == of_recording(recording)
    assert seen >= 3


def test_every_good_reply_names_its_model_and_its_end(recordings):
    """What a provider answered completely has a model, a choice and a reason."""
    for recording in recordings:
        whole = recording.is_stream or recording.content_type.startswith(JSON)
        if recording.operation in ("other", "embeddings") or not whole:
            continue
        facts = of_recording(recording)
        if recording.status < 400 and recording.body and not facts.error_in_stream:
            assert facts.model_actual, recording.file
            assert facts.choice_count, recording.file
            if re.search(r'"(finish|stop)_reason": ?"', recording.text):
                assert facts.finish_reason, recording.file


def test_every_error_has_a_class(recordings):
    """A refusal tells its class, short and without prose, and nothing else."""
    seen = set()
    for recording in recordings:
        if recording.status < 400 or recording.host.startswith("localhost"):
            continue
        facts = of_recording(recording)
        assert facts == ReplyFacts(error_type=facts.error_type), recording.file
        seen.add(facts.error_type)
    assert seen >= {
        "context_length_exceeded",
        "invalid_api_key",
        "invalid_request_error",
        "model_not_found",
        "not_found_error",
        "DeploymentNotFound",
        "RateLimitReached",
        "RESOURCE_EXHAUSTED",
        "INVALID_ARGUMENT",
        "NOT_FOUND",
        "authentication_error",
        "tool_use_failed",
        "401",
    }


def test_no_fact_holds_an_answer(recordings):
    """Names are short and have no spaces; the rest are numbers and flags."""
    for recording in recordings:
        for value in msgspec.structs.astuple(of_recording(recording)):
            assert not isinstance(value, str) or re.fullmatch(r"[\w.:/-]{1,80}", value)


# --- the traps


def test_trap_1_padding_and_obfuscation_are_not_the_answer(recording):
    """Anthropic pads its JSON, OpenAI adds random text: neither is measured."""
    padded = recording("opus_46_adaptive_thinking")
    tight = re.sub(r" +}$", "}", padded.text, flags=re.MULTILINE)
    obfuscated = stream(chunk("Hi", obfuscation="Zk3x9"), chunk("", obfuscation="aaa"))

    assert facts_of(tight, "messages") == of_recording(padded)
    assert facts_of(obfuscated).output_chars == 2


def test_trap_3_a_compressed_stream_is_read(recording):
    """Gemini gzips its streams: usage is there, and content starts before the end."""
    gemini = recording("gemini_acomplete_Say")
    reader = gemini.reader()
    for byte in gemini.body:
        reader.feed(bytes([byte]))

    assert gemini.content_encoding == "gzip"
    assert reader.content_started
    assert counted(reader.finish()) == (3, 11)


def test_trap_5_usage_is_null_on_every_chunk_but_one():
    """The key alone says nothing."""
    last = {"model": "m", "choices": [], "usage": {"prompt_tokens": 9}}

    facts = facts_of(stream(chunk("Hi"), chunk(" you"), last))
    without = facts_of(stream(chunk("Hi"), chunk(" you")))

    assert (facts.input_tokens, facts.token_source) == (9, "provider")
    assert (without.input_tokens, without.token_source) == (None, "absent")


def test_trap_5_a_chunk_without_choices_is_not_the_usage_chunk(recording):
    """Azure opens with one, and with an empty model: neither ends up in the facts."""
    facts = of_recording(recording("azure_streaming_emits_tool_call"))

    assert facts.model_actual == "gpt-4o-mini-2024-07-18"
    assert counted(facts) == (66, 17)
    assert facts.finish_reason == "tool_calls"


def test_trap_5_an_empty_model_names_none():
    """Wherever in a stream it stands."""
    unnamed = {"model": "", "choices": []}

    assert facts_of(stream(unnamed, chunk("Hi"), unnamed)).model_actual == "m"
    assert facts_of(stream(unnamed)).model_actual is None


@pytest.mark.parametrize("lead", [b"\xef\xbb\xbf", b"\n\n", b" \r\n\t"])
@pytest.mark.parametrize("body", [stream(chunk("Hi")), json.dumps(chunk("Hi"))])
def test_what_stands_before_the_first_byte_hides_nothing(lead, body):
    """A byte order mark and blank space, in one chunk or cut."""
    data = lead + body.encode()

    assert facts_of(data) == facts_of(data, cuts=[1, 2]) == facts_of(body)
    assert facts_of(data, kind="").model_actual == "m"


def test_trap_6_usage_need_not_be_last():
    """A moderation chunk may follow, and a chunk that counts may have choices."""
    usage = {"prompt_tokens": 9, "completion_tokens": 1}
    after = {"model": "m", "choices": [], "usage": None, "moderation": {"flagged": 0}}

    assert counted(facts_of(stream(chunk("Hi", usage=usage), after))) == (9, 1)


def test_trap_6_usage_beside_choices(recording):
    """OpenRouter's bodies have usage in a chunk with a choice."""
    assert counted(of_recording(recording("streaming_variant_a"))) == (57, 17)


def test_trap_7_chunks_are_never_summed(recording):
    """Gemini counts up, Groq says the same three times: the last counts."""
    groq = recording("groq-kimi-k2_simple_streaming")

    assert groq.text.count('"usage"') == 3
    assert counted(of_recording(groq)) == (20, 4)
    assert of_recording(groq).service_tier == "on_demand"
    assert counted(of_recording(recording("gemini_complete_Say"))) == (3, 11)


def test_trap_7_groq_counts_without_being_asked(recording):
    """`x_groq.usage` alone is enough."""
    groq = recording("groq/lmnr-ai__lmnr-python__test_chat_streaming_legacy")

    assert counted(of_recording(groq)) == (18, 73)


def messages(*events):
    """A messages stream of these events."""
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)


def start(usage):
    """The event that opens a messages stream."""
    message = {"type": "message", "model": "c", "content": [], "usage": usage}
    return {"type": "message_start", "message": message}


def test_trap_8_later_counts_of_anthropic_replace_earlier_ones():
    """message_start's output is a placeholder, and its input may be corrected."""
    opening = start({"input_tokens": 727, "output_tokens": 88})
    only_output = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 5}}
    both = {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn"},
        "usage": {"input_tokens": 1595, "output_tokens": 7},
    }

    assert counted(facts_of(messages(opening), "messages")) == (727, 88)
    assert counted(facts_of(messages(opening, only_output), "messages")) == (727, 5)
    assert counted(facts_of(messages(opening, only_output, both), "messages")) == (
        1595,
        7,
    )


def test_trap_8_anthropics_input_is_the_sum_of_its_parts(recording):
    """`input_tokens` leaves cached ones out; they are billed, so they are counted."""
    facts = of_recording(recording("claude_sonnet_cache_token_details", 1))
    usage = json.loads(recording("claude_sonnet_cache_token_details", 1).text)["usage"]

    assert facts.cache_read_tokens == usage["cache_read_input_tokens"] > 0
    assert facts.input_tokens == (
        usage["input_tokens"]
        + usage["cache_read_input_tokens"]
        + usage["cache_creation_input_tokens"]
    )


def test_trap_8_pings_and_searches(recording):
    """A ping is nothing; searches and the hour's cache have columns."""
    usage = {
        "input_tokens": 1,
        "cache_creation_input_tokens": 9,
        "cache_creation": {"ephemeral_1h_input_tokens": 8},
        "server_tool_use": {"web_search_requests": 2},
        "service_tier": "standard",
    }

    facts = facts_of(messages({"type": "ping"}, start(usage)), "messages")

    assert facts_of(messages({"type": "ping"}), "messages") == ReplyFacts()
    assert (facts.input_tokens, facts.cache_write_tokens) == (10, 9)
    assert (facts.cache_write_1h_tokens, facts.web_searches) == (8, 2)
    assert facts.service_tier == "standard"


def test_trap_9_unknown_keys_and_floats_are_passed_over(recording):
    """Usage blocks grow: objects, costs, flags and floats do no harm."""
    usage = {
        "prompt_tokens": 12.0,
        "completion_tokens": 3,
        "latency_checkpoint": {"a": 1},
        "cost": 0.1,
        "is_byok": False,
        "queue_time": 0.28,
    }

    assert counted(facts_of(stream(chunk("Hi", usage=usage)))) == (12, 3)


def test_trap_9_reasoning_is_a_part_of_the_output(recording):
    """It is told apart, and not added."""
    facts = of_recording(recording("azure/traceloop__openllmetry__test_chat_reasoning"))

    assert (facts.output_tokens, facts.reasoning_tokens) == (203, 192)


def test_trap_10_the_model_is_the_replys(recording):
    """Azure's request names a deployment; the reply says which model answered."""
    azure = recording("HumanSignal__Adala__test_simple_estimate_cost_azure")

    assert json.loads(azure.request)["model"] == "gpt4o"
    assert (
        of_recording(azure).model_actual == json.loads(azure.text)["model"] != "gpt4o"
    )


def test_trap_11_an_error_inside_a_good_stream_is_an_error(recording):
    """Groq's `event: error` under status 200, then the end: no success, no usage."""
    facts = of_recording(recording("tool_use_failed_error_streaming"))

    assert facts.error_in_stream
    assert facts.error_type == "tool_use_failed"
    assert facts.token_source == "absent"


ERRORS_IN_STREAMS = {
    "anthropic": (
        "messages",
        'event: error\ndata: {"error": {"type": "overloaded_error"}}\n\n',
        "overloaded_error",
    ),
    "openai": (
        "chat",
        'data: {"error": {"type": "server_error", "code": null, "message": "x"}}\n\n',
        "server_error",
    ),
    "openrouter": ("chat", 'data: {"error": {"code": 502}, "choices": []}\n\n', "502"),
    "gemini": (
        "chat",
        'data: [{"error": {"status": "UNAVAILABLE"}}]\n\n',
        "UNAVAILABLE",
    ),
    "groq's corner": (
        "chat",
        'data: {"x_groq": {"error": "over capacity"}}\n\n',
        "error",
    ),
    "responses failed": (
        "responses",
        'data: {"type": "response.failed", "response": {"error": {"code": "a_b"}}}\n\n',
        "a_b",
    ),
    "responses error": (
        "responses",
        'event: error\ndata: {"type": "error", "code": "server_error"}\n\n',
        "server_error",
    ),
    "responses error, framed": (
        "responses",
        'data: {"type": "error", "error": {"code": "server_error"}}\n\n',
        "server_error",
    ),
    "by its name alone": ("chat", "event: error\ndata: oh, no\n\n", "error"),
    "message only": ("chat", 'data: {"error": "the model is tired"}\n\n', "error"),
    "unterminated": ("chat", 'event: error\ndata: {"error": {"code": "x_y"}}', "x_y"),
}


@pytest.mark.parametrize(
    ("operation", "body", "error_type"),
    ERRORS_IN_STREAMS.values(),
    ids=ERRORS_IN_STREAMS,
)
def test_trap_11_errors_in_streams_of_every_provider(operation, body, error_type):
    """Synthetic where no recording exists: each ends the reply and names its class."""
    reader = ReplyReader(operation, 200, SSE, "")
    reader.feed(body.encode())
    if body.endswith("\n"):
        assert reader.complete
    facts = reader.finish()

    assert (facts.error_in_stream, facts.error_type) == (True, error_type)


def test_trap_11_an_error_in_whole_json_under_200():
    """A gateway's error object under a good status is an error as well."""
    facts = facts_of('{"error": {"code": "content_filter"}}', kind=JSON)

    assert (facts.error_in_stream, facts.error_type) == (True, "content_filter")


def test_trap_12_an_error_may_be_labelled_a_stream(recording):
    """Pretty-printed JSON under text/event-stream: the status says how to read it."""
    gemini = recording("test_authentication_error_stream.google")

    assert gemini.content_type.startswith("text/event-stream")
    assert gemini.operation == "other"
    assert of_recording(gemini) == ReplyFacts(error_type="INVALID_ARGUMENT")
    assert facts_of(gemini.text, "chat", 400) == ReplyFacts(
        error_type="INVALID_ARGUMENT"
    )


def test_trap_12_a_refused_stream_may_be_plain_json():
    """`stream: true` and 401: JSON, labelled as such; or a stream of one error."""
    error = '{"error": {"code": "invalid_api_key", "type": "invalid_request_error"}}'

    for body, kind in ((error, JSON), (f"data: {error}\n\n", SSE), (error, "")):
        assert facts_of(body, "chat", 401, kind).error_type == "invalid_api_key"


def test_trap_12_a_label_does_not_make_a_stream():
    """A good reply is read by what it is, whatever it is called."""
    whole = '{"model": "m", "choices": [], "usage": {"prompt_tokens": 4}}'

    assert facts_of(whole, kind=SSE).input_tokens == 4
    assert facts_of(stream(chunk("Hi")), kind=JSON).output_chars == 2


def test_trap_13_an_empty_stream_says_nothing(recordings):
    """The client left before the first byte: no facts, no failure."""
    empty = [r for r in recordings if not r.body and r.status == 200]

    assert empty
    for recording in empty:
        assert of_recording(recording) == ReplyFacts()


def test_trap_14_a_rewritten_error_has_no_class(recordings):
    """A proxy that makes `500 {"detail": …}` of an error has lost its class."""
    rewritten = [r for r in recordings if r.status == 500]

    assert rewritten
    for recording in rewritten:
        assert of_recording(recording) == ReplyFacts()


@pytest.mark.parametrize(
    ("status", "body", "error_type"),
    [
        (
            400,
            '[{"error": {"code": 400, "status": "INVALID_ARGUMENT"}}]',
            "INVALID_ARGUMENT",
        ),
        (
            429,
            '{"error": {"type": "tokens", "code": "rate_limit_exceeded"}}',
            "rate_limit_exceeded",
        ),
        (
            429,
            '{"error": {"type": "insufficient_quota", "code": "insufficient_quota"}}',
            "insufficient_quota",
        ),
        (
            529,
            '{"type": "error", "error": {"type": "overloaded_error"}}',
            "overloaded_error",
        ),
        (404, '{"error": {"code": "404", "message": "Resource not found"}}', "404"),
        (
            400,
            '{"object": "error", "type": "BadRequestError", "code": 400}',
            "BadRequestError",
        ),
        (500, "<html><body>Bad gateway</body></html>", None),
        (500, "", None),
        (500, "[]", None),
        (500, "[1, 2]", None),
        (500, '{"error": "no such model, sorry"}', None),
        (500, '{"error": {"code": "the user asked for a poem"}}', None),
        (500, '{"error": null}', None),
        (500, '{"error": {"type": "a_b", "code": NaN}}', "a_b"),
    ],
)
def test_an_error_body_gives_its_class(status, body, error_type):
    """The code where it is a name, else type or status; prose never."""
    assert facts_of(body, "chat", status, JSON) == ReplyFacts(error_type=error_type)


# --- what a stream's start and end look like


FIRST_CONTENT = {
    "role only": ("chat", [{"choices": [{"delta": {"role": "assistant"}}]}], False),
    "empty": ("chat", [chunk("")], False),
    "null": ("chat", [{"choices": [{"delta": {"content": None}}]}], False),
    "no choices": ("chat", [{"choices": []}], False),
    "text": ("chat", [chunk("H")], True),
    "completions": ("completions", [{"choices": [{"text": "H"}]}], True),
    "reasoning": ("chat", [{"choices": [{"delta": {"reasoning": "H"}}]}], True),
    "llama.cpp's reasoning": (
        "chat",
        [{"choices": [{"delta": {"content": None, "reasoning_content": "H"}}]}],
        True,
    ),
    "tool call": (
        "chat",
        [{"choices": [{"delta": {"tool_calls": [{"function": {"name": "f"}}]}}]}],
        True,
    ),
    "opening": ("messages", [start({"input_tokens": 1})], False),
    "ping": ("messages", [{"type": "ping"}], False),
    "text block": (
        "messages",
        [
            {
                "type": "content_block_start",
                "content_block": {"type": "text", "text": ""},
            }
        ],
        False,
    ),
    "tool block": (
        "messages",
        [{"type": "content_block_start", "content_block": {"type": "tool_use"}}],
        True,
    ),
    "thinking": (
        "messages",
        [{"type": "content_block_delta", "delta": {"thinking": "H"}}],
        True,
    ),
    "signature": (
        "messages",
        [{"type": "content_block_delta", "delta": {"signature": "H"}}],
        False,
    ),
    "created": (
        "responses",
        [{"type": "response.created", "response": {"model": "m"}}],
        False,
    ),
    "message item": (
        "responses",
        [{"type": "response.output_item.added", "item": {"type": "message"}}],
        False,
    ),
    "call item": (
        "responses",
        [{"type": "response.output_item.added", "item": {"type": "function_call"}}],
        True,
    ),
    "text delta": (
        "responses",
        [{"type": "response.output_text.delta", "delta": "H"}],
        True,
    ),
}


@pytest.mark.parametrize(
    ("operation", "events", "started"), FIRST_CONTENT.values(), ids=FIRST_CONTENT
)
def test_content_starts_with_content(operation, events, started):
    """Text, reasoning or a tool call; not a role, a ping or an empty piece."""
    reader = ReplyReader(operation, 200, SSE, "")

    reader.feed(stream(*events, done=False).encode())

    assert reader.content_started is started
    assert not reader.complete


def test_every_recorded_stream_that_ends_says_so(recordings):
    """`[DONE]`, `message_stop`, the last response event or an error; before it only
    where nothing that it counts is still to come."""
    for recording in recordings:
        if not recording.is_stream or recording.operation == "other":
            continue
        reader, cut = recording.reader(), recording.reader()
        reader.feed(recording.body)
        for start in range(0, len(recording.body), 40):
            if cut.complete:
                break
            cut.feed(recording.body[start : start + 40])
        ends = ("[DONE]", "message_stop", "response.completed", "event: error")
        assert reader.complete == any(end in recording.text for end in ends)
        assert cut.complete == reader.complete
        if cut.complete:
            assert what_counts(cut) == what_counts(reader), recording.file


def what_counts(reader):
    """Of a reply's facts, what it costs and why it stopped."""
    facts = reader.finish()
    return facts.input_tokens, facts.output_tokens, facts.finish_reason


@pytest.mark.parametrize(
    ("operation", "events", "over"),
    [
        ("messages", [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}], True),
        ("messages", [{"type": "message_start", "message": {"content": [], "usage": {"output_tokens": 1}}}], False),
        ("chat", [{"choices": [{"finish_reason": "stop"}]}], False),
        ("chat", [{"choices": [], "usage": {"completion_tokens": 1}}], False),
        ("chat", [{"choices": [{"finish_reason": "stop"}]}, {"choices": [], "usage": {"completion_tokens": 1}}], True),
        ("chat", [{"choices": [{"finish_reason": "stop"}, {"finish_reason": None}], "usage": {"completion_tokens": 1}}], False),
        ("generate_content", [{"candidates": [{"finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 1}}], True),
        ("responses", [{"type": "response.in_progress", "response": {"status": "in_progress", "usage": {"input_tokens": 1}}}], False),
    ],
)  # fmt: skip
def test_a_stream_is_over_once_its_stop_reason_and_usage_are_in(
    operation, events, over
):
    """LiteLLM leaves before `message_stop`; without a count, or a reason, it is not."""
    reader = ReplyReader(operation, 200, SSE, "")

    reader.feed(stream(*events, done=False).encode())

    assert reader.complete is over


def test_whole_json_is_complete_when_it_parses():
    """A client that closes after the last byte has had its reply."""
    reader = ReplyReader("chat", 200, JSON, "")
    reader.feed(b'{"model": "m"')
    half = reader.complete
    reader.feed(b"}")

    assert (half, reader.complete) == (False, True)


def test_a_stream_that_breaks_off_keeps_what_it_said():
    """Whatever came before the cut is known."""
    facts = facts_of(stream(chunk("Hello"), chunk(" you"), done=False)[:-20])

    assert (facts.model_actual, facts.output_chars, facts.choice_count) == ("m", 5, 1)
    assert facts.finish_reason is None


# --- what is stored


def test_choices_are_counted_by_index(recording):
    """n answers, their characters together, the first one's reason."""
    facts = of_recording(recording("completion_stream_multiple_choices"))

    assert facts.choice_count == 2
    assert facts.finish_reason in ("stop", "length")


@pytest.mark.parametrize(
    ("model", "stored"),
    [
        ("gpt-4o", "gpt-4o"),
        ("モデル", "モデル"),
        ("", None),
        ("a\nb", None),
        ("\ud800", None),
    ],
)
def test_a_models_name_is_printable(model, stored):
    """Anything else is None."""
    assert facts_of(json.dumps({"model": model}), kind=JSON).model_actual == stored


@pytest.mark.parametrize("field", ["finish_reason", "service_tier"])
@given(text=st.text())
def test_prose_in_a_names_place_is_not_stored(field, text):
    """Content must never reach the log by way of a name."""
    body = {"choices": [{"finish_reason": text}], "service_tier": text}

    stored = getattr(facts_of(json.dumps(body), kind=JSON), field)

    assert stored is None or (stored == text and re.fullmatch(r"[\w.:/-]{1,64}", text))


def test_characters_are_code_points():
    """Not bytes, not escapes."""
    assert facts_of(stream(chunk("né"), chunk("日本🎉"))).output_chars == 5


def test_a_body_over_the_limit_is_not_parsed():
    """Memory is bounded: facts are unknown, and nothing is held."""
    small = json.dumps({"usage": {"prompt_tokens": 5}, "data": ""})
    reader = ReplyReader("embeddings", 200, JSON, "")
    reader.feed(small[:-2].encode())
    for _ in range(MAX_BODY_BYTES // 65536 + 1):
        reader.feed(b"x" * 65536)
        assert sum(map(len, reader._body)) <= MAX_BODY_BYTES
    reader.feed(b'"}')

    assert reader.finish() == ReplyFacts(facts_truncated=True)
    assert facts_of(small, "embeddings", kind=JSON).input_tokens == 5


def test_a_path_without_accounting_has_no_usage():
    """`other` is passed through; only its errors are read."""
    body = '{"model": "m", "usage": {"prompt_tokens": 5}}'

    assert facts_of(body, "other", kind=JSON) == ReplyFacts()
    assert facts_of('{"error": {"code": "a_b"}}', "other", 404).error_type == "a_b"


def test_wrong_types_cost_only_themselves():
    """A chunk with one odd field keeps its others."""
    odd = {
        "model": 7,
        "choices": [{"index": "0", "delta": {"content": "Hi", "tool_calls": "x"}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": "4"},
        "service_tier": ["a"],
    }

    facts = facts_of(stream(odd))

    assert (facts.output_chars, facts.choice_count) == (2, 1)
    assert counted(facts) == (3, None)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["message_start", "error", "response.completed", "x.delta"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "type model choices delta message content usage error response item output "
                "text index finish_reason tool_calls function x_groq timings status code "
                "content_block prompt_tokens input_tokens cache_creation".split()
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
operations = st.sampled_from(["chat", "completions", "responses", "messages", "other"])


@given(json_values, operations, st.sampled_from([200, 400]), st.booleans())
def test_no_json_value_makes_it_fail(value, operation, status, streamed):
    """Whatever JSON comes: facts or none, and no exception inside."""
    text = json.dumps(value)

    facts = facts_of(f"data: {text}\n\n" if streamed else text, operation, status)

    msgspec.json.encode(facts)  # all of it can be stored


@given(
    st.binary(max_size=80)
    | st.binary(max_size=60).map(lambda b: b"data: " + b + b"\n\n"),
    operations,
    st.sampled_from(["", "gzip", "deflate", "br", "zstd", "?"]),
)
def test_no_bytes_make_it_fail(data, operation, encoding):
    """Whatever bytes come: no exception inside."""
    facts_of(data, operation, encoding=encoding, cuts=[3, 7])


def test_a_fault_of_ours_costs_facts_alone(monkeypatch):
    """An exception inside ends the reading; the next bytes are let go by."""
    reader = ReplyReader("chat", 200, SSE, "")
    monkeypatch.setattr(reader._answer, "use", lambda _: 1 / 0)

    reader.feed(stream(chunk("Hi", usage={"prompt_tokens": 1})).encode())
    reader.feed(b"data: more\n\n")

    assert reader.fault == "ZeroDivisionError"
    assert reader.finish().output_chars == 2


# --- what a reply says of itself


@pytest.mark.parametrize(
    ("operation", "events", "named"),
    [
        ("chat", [{"id": "", "choices": []}, {"id": "c_1"}, {"id": "c_2"}], "c_1"),
        ("chat", [{"id": 7, "choices": []}], None),
        ("chat", [{"id": "As the user said", "choices": []}], None),
        ("responses", [{"type": "response.created", "response": {"id": "resp_1"}}], "resp_1"),
        ("responses", [{"id": "resp_1", "status": "completed"}], "resp_1"),
        ("messages", [{"type": "message_start", "message": {"id": "msg_1", "content": []}}], "msg_1"),
        ("messages", [{"type": "message", "id": "msg_1", "content": []}], "msg_1"),
        ("generate_content", [{"responseId": "g1", "candidates": []}], "g1"),
    ],
)  # fmt: skip
def test_a_reply_names_itself(operation, events, named):
    """The id that it has, in every API, whole or in its stream."""
    facts = facts_of(stream(*events), operation)

    assert facts.provider_response_id == named


def test_every_recorded_answer_names_itself(recordings):
    """By the id that a plain reading of its body finds first, where there is one."""
    found = 0
    for recording in recordings:
        ids = re.findall(r'(?:[^_\w]|^)"(?:id|responseId)": *"([^"]+)"', recording.text)
        named = of_recording(recording).provider_response_id
        found += named is not None
        assert named is None or named in ids, recording.file
    assert found > 80


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        ({"cost": 0.0123}, 0.0123),
        ({"cost": 0}, 0.0),
        ({"cost": {"total_cost": 0.006, "input_tokens_cost": 0.001}}, 0.006),
        ({"cost_in_usd_ticks": 37_756_000}, 0.0037756),
        ({"cost": -1}, None),
        ({"cost": True}, None),
        ({"cost": "0.1"}, None),
        ({"cost": 10**400}, None),
        ({"cost": {"total": 1}}, None),
        ({}, None),
    ],
)
def test_what_a_provider_says_that_it_cost_is_kept(usage, usd):
    """OpenRouter's, Perplexity's and xAI's form, streamed or not; else null."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2} | usage
    whole = json.dumps({"choices": [], "usage": usage})

    assert facts_of(whole).cost_stated_usd == usd
    assert facts_of(stream(chunk("Hi"), chunk(usage=usage))).cost_stated_usd == usd


def test_where_a_message_ran_is_kept():
    """Anthropic says it once, where the stream opens; what is no name is null."""
    start = {"id": "m", "content": [], "usage": {"inference_geo": "us"}}
    end = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 5}}
    body = messages({"type": "message_start", "message": start}, end)

    assert facts_of(body, "messages").inference_geo == "us"
    odd = body.replace('"us"', '"in the US"')
    assert facts_of(odd, "messages").inference_geo is None


@pytest.mark.parametrize(
    ("operation", "reply", "calls"),
    [
        ("responses", {"output": [{"type": "file_search_call"}, {"type": "code_interpreter_call"}, {"type": "web_search_call"}, {"type": "function_call"}]}, 2),
        ("responses", {"output": []}, None),
        ("messages", {"content": [], "usage": {"server_tool_use": {"web_search_requests": 3, "code_execution_requests": 2}}}, 2),
        ("messages", {"content": [], "usage": {"server_tool_use": {"code_execution_requests": 0}}}, 0),
        ("messages", {"content": [], "usage": {"server_tool_use": {"code_execution_requests": "2"}}}, None),
        ("messages", {"content": [], "usage": {"server_tool_use": {"web_fetch_requests": 2}}}, None),
        ("chat", {"choices": []}, None),
    ],
)  # fmt: skip
def test_tools_that_the_provider_ran_are_counted(operation, reply, calls):
    """Besides searches, and not the client's own."""
    assert facts_of(json.dumps(reply), operation).other_tool_calls == calls


def test_tools_are_counted_once_in_a_stream():
    """Each item is told as it begins, as it ends, and in the whole at the end."""
    item = {"type": "file_search_call"}
    events = [
        {"type": "response.output_item.added", "item": item},
        {"type": "response.output_item.done", "item": item},
        {"type": "response.completed", "response": {"output": [item]}},
    ]

    assert facts_of(stream(*events), "responses").other_tool_calls == 1
