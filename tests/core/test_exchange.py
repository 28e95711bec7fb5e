"""One request, told in words and times, becomes one event."""

from datetime import UTC, datetime

import pytest

from lectr_lab.core.exchange import Exchange
from lectr_lab.core.headers import ClientHeaders
from lectr_lab.core.keys import KeyEntry
from lectr_lab.core.llm_api.request import read_names, read_request
from lectr_lab.core.routing.providers import ResolvedProvider

BEGAN = datetime(2026, 11, 24, 12, tzinfo=UTC)
BODY = b'{"model": "gpt-4o", "stream": true, "messages": [{"role": "user", "content": "hi"}]}'
HEAD = [(b"content-type", b"text/event-stream"), (b"x-request-id", b"req_7")]
OPENAI = ResolvedProvider("openai", "model")


def exchange(
    client_headers: ClientHeaders | None = None,
    feature: str | None = None,
    raw_path: bytes = b"/v1/chat/completions",
) -> Exchange:
    """A request that has just arrived, at second 100."""
    key = KeyEntry(
        key_id="k1", org="acme", digest="", feature=feature, created_at=BEGAN
    )
    return Exchange(
        event_id=bytes(16),
        started_at=BEGAN,
        started_s=100.0,
        raw_path=raw_path,
        client_headers=client_headers or ClientHeaders(),
        key=key,
    )


def test_the_times_of_a_stream_are_measured_from_where_they_begin():
    """total from arrival, ttfb and ttft from asking, overhead is our own part."""
    one = exchange()
    one.received(read_request(BODY, "chat"), len(BODY), 100.010)
    one.sent_to(OPENAI, 100.011)
    one.answered(200, HEAD, 100.111)
    one.passed_on(100.1115)
    one.chunk(
        b'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n', 100.2
    )
    one.chunk(b'data: {"choices":[{"index":0,"delta":{"content":"he"}}]}\n\n', 100.311)
    one.chunk(b'data: {"choices":[{"index":0,"delta":{"content":"y"}}]}\n\n', 100.4)
    one.chunk(b"data: [DONE]\n\n", 100.5)

    event = one.ended("ok", 100.6)

    assert (event.total_ms, event.ttfb_ms, event.ttft_ms) == (600.0, 100.0, 300.0)
    assert event.overhead_ms == 1.5
    assert (event.outcome, event.status, event.provider_request_id) == (
        "ok",
        200,
        "req_7",
    )
    assert (event.output_chars, event.token_source) == (3, "absent")


def test_what_did_not_happen_is_null():
    """A refused request has no provider, no reply and no times but its own."""
    event = exchange().ended("refused", 100.001, status=401, error_type="x")

    assert (event.total_ms, event.status) == (1.0, 401)
    unknown = (event.ttfb_ms, event.provider, event.model_sent, event.response_bytes)
    assert unknown == (None,) * 4


@pytest.mark.parametrize(
    ("status", "body", "outcome", "error_type"),
    [
        (200, b"data: {}\n\ndata: [DONE]\n\n", "ok", None),
        (
            200,
            b'data: {"error":{"type":"server_error","message":"m"}}\n\n',
            "error_in_stream",
            "server_error",
        ),
        (502, b"<html>bad gateway</html>", "provider_error", "502"),
    ],
)
def test_an_error_of_the_providers_is_found_in_its_reply(
    status, body, outcome, error_type
):
    """A reply that was passed on whole can still be a failure."""
    one = exchange()
    one.sent_to(OPENAI, 100.0)
    one.answered(status, HEAD, 100.1)
    one.chunk(body, 100.2)

    event = one.ended("ok", 100.3)

    assert (event.outcome, event.error_type) == (outcome, error_type)
    assert event.error_source == (None if outcome == "ok" else "provider")


def test_a_keys_default_feature_fills_in():
    """For tools that cannot be tagged; a feature sent wins."""
    sent = ClientHeaders(feature="mine", feature_valid=True)

    defaulted = exchange(feature="ide").ended("ok", 101.0)
    named = exchange(sent, feature="ide").ended("ok", 101.0)

    assert (defaulted.feature, defaulted.feature_valid) == ("ide", None)
    assert (named.feature, named.feature_valid) == ("mine", True)


def test_names_that_hold_a_key_are_redacted():
    """All four client strings, and what the provider echoes."""
    said = ClientHeaders(
        feature="sk-1", task="sk-1", provider_invalid="sk-1", provider_key=b"sk-1"
    )
    one = exchange(said)
    one.received(read_request(b'{"model": "sk-1"}', "chat"), 17, 100.0)
    one.sent_to(OPENAI, 100.0)
    one.answered(200, [(b"x-request-id", b"sk-1")], 100.1)

    event = one.ended("ok", 100.2)

    names = (event.feature, event.task, event.provider_header, event.model_requested)
    assert {*names, event.model_sent, event.provider_request_id} == {"[redacted]"}


def test_words_out_of_bodies_are_cut():
    """A name of 10 MB is no name: 1,024 bytes of it are kept, and its end is marked."""
    long = "m" * 10_000_000
    one = exchange()
    one.received(read_request(b'{"model": "%s"}' % long.encode(), "chat"), 1, 100.0)
    one.sent_to(OPENAI, 100.0)
    one.answered(200, [], 100.1)
    one.chunk(b'{"model": "%s"}' % (b"n" * 2_000), 100.1)

    event = one.ended("ok", 100.2)

    assert event.model_requested == event.model_sent == "m" * 1021 + "…"
    assert event.model_actual == "n" * 1021 + "…"
    assert one.rule_input(OPENAI).model == event.model_requested


@pytest.mark.parametrize(
    ("body", "reply", "truncated"),
    [
        (None, None, None),
        (b"", None, None),
        (BODY, None, False),
        (b"", b"data: {}\n\n", False),
        (BODY, b"data: {}\n\n", False),
        (BODY, b'{"pad": "%s"}' % (b"x" * 300_000), True),
        (BODY, b"data: {}\n\n" * 2000, True),
    ],
)
def test_what_was_not_read_in_time_is_said(body, reply, truncated):
    """Nothing to read is null; what nobody went on with, or read elsewhere, is cut."""
    one = exchange()
    if body is not None:
        one.received(read_request(body, "chat"), len(body), 100.0)
    if reply is not None:
        one.answered(200, HEAD, 100.1)
        one.chunk(reply, 100.2)

    assert one.ended("ok", 100.3).facts_truncated is truncated


def test_a_chunk_is_read_on_until_nothing_is_left():
    """Its content is as old as the chunk, whenever it is found."""
    one = exchange()
    one.received(read_request(BODY, "chat"), len(BODY), 100.0)
    one.sent_to(OPENAI, 100.0)
    one.answered(200, HEAD, 100.1)
    content = b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n'
    one.chunk(b"data: {}\n\n" * 2000 + content, 100.2)
    while one.behind:
        one.read_on()

    event = one.ended("ok", 100.3)

    assert (event.ttft_ms, event.output_chars) == (200.0, 2)
    assert event.facts_truncated is False


def test_facts_cut_of_the_request_are_said():
    """Whatever the reply was."""
    one = exchange()
    facts = read_names(BODY, "chat")
    one.received(facts, len(BODY), 100.0)

    assert one.ended("ok", 100.3).facts_truncated is True


def test_geminis_own_path_names_the_model_and_says_that_it_streams():
    """Its body does not; a key in the query is hidden like any other."""
    path = b"/v1beta/models/gemini%2D3:streamGenerateContent"
    one = exchange(ClientHeaders(query_key=b"AIza-1", task="AIza-1"), raw_path=path)
    one.received(read_request(b"{}", one.operation), 2, 100.0)
    one.sent_to(ResolvedProvider("gemini", "path"), 100.0)

    event = one.ended("ok", 100.2)

    assert (event.model_requested, event.model_sent) == ("gemini-3", "gemini-3")
    assert (event.operation, event.stream) == ("generate_content", True)
    assert (event.path, event.task) == (
        "/v1beta/models/*:streamGenerateContent",
        "[redacted]",
    )


def test_what_a_reply_says_of_itself_is_on_the_event():
    """Its id, cut and redacted, where it ran, and what it cost."""
    events = []
    for named in ("r" * 2000, "sk-1"):
        one = exchange(ClientHeaders(provider_key=b"sk-1"))
        one.sent_to(OPENAI, 100.0)
        one.answered(200, [], 100.1)
        usage = b'"usage": {"prompt_tokens": 1, "cost": 0.5, "inference_geo": "us"}'
        one.chunk(b'{"id": "%s", %s}' % (named.encode(), usage), 100.2)
        events.append(one.ended("ok", 100.3))

    assert [len(event.provider_response_id) for event in events] == [1022, 10]
    assert events[1].provider_response_id == "[redacted]"
    assert (events[0].cost_stated_usd, events[0].inference_geo) == (0.5, "us")


USAGE = b'"usage": {"input_tokens": 5, "output_tokens": 6}'


@pytest.mark.parametrize(
    ("path", "reply", "operation", "tokens"),
    [
        (b"/v1/responses/resp_1", b'{"id": "resp_1", "status": "completed", %s}' % USAGE, "responses", 5),
        (b"/v1/responses/resp_1?x=1", b'{"id": "resp_1", "status": "incomplete", %s}' % USAGE, "responses", 5),
        (b"/v1/responses/resp_1", b'{"id": "resp_1", "status": "in_progress"}', "other", None),
        (b"/v1/responses/resp_1", b'{"id": "resp_1", "status": "queued", "usage": null}', "other", None),
        (b"/v1/responses/resp_1", b'{"id": "resp_1", "deleted": true}', "other", None),
        (b"/v1/responses/resp_1/input_items", b'{"status": "completed", %s}' % USAGE, "other", None),
        (b"/v1/conversations/c_1", b'{"status": "completed", %s}' % USAGE, "other", None),
        (b"/v1/responses/compact", b'{"id": "resp_1", "output": [], %s}' % USAGE, "compact", 5),
    ],
)  # fmt: skip
def test_a_stored_response_is_a_call_once_it_is_over(path, reply, operation, tokens):
    """Polls before that are none; the id says that two fetches are of one call."""
    one = exchange(raw_path=path.partition(b"?")[0])
    one.received(None, 0, 100.0)
    one.sent_to(OPENAI, 100.0)
    one.answered(200, [(b"content-type", b"application/json")], 100.1)
    one.chunk(reply, 100.2)

    event = one.ended("ok", 100.3)

    assert (event.operation, event.input_tokens) == (operation, tokens)
    assert event.outcome == "ok"


def test_speech_is_told_in_characters():
    """Of its input: that is what is billed."""
    one = exchange(raw_path=b"/v1/audio/speech")
    body = b'{"model": "tts-1", "input": "Hello"}'
    one.received(read_request(body, one.operation), len(body), 100.0)

    event = one.ended("ok", 100.3)

    assert (event.input_characters, event.prompt_chars) == (5, 5)
    assert (event.model_requested, event.has_tools) == ("tts-1", None)


@pytest.mark.parametrize(("said", "tier"), [(b"HIT", "gateway_cache"), (b"MISS", None)])
def test_what_a_gateways_cache_answered_is_of_no_other_tier(said, tier):
    """Its header says so; the reply repeats the counts of the call that was billed."""
    one = exchange()

    one.answered(200, [(b"cf-aig-cache-status", said)], 0.1)

    assert one.ended("ok", 0.2).service_tier == tier
