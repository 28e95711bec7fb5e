"""Log records of coding agents: each call that they tell of, in full."""

import json

import pytest

from lectr_lab.log.importers import otlp_logs
from lectr_lab.log.importers.fields import Choices
from lectr_lab.log.importers.otel import otel_rows


def exported(tmp_path, *records):
    """Each is its body, and its attributes as text, as both agents send them."""
    logs = [
        {
            "timeUnixNano": "1795521601500000000",
            "body": {"stringValue": body},
            "attributes": [
                {"key": key, "value": {"stringValue": str(value)}}
                for key, value in attributes.items()
            ],
        }
        for body, attributes in records
    ]
    about = {
        "attributes": [{"key": "service.version", "value": {"stringValue": "2.1"}}]
    }
    file = tmp_path / "logs.jsonl"
    group = {"resource": about, "scopeLogs": [{"logRecords": logs}]}
    file.write_text(json.dumps({"resourceLogs": [group]}))
    return file


REQUEST = {
    "event.name": "api_request",
    "model": "claude-sonnet-4-5",
    "input_tokens": 20,
    "output_tokens": 50,
    "cache_read_tokens": 900,
    "cache_creation_tokens": 80,
    "cost_usd": 0.01,
    "duration_ms": 1500,
    "session.id": "s-1",
    "request_id": "req_0123456789",
    "user.account_uuid": "u",
    "prompt": "hello",
}


def test_claude_codes_requests_and_errors_are_calls(tmp_path, take):
    """Its input is apart from what was cached, its time that of the end."""
    error = {"event.name": "api_error", "model": "m", "error": "x", "status_code": 529}
    prompt = {"event.name": "user_prompt", "prompt": "hello"}
    told = take(
        otel_rows(
            exported(
                tmp_path,
                ("claude_code.api_request", REQUEST),
                ("claude_code.api_error", error),
                ("claude_code.user_prompt", prompt),
            ),
            Choices(),
        )
    )

    ok, failed = told.events
    assert ok["started_at"].isoformat() == "2026-11-24T12:00:00+00:00"
    ours = ("event_id", "org", "kind", "source", "source_id", "started_at")
    assert {name: v for name, v in ok.items() if name not in ours} == {
        "operation": "messages",
        "path": "/v1/messages",
        "provider": "anthropic",
        "model_requested": "claude-sonnet-4-5",
        "model_actual": "claude-sonnet-4-5",
        "input_tokens": 1000,
        "output_tokens": 50,
        "cache_read_tokens": 900,
        "cache_write_tokens": 80,
        "token_source": "provider",
        "provider_request_id": "req_0123456789",
        "client": "claude-code",
        "client_version": "2.1",
        "session": "s-1",
        "user": "hashed-1",
        "status": 200,
        "outcome": "ok",
        "total_ms": 1500.0,
    }
    assert told.ids[0] == "req_0123456789"
    assert (failed["outcome"], failed["status"]) == ("provider_error", 529)
    assert told.left == {otlp_logs.OTHER: 1}


@pytest.mark.parametrize(
    ("kind", "calls"), [("response.completed", 1), ("response.created", 0)]
)
def test_codexs_completed_responses_are_calls(tmp_path, take, kind, calls):
    """Its input holds what was cached."""
    said = {
        "event.name": "codex.sse_event",
        "event.kind": kind,
        "event.timestamp": "2026-11-24T12:00:00.000Z",
        "model": "gpt-5.3-codex",
        "input_token_count": 1000,
        "output_token_count": 50,
        "cached_token_count": 400,
        "reasoning_token_count": 20,
        "conversation.id": "c-1",
    }

    told = take(otel_rows(exported(tmp_path, ("", said)), Choices()))

    assert len(told.events) == calls
    for event in told.events:
        assert (event["input_tokens"], event["cache_read_tokens"]) == (1000, 400)
        assert (event["reasoning_tokens"], event["session"]) == (20, "c-1")


def test_a_record_without_an_id_is_the_same_each_time(tmp_path, take):
    """By all that it says; equal ones are one, for they have a time."""
    bare = {k: v for k, v in REQUEST.items() if k != "request_id"}
    file = exported(tmp_path, ("claude_code.api_request", bare))

    first, again = (take(otel_rows(file, Choices())).ids for _ in range(2))

    assert first == again
