"""OTLP's JSON in the forms that are found: spans, whatever their fields are called."""

import gzip
import json

import pytest

from lectr_lab.core.errors import LogError
from lectr_lab.log.importers.otlp_json import spans_in

SPAN = {
    "traceId": "t",
    "spanId": "s",
    "parentSpanId": "p",
    "startTimeUnixNano": "1795521600000000000",
    "endTimeUnixNano": 1795521601500000000,
    "status": {"code": "STATUS_CODE_ERROR"},
    "attributes": [
        {"key": "n", "value": {"intValue": "12"}},
        {"key": "l", "value": {"arrayValue": {"values": [{"stringValue": "a"}]}}},
        {"key": "b", "value": {"boolValue": False}},
        {"key": "odd", "value": {"kvlistValue": {}}},
    ],
}


def nested(span, resource="resourceSpans", scopes="scopeSpans"):
    about = {"attributes": [{"key": "service.name", "value": {"stringValue": "app"}}]}
    group = {"resource": about, scopes: [{"scope": {"name": "x"}, "spans": [span]}]}
    return {resource: [group]}


def snake(value):
    if isinstance(value, dict):
        return {_snake(k): snake(v) for k, v in value.items()}
    return [snake(v) for v in value] if isinstance(value, list) else value


def _snake(name):
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


@pytest.mark.parametrize(
    "export",
    [
        nested(SPAN),
        nested(SPAN, scopes="instrumentationLibrarySpans"),
        nested(SPAN, resource="batches"),
        snake(nested(SPAN)),
        [nested(SPAN)],
    ],
)
def test_every_form_gives_the_span(tmp_path, export):
    """Its place, its times, its attributes with those of its resource."""
    file = tmp_path / "a.json"
    file.write_text(json.dumps(export))

    [span] = spans_in(file)

    assert (span.trace, span.id, span.parent, span.scope) == ("t", "s", "p", "x")
    assert (span.failed, span.total_ms) == (True, 1500.0)
    assert span.attributes == {"service.name": "app", "n": 12, "l": ["a"], "b": False}


def test_lines_folders_and_packed_files(tmp_path):
    """A line that is none is told of."""
    (tmp_path / "a.jsonl").write_text(f"{json.dumps(nested(SPAN))}\nnot json\n")
    packed = gzip.compress(json.dumps(nested(SPAN)).encode())
    (tmp_path / "b.json.gz").write_bytes(packed)
    (tmp_path / "notes.txt").write_text("x")

    found = list(spans_in(tmp_path))

    assert [span and span.id for span in found] == ["s", None, "s"]


def test_a_folder_without_any_is_an_error(tmp_path):
    """It is named."""
    with pytest.raises(LogError, match=r"folder without any file \*\.json"):
        list(spans_in(tmp_path))


def test_a_span_that_ends_before_it_begins_took_no_time(tmp_path):
    """Clocks are set back."""
    file = tmp_path / "a.json"
    file.write_text(json.dumps(nested(SPAN | {"endTimeUnixNano": "1"})))

    [span] = spans_in(file)

    assert span.total_ms is None
