"""OpenTelemetry spans: calls of a model, by the attributes' standard names."""

import json
from pathlib import Path
from typing import Any

import pytest

from lectr_lab.core.errors import LogError
from lectr_lab.log.importers.fields import fitted
from lectr_lab.log.importers.otel import otel_rows


def attribute(key: str, value: Any) -> dict[str, Any]:
    forms = {str: "stringValue", int: "intValue", float: "doubleValue"}
    if isinstance(value, list):
        values = [{"stringValue": v} for v in value]
        return {"key": key, "value": {"arrayValue": {"values": values}}}
    shown = str(value) if isinstance(value, int) else value
    return {"key": key, "value": {forms[type(value)]: shown}}


def span(number: int, attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "traceId": "t",
        "spanId": str(number),
        "startTimeUnixNano": "1795521600000000000",
        "endTimeUnixNano": "1795521601500000000",
        "attributes": [attribute(*item) for item in attributes.items()],
        **more,
    }


def export(*spans: dict[str, Any]) -> dict[str, Any]:
    service = {"attributes": [attribute("service.name", "assistant")]}
    scopes = [{"scope": {"name": "x"}, "spans": list(spans)}]
    return {"resourceSpans": [{"resource": service, "scopeSpans": scopes}]}


CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.response.time_to_first_chunk": 0.25,
    "gen_ai.output.type": "json",
}
OLD = {
    "gen_ai.operation.name": "text_completion",
    "gen_ai.system": "openai",
    "gen_ai.usage.prompt_tokens": 7,
    "gen_ai.usage.completion_tokens": 3,
}


def facts_of(path: Path) -> list[dict[str, Any]]:
    return [
        {name: fitted(name, value) for name, value in row.facts.items()}
        for row in otel_rows(path).rows
    ]


def test_a_chat_span_is_an_event(tmp_path):
    """Every standard attribute lands in its column, seconds as milliseconds."""
    file = tmp_path / "spans.json"
    file.write_text(json.dumps(export(span(1, CHAT))))

    [facts] = facts_of(file)

    assert facts.pop("started_at").isoformat() == "2026-11-24T12:00:00+00:00"
    assert facts == {
        "feature": "assistant",
        "provider": "openai",
        "operation": "chat",
        "model_requested": "gpt-4o",
        "model_actual": "gpt-4o-2024-08-06",
        "finish_reason": "stop",
        "input_tokens": 100,
        "output_tokens": 20,
        "ttft_ms": 250.0,
        "total_ms": 1500.0,
        "response_format": "json_schema",
        "outcome": "ok",
    }


def test_older_names_lines_and_errors(tmp_path):
    """One export a line; a failed span is a provider's error; tools are no calls."""
    failed = span(2, OLD, status={"code": 2})
    tool = span(3, {"gen_ai.operation.name": "execute_tool"})
    file = tmp_path / "spans.jsonl"
    file.write_text(f"{json.dumps(export(failed, tool))}\n{json.dumps(export())}\n")

    [facts] = facts_of(file)

    assert facts["outcome"] == "provider_error"
    assert (facts["provider"], facts["input_tokens"]) == ("openai", 7)
    assert facts["operation"] == "completions"


@pytest.mark.parametrize("text", ["hello", "[]", "{}", '{"resourceSpans": 1}'])
def test_another_file_is_refused(tmp_path, text):
    """By name."""
    file = tmp_path / "other.json"
    file.write_text(text)

    with pytest.raises(LogError, match=r"other\.json holds no spans"):
        otel_rows(file)


def test_an_empty_file_is_called_that(tmp_path):
    """An export that was cut short is not one of another kind."""
    file = tmp_path / "other.json"
    file.touch()

    with pytest.raises(LogError, match=r"other\.json is empty"):
        otel_rows(file)
