"""Helicone's requests: prompt tokens, cached ones and sound stand beside each other."""

import json

import pytest

from lectr_lab.log.importers import helicone
from lectr_lab.log.importers.fields import Choices
from lectr_lab.log.importers.helicone import helicone_rows

ROW = {
    "request_id": "11111111-aaaa",
    "request_created_at": "2026-11-24T10:00:00.000Z",
    "response_status": 200,
    "request_model": "claude-sonnet-4-5",
    "response_model": "claude-sonnet-4-5-20250929",
    "provider": "ANTHROPIC",
    "request_path": "https://anthropic.helicone.ai/v1/messages",
    "delay_ms": 1500,
    "time_to_first_token": 250,
    "prompt_tokens": 20,
    "prompt_cache_read_tokens": 900,
    "prompt_cache_write_tokens": 80,
    "completion_tokens": 50,
    "cost": 0.01,
    "request_user_id": "ann",
    "request_properties": {"feature": "chat", "Helicone-Session-Id": "s-1"},
    "request_body": {"messages": ["hello"]},
}


def taken(tmp_path, take, *rows, **choices):
    file = tmp_path / "a.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return take(helicone_rows(file, Choices(**choices)))


def test_a_request_is_an_event(tmp_path, take):
    """Its input is all of it."""
    [event] = taken(tmp_path, take, ROW).events

    ours = ("event_id", "org", "kind", "source", "source_id", "started_at")
    assert {name: v for name, v in event.items() if name not in ours} == {
        "feature": "chat",
        "session": "s-1",
        "user": "hashed-3",
        "provider": "anthropic",
        "operation": "messages",
        "model_requested": "claude-sonnet-4-5",
        "model_actual": "claude-sonnet-4-5-20250929",
        "status": 200,
        "outcome": "ok",
        "total_ms": 1500.0,
        "ttft_ms": 250.0,
        "input_tokens": 1000,
        "output_tokens": 50,
        "cache_read_tokens": 900,
        "cache_write_tokens": 80,
        "cost_stated_usd": 0.01,
        "token_source": "provider",
    }


def test_sound_is_apart_from_text_and_a_choice_says_else(tmp_path, take):
    """Both ways."""
    sound = ROW | {"prompt_audio_tokens": 500, "completion_audio_tokens": 5}

    [apart] = taken(tmp_path, take, sound).events
    [within] = taken(tmp_path, take, sound, cached="included").events

    assert (apart["input_tokens"], apart["output_tokens"]) == (1500, 55)
    assert (within["input_tokens"], within["output_tokens"]) == (20, 50)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(429, "provider_error"), (499, "client_disconnect"), (504, "timeout")],
)
def test_the_status_tells_the_outcome(tmp_path, take, status, outcome):
    """It has no other."""
    [event] = taken(tmp_path, take, ROW | {"response_status": status}).events

    assert event["outcome"] == outcome


def test_what_its_cache_answered_is_free(tmp_path, take):
    """And said to be of a cache."""
    none = {"cache_reference_id": "00000000-0000-0000-0000-000000000000"}
    hit = {"cache_reference_id": "11111111-0000-0000-0000-000000000000", "cost": 0}

    told = taken(tmp_path, take, ROW | none, ROW | hit)

    assert [e.get("service_tier") for e in told.events] == [None, "gateway_cache"]
    assert told.events[1]["cost_stated_usd"] == 0


def test_other_rows_are_left_out(tmp_path, take):
    """They are counted."""
    told = taken(tmp_path, take, {"a": 1}, ROW)

    assert (len(told.events), told.left) == (1, {helicone.NO_ROW: 1})
