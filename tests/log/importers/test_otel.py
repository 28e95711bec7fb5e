"""OpenTelemetry spans: each call once, by the names of every convention."""

import json
from pathlib import Path
from typing import Any

import pytest

from lectr_lab.log.exporters.otlp import export_spans
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.importers import otel
from lectr_lab.log.importers.cached_input import TOLD_APART
from lectr_lab.log.importers.fields import Choices
from lectr_lab.log.importers.importing import import_log
from lectr_lab.log.importers.otel import otel_rows
from lectr_lab.log.scan import scan
from lectr_lab.log.schema import file_metadata, frame


def attribute(key: str, value: Any) -> dict[str, Any]:
    forms = {str: "stringValue", int: "intValue", float: "doubleValue"}
    if isinstance(value, list):
        values = [{"stringValue": v} for v in value]
        return {"key": key, "value": {"arrayValue": {"values": values}}}
    shown = str(value) if isinstance(value, int) else value
    return {"key": key, "value": {forms[type(value)]: shown}}


def span(number: int, attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "traceId": "0" * 31 + "1",
        "spanId": str(number),
        "startTimeUnixNano": "1795521600000000000",
        "endTimeUnixNano": "1795521601500000000",
        "attributes": [attribute(*item) for item in attributes.items()],
        **more,
    }


def export(*spans: dict[str, Any], scopes: str = "scopeSpans") -> dict[str, Any]:
    service = {"attributes": [attribute("service.name", "assistant")]}
    groups = [{"scope": {"name": "x"}, "spans": list(spans)}]
    return {"resourceSpans": [{"resource": service, scopes: groups}]}


def written(path: Path, *exports: dict[str, Any]) -> Path:
    file = path / "spans.json"
    file.write_text("\n".join(map(json.dumps, exports)))
    return file


CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.conversation.id": "conversation-7",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.response.time_to_first_chunk": 0.25,
    "gen_ai.output.type": "json",
    "user.id": "ann",
}


def test_a_chat_span_is_an_event(tmp_path, take):
    """Every standard attribute lands in its column, seconds as milliseconds."""
    told = take(otel_rows(written(tmp_path, export(span(1, CHAT))), Choices()))

    [event] = told.events
    ours = ("event_id", "org", "kind", "source", "source_id")
    assert event.pop("started_at").isoformat() == "2026-11-24T12:00:00+00:00"
    assert {name: v for name, v in event.items() if name not in ours} == {
        "feature": "assistant",
        "session": "conversation-7",
        "user": "hashed-3",
        "provider": "openai",
        "operation": "chat",
        "trace_id": "0" * 31 + "1",
        "model_requested": "gpt-4o",
        "model_actual": "gpt-4o-2024-08-06",
        "finish_reason": "stop",
        "input_tokens": 100,
        "output_tokens": 20,
        "token_source": "provider",
        "ttft_ms": 250.0,
        "total_ms": 1500.0,
        "response_format": "json_schema",
        "outcome": "ok",
    }
    assert not told.unreadable


OLD = {
    "gen_ai.operation.name": "text_completion",
    "gen_ai.system": "openai",
    "gen_ai.usage.prompt_tokens": 7,
    "gen_ai.usage.completion_tokens": 3,
}


@pytest.mark.parametrize("scopes", ["scopeSpans", "instrumentationLibrarySpans"])
def test_older_names_lines_and_errors(tmp_path, take, scopes):
    """One export a line; a failed span is a provider's error; tools are no calls."""
    failed = span(2, OLD, status={"code": 2})
    tool = span(3, {"gen_ai.operation.name": "execute_tool"})
    file = written(tmp_path, export(failed, tool, scopes=scopes), export())

    told = take(otel_rows(file, Choices()))

    [event] = told.events
    assert event["outcome"] == "provider_error"
    assert (event["provider"], event["input_tokens"]) == ("openai", 7)
    assert event["operation"] == "completions"
    assert told.left == {otel.OTHER: 1}


@pytest.mark.parametrize(
    "attributes",
    [
        {"llm.request.type": "chat", "gen_ai.system": "OpenAI"},
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "gen_ai.system": "openai.chat",
        },
        {"openinference.span.kind": "LLM", "llm.provider": "openai"},
        {"langfuse.observation.type": "generation"},
        {"gen_ai.operation.name": "a new one"},
        {},
    ],
)
def test_a_call_need_not_name_its_operation(tmp_path, take, attributes):
    """A model and tokens make one, whatever the convention calls it."""
    said = {"gen_ai.request.model": "openai/gpt-4o-mini", **attributes}
    said |= {"gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": 1}
    told = take(otel_rows(written(tmp_path, export(span(1, said))), Choices()))

    [event] = told.events
    assert (event["provider"], event["model_requested"]) == ("openai", "gpt-4o-mini")
    assert event["input_tokens"] == 9
    assert event.get("operation") in ("chat", None)


AGENT = {"gen_ai.operation.name": "invoke_agent"}
TOKENS = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20}
CHAIN = {"openinference.span.kind": "CHAIN"}
STEP = {"ai.operationId": "ai.generateText"}


@pytest.mark.parametrize("above", [AGENT, CHAIN, STEP, {}, CHAT])
def test_what_sums_up_calls_is_none(tmp_path, take, above):
    """Be it an agent, a step, a span of no kind, or a second span of the same call;
    and also where others lie between."""
    between = span(2, {"some": "thing"}, parentSpanId="1")
    call = span(3, CHAT | TOKENS, parentSpanId="2")
    file = written(tmp_path, export(span(1, above | TOKENS), between, call))

    told = take(otel_rows(file, Choices()))

    assert told.ids == ["0" * 31 + "1/3"]
    assert told.left[otel.ABOVE] == 1


def test_a_call_that_starts_another_one_is_a_call(tmp_path, take):
    """Say, by a tool that asks a model itself."""
    inner = TOKENS | {"gen_ai.usage.output_tokens": 500}
    below = span(2, CHAT | inner, parentSpanId="1")
    file = written(tmp_path, export(span(1, CHAT | TOKENS), below))

    assert len(take(otel_rows(file, Choices())).events) == 2


def test_a_second_span_of_a_call_without_tokens_is_none(tmp_path, take):
    """The one above it has them; one that stands alone is a call that nobody counted."""
    bare = {k: v for k, v in CHAT.items() if ".usage." not in k}
    below = span(2, bare, parentSpanId="1")
    alone = span(3, bare)
    told = take(
        otel_rows(written(tmp_path, export(span(1, CHAT), below, alone)), Choices())
    )

    assert [one[-1] for one in told.ids] == ["1", "3"]
    assert told.left == {otel.WITHIN: 1}


def test_an_agent_without_its_calls_is_told_of(tmp_path, take):
    """Its sum has no price of its own; that it is missing must be known."""
    file = written(tmp_path, export(span(1, AGENT | TOKENS)))

    told = take(otel_rows(file, Choices()))

    assert (told.events, told.left) == ([], {otel.AGENT: 1})


def test_a_model_without_tokens_or_operation_is_told_of(tmp_path, take):
    """It may be a call, of which nobody knows anything."""
    silent = {"gen_ai.request.model": "gpt-4o"}

    told = take(otel_rows(written(tmp_path, export(span(1, silent))), Choices()))

    assert (told.events, told.left) == ([], {otel.SILENT: 1})


READ = "gen_ai.usage.cache_read.input_tokens"


def test_cached_input_is_a_part_unless_it_cannot_be(tmp_path, take):
    """One span tells for all of its instrumentation; a total tells for itself."""
    sure = span(1, CHAT | {"gen_ai.usage.input_tokens": 3, READ: 900})
    like = span(2, CHAT | {"gen_ai.usage.input_tokens": 100, READ: 50})
    total = {"gen_ai.usage.total_tokens": 120}
    whole = span(3, CHAT | {READ: 50} | total)
    told = take(otel_rows(written(tmp_path, export(sure, like, whole)), Choices()))
    alone = take(otel_rows(written(tmp_path, export(like)), Choices()))
    stated = take(otel_rows(written(tmp_path, export(like)), Choices(cached="apart")))

    assert [e["input_tokens"] for e in told.events] == [903, 150, 100]
    assert told.said[TOLD_APART] == 2
    assert alone.events[0]["input_tokens"] == 100
    assert stated.events[0]["input_tokens"] == 150


def test_a_folder_of_exports_is_one(tmp_path, take):
    """A span that lies in another file is above or below all the same."""
    (tmp_path / "a.json").write_text(json.dumps(export(span(1, AGENT | TOKENS))))
    inner = tmp_path / "inner"
    inner.mkdir()
    below = span(2, CHAT | TOKENS, parentSpanId="1")
    (inner / "b.jsonl").write_text(json.dumps(export(below)))

    told = take(otel_rows(tmp_path, Choices()))

    assert told.ids == ["0" * 31 + "1/2"]


def test_what_was_exported_comes_back_as_it_was(lab, tmp_path, make_events):
    """Row by row, ids and all; in its own log it is known."""
    rows = frame(make_events(5)).sort("event_id")
    part = lab.day(rows["started_at"][0].date())
    part.mkdir()
    rows.write_parquet(part / f"{1:032x}.parquet", metadata=file_metadata())
    export_spans([rows], tmp_path / "out")

    other = LabFolder(tmp_path / "other")
    done = [
        import_log(tmp_path / "out", folder, kind="otel", org="x")
        for folder in (other, lab)
    ]

    assert [(d.added, d.known) for d in done] == [(5, 0), (0, 5)]
    assert scan(other.root).collect().sort("event_id").equals(rows)
