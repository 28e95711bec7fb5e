"""LiteLLM's spend logs: what counts and names become, in each form of export."""

import json
from pathlib import Path

import polars as pl
import pytest

from lectr_lab.core.errors import LogError
from lectr_lab.log.importers.fields import fitted
from lectr_lab.log.importers.litellm import litellm_rows

OK = {
    "request_id": "chatcmpl-1",
    "call_type": "acompletion",
    "startTime": "2026-11-24T10:00:00.000Z",
    "completionStartTime": "2026-11-24T10:00:00.250Z",
    "endTime": "2026-11-24T10:00:01.500Z",
    "model": "gpt-4o-mini",
    "model_group": "fast",
    "custom_llm_provider": "openai",
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "status": "success",
    "request_tags": ["User-Agent: x", "onboarding"],
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
    file.write_text(json.dumps({"data": rows, "total": len(rows)}))
    return file


def as_lines(path: Path, rows: list[dict]) -> Path:
    file = path / "export.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return file


def as_csv(path: Path, rows: list[dict]) -> Path:
    file = path / "export.csv"
    texts = [
        {k: v if isinstance(v, str) else json.dumps(v) for k, v in row.items()}
        for row in rows
    ]
    pl.DataFrame(texts).write_csv(file)
    return file


@pytest.mark.parametrize("write", [as_json, as_page, as_lines, as_csv])
def test_every_form_says_the_same(tmp_path, write):
    """Tokens, times, names; a failure has no counts."""
    ok, failed = litellm_rows(write(tmp_path, [OK, FAILED])).rows

    facts = {name: fitted(name, value) for name, value in ok.facts.items()}
    assert ok.source_id == "chatcmpl-1"
    assert f"{facts.pop('started_at'):%H:%M:%S}" == "10:00:00"
    assert {name: v for name, v in facts.items() if v is not None} == {
        "feature": "onboarding",
        "path": "/v1/chat/completions",
        "operation": "chat",
        "provider": "openai",
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
    }
    assert failed.facts["outcome"] == "provider_error"
    assert fitted("status", failed.facts["status"]) == 429
    assert failed.facts["error_type"] == "RateLimitError"
    assert "input_tokens" not in failed.facts


@pytest.mark.parametrize("text", ["hello", "[]", "[1]", "[{}]", '{"data": 3}'])
def test_another_file_is_refused(tmp_path, text):
    """By name, and without a word of what it holds."""
    file = tmp_path / "other.json"
    file.write_text(text)

    with pytest.raises(LogError, match=r"other\.json holds no LiteLLM") as raised:
        litellm_rows(file)
    assert "hello" not in str(raised.value)


def test_another_csv_is_refused(tmp_path):
    """It has not the columns."""
    file = tmp_path / "other.csv"
    file.write_text("a,b\n1,2\n")

    with pytest.raises(LogError, match="no column startTime"):
        litellm_rows(file)


def test_an_empty_file_is_called_that(tmp_path):
    """An export that was cut short is not one of another kind."""
    file = tmp_path / "other.json"
    file.touch()

    with pytest.raises(LogError, match=r"other\.json is empty"):
        litellm_rows(file)


@pytest.mark.parametrize(
    "call_type, operation, path",
    [
        ("aimage_edit", "images", "/v1/images/edits"),
        ("transcription", "audio", "/v1/audio/transcriptions"),
        ("amoderation", "moderations", "/v1/moderations"),
        ("arerank", "rerank", "/v1/rerank"),
        ("atext_completion", "completions", "/v1/completions"),
        ("aretrieve_batch", "other", None),
    ],
)
def test_what_kind_of_call_it_was_is_told(tmp_path, call_type, operation, path):
    """A batch stays without a name: its row has the tokens of all its calls."""
    _, rows = litellm_rows(as_json(tmp_path, [OK | {"call_type": call_type}]))

    [row] = rows

    assert (row.facts["operation"], row.facts["path"]) == (operation, path)
