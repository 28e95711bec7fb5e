"""Importing: once, by allow-list, whatever the source; real traces become a log."""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.core.errors import LogError
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.importers.importing import import_log
from lectr_lab.log.scan import scan
from lectr_lab.log.upkeep.compact import compact
from lectr_lab.log.upkeep.doctor import examine

ROW = {
    "request_id": "r",
    "call_type": "acompletion",
    "startTime": "2026-11-24T10:00:00Z",
    "endTime": "2026-11-24T10:00:01Z",
    "model": "gpt-4o",
    "prompt_tokens": 5,
}


def spend_logs(path: Path, count: int) -> Path:
    rows = [ROW | {"request_id": f"r{i}", "prompt_tokens": i} for i in range(count)]
    path.write_text(json.dumps(rows))
    return path


def test_importing_again_adds_only_what_is_new(lab, tmp_path):
    """Also after a compaction."""
    first = spend_logs(tmp_path / "a.json", 5)
    longer = spend_logs(tmp_path / "b.json", 8)

    done = [import_log(first, lab, kind="litellm", org="acme")]
    compact(lab)
    done += [import_log(f, lab, kind="litellm", org="acme") for f in (first, longer)]

    assert [(d.added, d.known) for d in done] == [(5, 0), (0, 5), (3, 5)]
    rows = scan(lab.root).collect()
    assert sorted(rows["input_tokens"]) == list(range(8))
    assert set(rows["org"]) == {"acme"}
    assert set(rows["kind"]) == {"request"}
    assert examine(lab) == []


def test_orgs_are_apart(lab, tmp_path):
    """The same file for two of them is two logs."""
    source = spend_logs(tmp_path / "a.json", 2)
    for org in ("acme", "globex"):
        import_log(source, lab, kind="litellm", org=org)

    assert scan(lab.root).collect()["event_id"].n_unique() == 4


def test_a_row_without_a_time_is_counted(lab, tmp_path):
    """It has no day to lie in."""
    source = tmp_path / "a.json"
    source.write_text(json.dumps([ROW, ROW | {"startTime": "soon"}]))

    assert import_log(source, lab, kind="litellm", org="acme") == (2, 1, 0, 1)


def test_what_cannot_be_read_is_an_error(lab, tmp_path):
    """Missing, of no kind that is known, or for nobody."""
    with pytest.raises(LogError, match=r"no\.json"):
        import_log(tmp_path / "no.json", lab, kind="litellm", org="acme")
    with pytest.raises(LogError, match=r"no kind 'csv'.*litellm, otel, table"):
        import_log(tmp_path / "no.json", lab, kind="csv", org="acme")
    with pytest.raises(LogError, match="cannot name an organisation"):
        import_log(tmp_path / "no.json", lab, kind="litellm", org="a\nb")


CANARY = "CANARY7f3a"
OTHER_KEYS = st.text("abcdefghijklmnopqrstuvwxyz_.", min_size=1, max_size=12).map(
    lambda name: f"zz_{name}"
)
SECRETS = ["api_key", "messages", "response", "user", "proxy_server_request", "spend"]
nested = st.recursive(
    st.just(CANARY),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(OTHER_KEYS, inner),
    max_leaves=4,
)


@given(
    more=st.dictionaries(st.sampled_from(SECRETS) | OTHER_KEYS, nested, min_size=1),
    metadata=st.dictionaries(OTHER_KEYS, nested),
    form=st.sampled_from(["json", "csv", "otel", "table"]),
)
@settings(max_examples=40, deadline=None)
def test_nothing_else_of_an_export_comes_along(more, metadata, form):
    """Prompts, keys and unknown fields, at any depth: no byte of them in the lab."""
    with tempfile.TemporaryDirectory() as folder:
        lab = LabFolder(Path(folder) / "lab")
        row = more | ROW | {"metadata": metadata}
        kind, source, columns = WRITERS[form](Path(folder), row)

        done = import_log(source, lab, kind=kind, org="acme", columns=columns)

        assert done.added == 1
        files = [f for f in lab.root.rglob("*") if f.is_file()]
        assert not any(CANARY.encode() in f.read_bytes() for f in files)
        assert CANARY not in str(scan(lab.root).collect().rows())


def as_json(folder: Path, row: dict):
    source = folder / "a.json"
    source.write_text(json.dumps([row]))
    return "litellm", source, None


def as_csv(folder: Path, row: dict):
    source = folder / "a.csv"
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in row.items()}
    pl.DataFrame([texts]).write_csv(source)
    return "litellm", source, None


def as_table(folder: Path, row: dict):
    _, source, _ = as_csv(folder, row)
    return "table", source, {"started_at": "startTime", "model_requested": "model"}


def as_otel(folder: Path, row: dict):
    said = {**row, "gen_ai.operation.name": "chat", "gen_ai.input.messages": CANARY}
    attributes = [
        {"key": k, "value": {"stringValue": v if isinstance(v, str) else json.dumps(v)}}
        for k, v in said.items()
    ]
    span = {
        "startTimeUnixNano": "1795521600000000000",
        "attributes": attributes,
        "events": [{"name": CANARY, "attributes": attributes}],
    }
    source = folder / "a.json"
    spans = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    source.write_text(json.dumps(spans))
    return "otel", source, None


WRITERS = {"json": as_json, "csv": as_csv, "otel": as_otel, "table": as_table}

TRACES = {
    "agent_llm_spans": {
        "started_at": "start_time",
        "feature": "benchmark",
        "model_requested": "request_model",
        "model_actual": "response_model",
        "input_tokens": "input_tokens",
        "output_tokens": "output_tokens",
        "total_ms": "duration_ms",
    },
    "azure_llm_2023": {
        "started_at": "timestamp",
        "feature": "service",
        "input_tokens": "prompt_tokens",
        "output_tokens": "completion_tokens",
    },
    "burstgpt1_head400": {
        "started_at": "timestamp_s",
        "model_requested": "model",
        "input_tokens": "prompt_tokens",
        "output_tokens": "completion_tokens",
        "feature": "log_type",
    },
    "claude_code_sessions": {
        "started_at": "session_offset_s",
        "model_requested": "model_id",
        "input_tokens": "input_tokens",
        "output_tokens": "output_tokens",
        "ttft_ms": "ttft_s*1000",
        "total_ms": "api_time_s*1000",
    },
    "mooncake_conversation": {
        "started_at": "timestamp_ms*0.001",
        "input_tokens": "prompt_tokens",
        "output_tokens": "completion_tokens",
        "feature": "=conversation",
    },
    "llmperf_providers": {
        "started_at": "request_index",
        "provider": "provider",
        "ttft_ms": "ttft_s*1000",
        "total_ms": "end_to_end_latency_s*1000",
        "input_tokens": "prompt_tokens",
        "output_tokens": "completion_tokens",
    },
}
EPOCH = datetime(2026, 11, 1, tzinfo=UTC)
CLOCKED = {"agent_llm_spans", "azure_llm_2023"}


@pytest.mark.parametrize("name", sorted(TRACES))
def test_a_real_trace_becomes_a_log(lab, shared, name):
    """Each row an event; sums agree; what the trace lacks is null."""
    source = shared / "datasets" / "traces" / f"{name}.parquet"
    epoch = None if name in CLOCKED else EPOCH
    mapping = TRACES[name]

    done = import_log(
        source, lab, kind="table", org="acme", columns=mapping, epoch=epoch
    )

    trace = pl.read_parquet(source)
    rows = scan(lab.root).collect()
    assert done == (trace.height, trace.height, 0, 0)
    for column in ("input_tokens", "output_tokens"):
        assert rows[column].sum() == trace[mapping[column]].sum()
    given = {*mapping, "event_id", "org", "kind", "token_source"}
    lacking = [c for c in rows.columns if c not in given]
    assert all(rows[column].null_count() == rows.height for column in lacking)
    again = import_log(
        source, lab, kind="table", org="acme", columns=mapping, epoch=epoch
    )
    assert again.added == 0
