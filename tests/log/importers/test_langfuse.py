"""Langfuse's observations: parts that stand beside each other, made whole."""

import json

import polars as pl
import pytest

from lectr_lab.log.importers import langfuse
from lectr_lab.log.importers.fields import Choices
from lectr_lab.log.importers.langfuse import langfuse_rows

API = {
    "id": "obs-1",
    "traceId": "0" * 31 + "7",
    "type": "GENERATION",
    "traceName": "assistant",
    "startTime": "2026-11-24T10:00:00.000Z",
    "completionStartTime": "2026-11-24T10:00:00.250Z",
    "endTime": "2026-11-24T10:00:01.500Z",
    "model": "claude-sonnet-4-5-20250929",
    "usageDetails": {
        "input": 20,
        "cache_read_input_tokens": 900,
        "input_cache_creation": 80,
        "output": 50,
        "total": 1050,
    },
    "costDetails": {"total": 0.01},
    "userId": "ann",
    "sessionId": "s-1",
    "level": "DEFAULT",
    "input": "hello",
}


def snake(row: dict) -> dict:
    named = {"".join(f"_{c.lower()}" if c.isupper() else c for c in k): k for k in row}
    found = {name: row[k] for name, k in named.items()}
    found["provided_model_name"] = found.pop("model")
    return found


def as_json(folder, row):
    (folder / "a.json").write_text(json.dumps([row]))
    return folder / "a.json"


def as_blob_lines(folder, row):
    (folder / "a.jsonl").write_text(json.dumps(snake(row)) + "\n")
    return folder / "a.jsonl"


def as_csv(folder, row):
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in row.items()}
    pl.DataFrame([texts]).write_csv(folder / "a.csv")
    return folder / "a.csv"


def as_parquet(folder, row):
    pl.DataFrame([snake(row)]).write_parquet(folder / "a.parquet")
    return folder / "a.parquet"


def as_trace(folder, row):
    (folder / "a.json").write_text(json.dumps([{"id": "t", "observations": [row]}]))
    return folder / "a.json"


@pytest.mark.parametrize(
    "write", [as_json, as_blob_lines, as_csv, as_parquet, as_trace]
)
def test_every_form_says_the_same(tmp_path, take, write):
    """Input is all of it; times, cost, session and user come along."""
    told = take(langfuse_rows(write(tmp_path, API), Choices()))

    [event] = told.events
    assert told.ids == ["obs-1"]
    ours = ("event_id", "org", "kind", "source", "source_id", "started_at")
    assert {name: v for name, v in event.items() if name not in ours} == {
        "feature": "assistant",
        "session": "s-1",
        "user": "hashed-3",
        "trace_id": "0" * 31 + "7",
        "provider": "anthropic",
        "provider_source": "model",
        "operation": "chat",
        "model_requested": "claude-sonnet-4-5-20250929",
        "outcome": "ok",
        "total_ms": 1500.0,
        "ttft_ms": 250.0,
        "cost_stated_usd": 0.01,
        "input_tokens": 1000,
        "output_tokens": 50,
        "cache_read_tokens": 900,
        "cache_write_tokens": 80,
        "token_source": "provider",
    }


@pytest.mark.parametrize(
    ("usage", "input_tokens", "output_tokens"),
    [
        ({"input": 100, "output": 20}, 100, 20),
        ({"input": 10, "input_cached_tokens": 90, "output": 20}, 100, 20),
        (
            {"input": 100, "input_cached_tokens": 90, "output": 20, "total": 120},
            100,
            20,
        ),
        ({"input": 100, "output": 5, "output_reasoning_tokens": 15}, 100, 20),
        ({"input": 40, "input_audio_tokens": 60, "output": 20}, 100, 20),
        ({"promptTokens": 100, "completionTokens": 20}, 100, 20),
    ],
)
def test_parts_are_added_unless_the_total_says_that_they_are_within(
    tmp_path, take, usage, input_tokens, output_tokens
):
    """Langfuse's details stand apart; what others ingested may not."""
    told = take(
        langfuse_rows(as_json(tmp_path, API | {"usageDetails": usage}), Choices())
    )

    [event] = told.events
    assert (event["input_tokens"], event["output_tokens"]) == (
        input_tokens,
        output_tokens,
    )


def test_writes_of_an_hour_are_a_part_of_the_writes(tmp_path, take):
    """In the log; apart there."""
    usage = {"input": 1, "input_cache_creation_5m": 10, "input_cache_creation_1h": 30}
    told = take(
        langfuse_rows(as_json(tmp_path, API | {"usageDetails": usage}), Choices())
    )

    [event] = told.events
    assert (event["cache_write_tokens"], event["cache_write_1h_tokens"]) == (40, 30)
    assert event["input_tokens"] == 41


def test_other_observations_are_left_out(tmp_path, take):
    """A span is no call; a failed generation is one."""
    rows = [API | {"type": "SPAN"}, API | {"level": "ERROR"}, {"a": 1}]
    (tmp_path / "a.json").write_text(json.dumps(rows))

    told = take(langfuse_rows(tmp_path / "a.json", Choices()))

    assert [e["outcome"] for e in told.events] == ["provider_error"]
    assert told.left == {langfuse.NOT_A_CALL: 1, langfuse.NO_ROW: 1}
