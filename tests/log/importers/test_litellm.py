"""LiteLLM's spend logs: what counts and names become, in each form of export."""

import json
from pathlib import Path

import polars as pl
import pytest

from lectr_lab.log.importers import litellm
from lectr_lab.log.importers.cached_input import TOLD_APART
from lectr_lab.log.importers.events import ZERO_COST, ZERO_TOKENS
from lectr_lab.log.importers.fields import Choices
from lectr_lab.log.importers.litellm import litellm_rows

OK = {
    "request_id": "chatcmpl-1",
    "call_type": "acompletion",
    "startTime": "2026-11-24T10:00:00.000Z",
    "completionStartTime": "2026-11-24T10:00:00.250Z",
    "endTime": "2026-11-24T10:00:01.500Z",
    "model": "openai/gpt-4o-mini",
    "model_group": "fast",
    "custom_llm_provider": "openai",
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "spend": 0.0001,
    "status": "success",
    "request_tags": ["User-Agent: x", "onboarding"],
    "end_user": "customer 7",
    "session_id": "s-1",
    "metadata": {
        "usage_object": {
            "prompt_tokens_details": {"cached_tokens": 64},
            "completion_tokens_details": {"reasoning_tokens": 8},
        }
    },
}
FAILED = OK | {
    "request_id": "2",
    "status": "failure",
    "prompt_tokens": 0,
    "completion_tokens": 0,
    "spend": 0,
    "metadata": {
        "error_information": {"error_code": "429", "error_class": "RateLimitError"}
    },
}


def as_json(path: Path, rows: list[dict]) -> Path:
    file = path / "export.json"
    file.write_text(json.dumps(rows))
    return file


def as_page(path: Path, rows: list[dict]) -> Path:
    file = path / "export.json"
    file.write_text(json.dumps({"data": rows, "total": len(rows)}, indent=1))
    return file


def as_lines(path: Path, rows: list[dict]) -> Path:
    file = path / "export.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return file


def as_csv(path: Path, rows: list[dict], text=json.dumps) -> Path:
    file = path / "export.csv"
    texts = [
        {k: v if isinstance(v, str) else text(v) for k, v in row.items()}
        for row in rows
    ]
    pl.DataFrame(texts).write_csv(file)
    return file


def as_pandas(path: Path, rows: list[dict]) -> Path:
    return as_csv(path, rows, text=repr)


def as_snake(path: Path, rows: list[dict]) -> Path:
    named = [{_snake(k): v for k, v in row.items()} for row in rows]
    return as_csv(path, named)


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


@pytest.mark.parametrize(
    "write", [as_json, as_page, as_lines, as_csv, as_pandas, as_snake]
)
def test_every_form_says_the_same(tmp_path, take, write):
    """Tokens, times, names; a failure has no counts."""
    told = take(litellm_rows(write(tmp_path, [OK, FAILED]), Choices()))

    ok, failed = told.events
    assert told.ids == ["chatcmpl-1", "2"]
    assert f"{ok.pop('started_at'):%H:%M:%S}" == "10:00:00"
    ours = ("event_id", "org", "kind", "source", "source_id")
    assert {name: v for name, v in ok.items() if name not in ours} == {
        "feature": "onboarding",
        "session": "s-1",
        "user": "hashed-10",
        "path": "/v1/chat/completions",
        "operation": "chat",
        "provider": "openai",
        "provider_response_id": "chatcmpl-1",
        "model_requested": "fast",
        "model_sent": "gpt-4o-mini",
        "model_actual": "gpt-4o-mini",
        "stream": True,
        "outcome": "ok",
        "total_ms": 1500.0,
        "ttft_ms": 250.0,
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_read_tokens": 64,
        "reasoning_tokens": 8,
        "cost_stated_usd": 0.0001,
        "token_source": "provider",
    }
    assert failed["outcome"] == "provider_error"
    assert (failed["status"], failed["error_type"]) == (429, "RateLimitError")
    assert "input_tokens" not in failed
    assert not told.unreadable


def usage(**more):
    return {"metadata": {"usage_object": more}}


DETAILS = {
    "cached_tokens": 0,
    "cache_creation_tokens": 80,
    "cache_creation_token_details": {"ephemeral_1h_input_tokens": 60},
}


@pytest.mark.parametrize(
    ("more", "column", "count"),
    [
        (usage(prompt_tokens_details=DETAILS), "cache_write_tokens", 80),
        (usage(prompt_tokens_details=DETAILS), "cache_write_1h_tokens", 60),
        (
            usage(
                cache_read_input_tokens=9, prompt_tokens_details={"cached_tokens": 0}
            ),
            "cache_read_tokens",
            9,
        ),
        (
            usage(prompt_tokens_details={"cache_write_tokens": 7}),
            "cache_write_tokens",
            7,
        ),
        (usage(server_tool_use={"web_search_requests": 3}), "web_searches", 3),
        (
            usage(prompt_tokens_details={"web_search_requests": 2}),
            "web_searches",
            2,
        ),
        (usage(prompt_tokens_details={"audio_tokens": 9}), "input_audio_tokens", 9),
        (
            usage(completion_tokens_details={"audio_tokens": 8}),
            "output_audio_tokens",
            8,
        ),
        (usage(prompt_tokens_details={"image_tokens": 5}), "input_image_tokens", 5),
        (usage(inference_geo="us"), "inference_geo", "us"),
        (usage(service_tier="priority"), "service_tier", "priority"),
        (usage(speed="fast", service_tier="standard"), "service_tier", "fast"),
        (
            {"metadata": {"cost_breakdown": {"service_tier": "flex"}}},
            "service_tier",
            "flex",
        ),
        (
            {"metadata": {"additional_usage_values": {"cache_read_input_tokens": 90}}},
            "cache_read_tokens",
            90,
        ),
        ({"cache_hit": "True"}, "service_tier", "gateway_cache"),
        (usage(type="duration", seconds=12.5), "audio_seconds", 12.5),
        (usage(prompt_tokens_details={"character_count": 9}), "input_characters", 9),
        ({"prompt_tokens": 0} | usage(input_tokens=7), "input_tokens", 7),
        (
            {"metadata": {"cost_breakdown": {"tool_usage_cost": 0.01}}},
            "other_tool_calls",
            1,
        ),
    ],
)
def test_every_count_that_is_there_comes_along(tmp_path, take, more, column, count):
    """Whichever of LiteLLM's places it stands in; a 0 beside it is no count."""
    told = take(litellm_rows(as_json(tmp_path, [OK | more]), Choices()))

    assert told.events[0][column] == count
    assert not told.unreadable


def test_older_rows_count_cached_input_apart(tmp_path, take):
    """More cached than input cannot be a part of it: it is added up, and that is said."""
    row = OK | {"prompt_tokens": 10} | usage(cache_read_input_tokens=900)

    told = take(litellm_rows(as_json(tmp_path, [row]), Choices()))

    assert told.events[0]["input_tokens"] == 910
    assert told.said[TOLD_APART] == 1


@pytest.mark.parametrize("kind", ["aimage_generation", "aspeech", "atranscription"])
def test_media_without_tokens_are_not_known_to_be_free(tmp_path, take, kind):
    """LiteLLM writes 0 where nothing was counted; its own spend comes along."""
    zero = {"prompt_tokens": 0, "completion_tokens": 0, "spend": 0.04, "metadata": {}}
    row = OK | zero | {"call_type": kind}
    told = take(litellm_rows(as_json(tmp_path, [row]), Choices()))

    [event] = told.events
    assert "input_tokens" not in event
    assert "output_tokens" not in event
    assert (event["token_source"], event["cost_stated_usd"]) == ("absent", 0.04)
    assert told.said[ZERO_TOKENS] == 1


def test_a_spend_of_nothing_is_not_taken_for_the_cost(tmp_path, take):
    """Of a model that LiteLLM has no price of; what its own cache gave was free."""
    rows = [OK | {"spend": 0}, OK | {"spend": 0, "cache_hit": "True"}]
    told = take(litellm_rows(as_json(tmp_path, rows), Choices()))

    unknown, free = told.events
    assert "cost_stated_usd" not in unknown
    assert free["cost_stated_usd"] == 0
    assert told.said[ZERO_COST] == 1


def test_a_failure_that_was_billed_keeps_its_counts(tmp_path, take):
    """It failed after the answer had begun."""
    row = FAILED | {"prompt_tokens": 50, "completion_tokens": 5, "spend": 0.1}
    told = take(litellm_rows(as_json(tmp_path, [row]), Choices()))

    [event] = told.events
    assert (event["input_tokens"], event["output_tokens"]) == (50, 5)
    assert event["outcome"] == "provider_error"


def test_a_batch_has_the_price_of_one_and_no_sum_that_none_can_have(tmp_path, take):
    """Its row has the tokens of all its calls."""
    small = OK | {"call_type": "aretrieve_batch"}
    large = small | {"prompt_tokens": 4_000_000}
    told = take(litellm_rows(as_json(tmp_path, [small, large]), Choices()))

    first, last = told.events
    assert (first["service_tier"], first["input_tokens"]) == ("batch", 100)
    assert "input_tokens" not in last
    assert told.said[litellm.LARGE_BATCH] == 1


def test_a_part_without_a_column_is_told_of(tmp_path, take):
    """By its name."""
    row = OK | usage(prompt_tokens_details={"video_tokens": 5, "audio_tokens": 0})
    told = take(litellm_rows(as_json(tmp_path, [row]), Choices()))

    assert told.said[litellm.NOT_CARRIED.format("video_tokens")] == 1


def test_metadata_that_cannot_be_read_are_told_of(tmp_path, take):
    """Nobody then knows what was cached."""
    told = take(litellm_rows(as_csv(tmp_path, [OK | {"metadata": "{a"}]), Choices()))

    assert told.said[litellm.NO_METADATA] == 1


@pytest.mark.parametrize(
    "call_type, operation, path",
    [
        ("aimage_edit", "images", "/v1/images/edits"),
        ("transcription", "audio", "/v1/audio/transcriptions"),
        ("amoderation", "moderations", "/v1/moderations"),
        ("arerank", "rerank", "/v1/rerank"),
        ("atext_completion", "completions", "/v1/completions"),
        ("anthropic_messages", "messages", "/v1/messages"),
        ("acompletion", "chat", "/v1/chat/completions"),
        ("avideo_generation", None, None),
    ],
)
def test_what_kind_of_call_it_was_is_told(tmp_path, take, call_type, operation, path):
    """One of no name here is a call all the same."""
    rows = litellm_rows(as_json(tmp_path, [OK | {"call_type": call_type}]), Choices())

    [event] = take(rows).events

    assert (event.get("operation"), event.get("path")) == (operation, path)


def test_rows_without_an_id_are_known_by_all_that_they_say(tmp_path, take):
    """The same in each export; equal ones are as many."""
    rows = [{k: v for k, v in OK.items() if k != "request_id"}] * 2
    told = [take(litellm_rows(as_json(tmp_path, rows), Choices())) for _ in range(2)]

    assert told[0].ids == told[1].ids
    assert len(set(told[0].ids)) == 2
