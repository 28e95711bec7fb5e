"""The log beside whatever else there is: exports, folders, other logs."""

import json
from datetime import UTC, datetime

import pytest

from lectr_lab.analysis.reconcile import reconcile
from lectr_lab.analysis.scan import demo_log, scan
from lectr_lab.core.errors import ConfigError, LabError
from lectr_lab.demo.made_up import events
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.importers.importing import import_log
from lectr_lab.log.scan import scan as scan_log
from lectr_lab.log.schema import frame

RESULT = {"model": "gpt-4o-mini", "input_tokens": 10, "output_tokens": 1}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Some of the made-up traffic."""
    lab = LabFolder.create(tmp_path_factory.mktemp("r") / "lab")
    frame(events(requests=300)).write_parquet(lab.log / "one.parquet")
    return lab.root


@pytest.fixture
def exports(tmp_path):
    """Two days of usage, a file each, and what was charged for them."""
    folder = tmp_path / "exports"
    folder.mkdir()
    for n in range(2):
        bucket = {"start_time": 1793577600 + n * 86400, "results": [RESULT]}
        (folder / f"usage-{n}.json").write_text(json.dumps({"data": [bucket]}))
    amount = {"amount": {"value": 2}, "line_item": "gpt-4o-mini, input"}
    bucket = {"start_time": 1793577600, "results": [amount]}
    (tmp_path / "costs.json").write_text(json.dumps({"data": [bucket]}))
    return folder


def test_several_files_and_a_folder_of_them_are_one_export(lab, exports):
    """With their costs, too."""
    files = sorted(exports.iterdir())
    costs = exports.parent / "costs.json"

    apart = reconcile(scan(lab), files, costs=costs)
    folder = reconcile(scan(lab), exports, costs=[costs])
    together = reconcile(scan(lab), [exports, costs])

    assert apart.differences.equals(folder.differences)
    assert apart.differences.equals(together.differences)
    assert apart.differences["their_usd"].sum() == pytest.approx(2, abs=1e-4)


def test_a_lab_a_frame_and_an_import_s_rows_are_logs(lab):
    """What has no costs yet is priced."""
    for other in (lab, str(lab), scan(lab), scan_log(lab)):
        found = reconcile(scan(lab), other)
        assert found.differences.is_empty()
        assert found.calls[0] > 0


def test_a_log_beside_another_says_what_is_missing(lab):
    """A lab of fewer calls than the made-up log."""
    found = reconcile(demo_log(), scan(lab).head(200))

    assert found.in_short().startswith("The log has ")
    assert {"only in the log"} <= {*found.frame()["cause"]}


def test_what_is_in_another_s_place_is_said(lab, exports, tmp_path):
    """Costs before usage, usage as costs, a provider's beside another's."""
    usage, costs = exports / "usage-0.json", tmp_path / "costs.json"
    with pytest.raises(ConfigError, match="as costs"):
        reconcile(scan(lab), costs, costs=costs)
    with pytest.raises(ConfigError, match="not a cost export of openai"):
        reconcile(scan(lab), usage, costs=usage)
    with pytest.raises(LabError, match="nowhere"):
        reconcile(scan(lab), tmp_path / "nowhere" / "lab")


def test_a_folder_of_neither_is_said(lab, tmp_path):
    """With what makes a log of it; a lab is one, whatever files lie beside its log."""
    (tmp_path / "projects").mkdir()
    with pytest.raises(ConfigError, match="lectr-lab import"):
        reconcile(scan(lab), tmp_path / "projects")

    beside = LabFolder.create(tmp_path / "beside")
    (beside.root / "notes.csv").write_text("a,b\n1,2\n")
    assert reconcile(scan(lab), beside.root).calls[1] == 0


def test_costs_alone_are_compared(lab, tmp_path, exports):
    """And it is said what they cannot tell."""
    found = reconcile(scan(lab), tmp_path / "costs.json")

    assert "not what was counted" in found.notes[-1]
    assert found.differences["their_usd"].sum() == pytest.approx(2)


def test_notes_say_what_was_read_and_what_is_open(lab, exports):
    """The file by its name, and that batches are not told apart."""
    notes = reconcile(scan(lab), exports / "usage-0.json").notes

    assert notes[0].startswith("usage-0.json: read as OpenAI's usage of completions")
    assert any("batches" in note for note in notes)


SONNET = "claude-sonnet-4-5-20250929"


@pytest.fixture
def wire(tmp_path, event):
    """What the proxy saw of a coding agent: three turns, and a title that has no turn."""
    lab = LabFolder.create(tmp_path / "wire")
    calls = [
        event(
            event_id=bytes([n]) * 16,
            started_at=datetime(2026, 11, 24, 10, n, tzinfo=UTC),
            provider="anthropic",
            operation="messages",
            model_requested=model,
            model_sent=model,
            model_actual=model,
            provider_response_id=f"msg_{n}",
            client="claude-code",
            input_tokens=1004,
            cache_read_tokens=1000,
            output_tokens=100,
        )
        for n, model in enumerate([SONNET] * 3 + ["claude-haiku-4-5-20251001"])
    ]
    frame(calls).write_parquet(lab.log / "one.parquet")
    return lab.root


def turn(number: int, output: int) -> dict:
    usage = {
        "input_tokens": 4,
        "cache_read_input_tokens": 1000,
        "output_tokens": output,
    }
    return {
        "type": "assistant",
        "timestamp": f"2026-11-24T10:0{number}:05.000Z",
        "sessionId": "s",
        "requestId": f"req_{number}",
        "uuid": f"u-{number}",
        "message": {"id": f"msg_{number}", "model": SONNET, "usage": usage},
    }


def imported(source, tmp_path, kind):
    lab = LabFolder.create(tmp_path / "other")
    import_log(source, lab, kind=kind, org="default")
    return lab.root


def test_the_wire_beside_a_transcript(wire, tmp_path):
    """A fork repeats history and counts once; a side call has no line; the answer that was
    cut off has fewer tokens there."""
    folder = tmp_path / "projects"
    sessions = {"a": [turn(0, 100), turn(1, 100)], "fork": [turn(0, 100), turn(2, 40)]}
    folder.mkdir()
    for name, turns in sessions.items():
        text = "".join(f"{json.dumps(one)}\n" for one in turns)
        (folder / f"{name}.jsonl").write_text(text)

    found = reconcile(scan(wire), imported(folder, tmp_path, "claude-code"))

    by = {row["cause"]: row for row in found.frame().to_dicts()}
    assert by.keys() == {"only in the log", "counted differently"}
    assert by["only in the log"]["model"] == "claude-haiku-4-5-20251001"
    assert by["counted differently"]["id"] == "msg_2"
    assert by["counted differently"]["difference_usd"] == pytest.approx(-60 * 15e-6)


def test_the_wire_beside_spans(wire, tmp_path):
    """Of an instrumentation that leaves cached input out of its counts, or is told so."""
    started = 1795514400 * 10**9
    spans = []
    for n, cached in enumerate([1000, 1000, 0]):
        values = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.response.model": SONNET,
            "gen_ai.response.id": f"msg_{n}",
            "gen_ai.usage.input_tokens": 1004,
            "gen_ai.usage.output_tokens": 100,
            "gen_ai.usage.cache_read.input_tokens": cached,
        }
        start = started + n * 60 * 10**9
        attributes = [
            {
                "key": k,
                "value": {"intValue" if type(v) is int else "stringValue": str(v)},
            }
            for k, v in values.items()
        ]
        spans.append(
            {
                "traceId": f"{n:032x}",
                "spanId": f"{n + 1:016x}",
                "startTimeUnixNano": str(start),
                "endTimeUnixNano": str(start + 10**8),
                "attributes": attributes,
            }
        )
    file = tmp_path / "spans.json"
    scope = {"scope": {"name": "an.instrumentation"}, "spans": spans}
    file.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [scope]}]}))

    found = reconcile(scan(wire), imported(file, tmp_path, "otel"))

    by = {row["cause"]: row for row in found.frame().to_dicts()}
    assert by.keys() == {"only in the log", "counted differently"}
    lost = by["counted differently"]
    assert lost["difference_usd"] == pytest.approx(1000 * (3 - 0.3) * 1e-6)
    assert lost["cache_read_tokens_missing"] == -1000
