"""Importing: once, by allow-list, whatever the source; real traces become a log."""

import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.core.errors import LogError
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.importers.commit import ONE_CALL, THERE
from lectr_lab.log.importers.events import NO_OUTCOME, NO_TIME
from lectr_lab.log.importers.fields import Choices
from lectr_lab.log.importers.importing import import_log, preview_log
from lectr_lab.log.importers.readers import READERS
from lectr_lab.log.scan import scan
from lectr_lab.log.schema import file_metadata, frame
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


def spend_logs(path: Path, count: int, **more) -> Path:
    rows = [ROW | {"request_id": f"r{i}", "prompt_tokens": i + 1} for i in range(count)]
    path.write_text(json.dumps([row | more for row in rows]))
    return path


def imported(source: Path, lab: LabFolder, kind: str = "litellm", **choices):
    return import_log(source, lab, kind=kind, org="acme", choices=Choices(**choices))


def rows_of(lab: LabFolder) -> pl.DataFrame:
    return scan(lab.root).collect().sort("started_at", "source_id")


def test_importing_again_adds_only_what_is_new(lab, tmp_path):
    """Also after a compaction."""
    first = spend_logs(tmp_path / "a.json", 5)
    longer = spend_logs(tmp_path / "b.json", 8)

    done = [imported(first, lab)]
    compact(lab)
    done += [imported(file, lab) for file in (first, longer)]

    assert [(d.added, d.known) for d in done] == [(5, 0), (0, 5), (3, 5)]
    rows = rows_of(lab)
    assert sorted(rows["input_tokens"]) == list(range(1, 9))
    assert set(rows["org"]) == {"acme"}
    assert set(rows["source"]) == {"litellm"}
    assert rows["source_id"].to_list() == [f"r{i}" for i in range(8)]
    assert examine(lab) == []


@pytest.mark.parametrize("compacted", [False, True])
def test_what_changed_takes_the_place_of_what_was_there(lab, tmp_path, compacted):
    """Nothing is there twice, also where a time was corrected to another day."""
    imported(spend_logs(tmp_path / "a.json", 4), lab)
    if compacted:
        compact(lab)
    later = {"startTime": "2026-11-25T10:00:00Z", "endTime": "2026-11-25T10:00:01Z"}
    rows = json.loads((tmp_path / "a.json").read_text())
    rows[0] |= {"completion_tokens": 9}
    rows[1] |= later
    (tmp_path / "b.json").write_text(json.dumps(rows))

    done = imported(tmp_path / "b.json", lab)

    assert (done.added, done.replaced, done.known) == (0, 2, 2)
    log = rows_of(lab)
    assert log["source_id"].sort().to_list() == ["r0", "r1", "r2", "r3"]
    assert log.filter(source_id="r0")["output_tokens"].item() == 9
    assert log.filter(source_id="r1")["started_at"].item().day == 25
    assert log["event_id"].n_unique() == 4
    assert examine(lab) == []


def test_a_proxys_own_rows_are_left_alone(lab, tmp_path, make_events):
    """They share a part with rows that are replaced."""
    events = make_events(3)
    imported(spend_logs(tmp_path / "a.json", 2), lab)
    day = events[0].started_at.date()
    part = lab.day(day) / f"{9:032x}.parquet"
    frame(events).write_parquet(part, metadata=file_metadata())
    compact(lab, today=day + timedelta(days=9))
    imported(spend_logs(tmp_path / "b.json", 2, completion_tokens=3), lab)

    log = rows_of(lab)
    assert log.height == 5
    own = log.filter(pl.col("source").is_null())
    assert (
        own.select(frame(events).columns)
        .sort("event_id")
        .equals(frame(events).sort("event_id"))
    )


def test_a_call_that_a_proxy_logged_is_not_there_again(lab, tmp_path, make_events):
    """By the provider's own id of its reply: the proxy's row counts."""
    [event] = make_events(1)
    id_ = "chatcmpl-0123456789"
    rows = frame([event]).with_columns(provider_response_id=pl.lit(id_))
    lab.day(event.started_at.date()).mkdir()
    part = lab.day(event.started_at.date()) / f"{1:032x}.parquet"
    rows.write_parquet(part, metadata=file_metadata())
    source = spend_logs(tmp_path / "a.json", 1, request_id=id_)

    done = imported(source, lab)

    assert (done.added, done.left) == (0, {THERE: 1})
    assert rows_of(lab).height == 1


def test_a_call_that_another_source_has_is_not_there_again(lab, tmp_path):
    """By the provider's id of the reply or of the request."""
    spend = spend_logs(tmp_path / "a.json", 1, request_id="msg_0123456789")
    message = {
        "id": "msg_0123456789",
        "model": "claude-x",
        "usage": {"input_tokens": 1},
    }
    line = {"type": "assistant", "timestamp": ROW["startTime"], "message": message}
    (tmp_path / "b.jsonl").write_text(json.dumps(line))
    head = "request_id,time,input_tokens,provider_request_id\n"
    for name, id_ in (("c", "one-long-id"), ("d", "another-long-id")):
        row = f"{id_},{ROW['startTime']},3,req_0123456789\n"
        (tmp_path / f"{name}.csv").write_text(head + row)

    imported(spend, lab)
    done = [
        imported(tmp_path / "b.jsonl", lab, kind="claude-code"),
        imported(tmp_path / "c.csv", lab, kind="table"),
        imported(tmp_path / "d.csv", lab, kind="table", name="other"),
        imported(tmp_path / "c.csv", lab, kind="table"),
    ]

    assert [(d.added, d.known) for d in done] == [(0, 0), (1, 0), (0, 0), (0, 1)]
    assert rows_of(lab).height == 2


def test_rows_of_one_reply_are_one_call(lab, tmp_path):
    """The one with the most output, whatever ids the source gives them."""
    file = tmp_path / "calls.csv"
    file.write_text(
        "span_id,time,response_id,input_tokens,output_tokens\n"
        "a-very-long-span-1,2026-11-24T10:00:00Z,chatcmpl-123456789,10,1\n"
        "a-very-long-span-2,2026-11-24T10:00:00Z,chatcmpl-123456789,10,7\n"
        "a-very-long-span-3,2026-11-24T10:00:00Z,chatcmpl-987654321,10,2\n"
    )

    done = imported(file, lab, kind="table")

    assert (done.added, done.left) == (2, {ONE_CALL: 1})
    assert sorted(rows_of(lab)["output_tokens"]) == [2, 7]


def test_orgs_and_sources_are_apart(lab, tmp_path):
    """The same file for two of them is two logs."""
    source = spend_logs(tmp_path / "a.json", 2)
    for org in ("acme", "globex"):
        import_log(source, lab, kind="litellm", org=org)
    imported(source, lab, name="other-gateway")

    log = rows_of(lab)
    assert log["event_id"].n_unique() == 6
    assert set(log["source"]) == {"litellm", "other-gateway"}


def test_a_row_without_a_time_is_counted(lab, tmp_path):
    """It has no day to lie in."""
    source = tmp_path / "a.json"
    source.write_text(json.dumps([ROW, ROW | {"startTime": "soon", "request_id": "s"}]))

    done = imported(source, lab)

    assert (done.read, done.added) == (2, 1)
    assert done.left == {NO_TIME: 1}
    assert done.unreadable == {"started_at": 1}


def test_what_the_rows_do_not_say_may_be_said(lab, tmp_path):
    """Their feature, and that a plan paid for them."""
    imported(spend_logs(tmp_path / "a.json", 1), lab, feature="chat", plan_pays=True)

    row = rows_of(lab).row(0, named=True)
    assert (row["feature"], row["credential"]) == ("chat", "plan")


def test_a_user_is_a_keyed_hash(lab, tmp_path):
    """The same in each import of a lab, another in another lab."""
    source = spend_logs(tmp_path / "a.json", 2, end_user="ann@example.com")
    imported(source, lab)
    imported(source, LabFolder(tmp_path / "other"))

    ours = set(rows_of(lab)["user"])
    assert len(ours) == 1
    assert len(ours.pop()) == 32
    assert set(rows_of(lab)["user"]) != set(
        rows_of(LabFolder(tmp_path / "other"))["user"]
    )


def test_a_preview_writes_nothing(lab, tmp_path):
    """And says what an import does."""
    source = spend_logs(tmp_path / "a.json", 3)
    nowhere = LabFolder(tmp_path / "nowhere")

    shown = preview_log(source, nowhere, kind="litellm", org="acme")
    imported(source, lab)
    again = preview_log(source, lab, kind="litellm", org="acme")

    assert not nowhere.root.exists()
    assert (shown.report.added, again.report.known) == (3, 3)
    assert shown.columns["input_tokens"][:2] == (3, 6)


def test_what_cannot_be_read_is_an_error(lab, tmp_path):
    """Missing, of no kind that is known, or for nobody."""
    with pytest.raises(LogError, match=r"no\.json"):
        imported(tmp_path / "no.json", lab)
    with pytest.raises(LogError, match=r"no kind 'csv'.*litellm, otel, .*table"):
        imported(tmp_path / "no.json", lab, kind="csv")
    with pytest.raises(LogError, match="cannot name an organisation"):
        import_log(tmp_path / "no.json", lab, kind="litellm", org="a\nb")
    with pytest.raises(LogError, match="cannot name a source"):
        imported(tmp_path / "no.json", lab, name="a b")


OTHERS = [
    "hello, dear Sir?",
    "[]",
    "[1]",
    "[{}]",
    "{}",
    '{"data": 3}',
    '{"resourceSpans": 1}',
]
OTHERS += ['["hello"]', "a,b\n1,2\n", '{"a": "hello"}\n{"b": 1}\n', "\x00\xff"]


@pytest.mark.parametrize("kind", [*READERS, "empty"])
@pytest.mark.parametrize("text", OTHERS)
def test_a_file_of_another_kind_is_an_error(lab, tmp_path, kind, text):
    """It is named, without a word of what it holds; "added 0 of 0" is no success."""
    file = tmp_path / "other.json"
    file.write_text("" if kind == "empty" else text)

    with pytest.raises(LogError, match=r"other\.json") as raised:
        imported(file, lab, kind="litellm" if kind == "empty" else kind)

    assert "hello" not in str(raised.value)
    assert lab.days() == []


FORMS = "json csv otel table langfuse helicone openrouter openai-batch".split()
FORMS += "anthropic-batch claude-code codex".split()
CANARY = "CANARY7f3a"
OTHER_KEYS = st.text("abcdefghijklmnopqrstuvwxyz_.", min_size=1, max_size=12).map(
    lambda name: f"zz_{name}"
)
SECRETS = [
    "api_key",
    "messages",
    "response",
    "user",
    "proxy_server_request",
    "end_user",
]
nested = st.recursive(
    st.just(CANARY),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(OTHER_KEYS, inner),
    max_leaves=4,
)


@given(
    more=st.dictionaries(st.sampled_from(SECRETS) | OTHER_KEYS, nested, min_size=1),
    metadata=st.dictionaries(OTHER_KEYS, nested),
    form=st.sampled_from(sorted(FORMS)),
)
@settings(max_examples=30, deadline=None)
def test_nothing_else_of_an_export_comes_along(more, metadata, form):
    """Prompts, keys, users and unknown fields, at any depth: no byte of them in the lab."""
    with tempfile.TemporaryDirectory() as folder:
        lab = LabFolder(Path(folder) / "lab")
        row = more | ROW | {"metadata": metadata}
        kind, source, columns = WRITERS[form](Path(folder), row)

        done = imported(source, lab, kind=kind, columns=columns or {})

        assert done.added == 1
        files = [f for f in lab.root.rglob("*") if f.is_file()]
        assert not any(CANARY.encode() in f.read_bytes() for f in files)
        assert CANARY not in str(scan(lab.root).collect().rows())
        assert CANARY not in str(done)


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
        "name": CANARY,
        "startTimeUnixNano": "1795521600000000000",
        "attributes": attributes,
        "events": [{"name": CANARY, "attributes": attributes}],
    }
    source = folder / "a.json"
    spans = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    source.write_text(json.dumps(spans))
    return "otel", source, None


def as_langfuse(folder: Path, row: dict):
    more = {"input": CANARY, "output": CANARY, "status_message": CANARY}
    source = folder / "a.json"
    observation = {"id": "o", "type": "GENERATION", "startTime": ROW["startTime"]}
    source.write_text(json.dumps([row | more | observation]))
    return "langfuse", source, None


def as_helicone(folder: Path, row: dict):
    more = {"request_body": CANARY, "request_prompt": CANARY, "request_id": "h"}
    more |= {"request_properties": {"zz": CANARY}, "request_user_id": CANARY}
    source = folder / "a.json"
    at = {"request_created_at": ROW["startTime"], "request_model": "gpt-4o"}
    source.write_text(json.dumps([row | more | at]))
    return "helicone", source, None


def as_openrouter(folder: Path, row: dict):
    more = {"created_at": ROW["startTime"], "api_key_name": CANARY, "user": CANARY}
    source = folder / "a.json"
    source.write_text(json.dumps([row | more]))
    return "openrouter", source, None


def as_openai_batch(folder: Path, row: dict):
    message = {"role": "assistant", "content": CANARY}
    body = {"object": "chat.completion", "model": "gpt-4o", "created": 1795521600}
    body |= {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    line = {"id": "b", "custom_id": CANARY, "error": None, **row}
    line["response"] = {"status_code": 200, "body": body}
    source = folder / "a.jsonl"
    source.write_text(json.dumps(line))
    return "openai-batch", source, None


def as_anthropic_batch(folder: Path, row: dict):
    message = {"id": "msg_1", "type": "message", "model": "claude-sonnet-4-5"}
    message["content"] = [{"type": "text", "text": CANARY}]
    line = {"custom_id": CANARY, "result": {"type": "succeeded", "message": message}}
    source = folder / "a.jsonl"
    source.write_text(json.dumps(row | line))
    return "anthropic-batch", source, None


def as_claude_code(folder: Path, row: dict):
    message = {
        "id": "msg_1",
        "model": "claude-sonnet-4-5",
        "usage": {"input_tokens": 1},
    }
    message["content"] = [{"type": "text", "text": CANARY}]
    line = {"type": "assistant", "timestamp": ROW["startTime"], "message": message}
    source = folder / "a.jsonl"
    path = {"cwd": f"/home/{CANARY}", "gitBranch": CANARY}
    source.write_text(json.dumps(row | line | path))
    return "claude-code", source, None


def as_codex(folder: Path, row: dict):
    counts = {"input_tokens": 9, "output_tokens": 1}
    info = {"total_token_usage": counts, "last_token_usage": counts}
    meta = {"id": "c", "cwd": f"/home/{CANARY}", "git": {"branch": CANARY}}
    lines = [
        {"type": "session_meta", "payload": row | meta | {"instructions": CANARY}},
        {"type": "event_msg", "payload": {"type": "user_message", "message": CANARY}},
        {"type": "event_msg", "payload": {"type": "token_count", "info": info}},
    ]
    source = folder / "a.jsonl"
    at = {"timestamp": ROW["startTime"]}
    source.write_text("\n".join(json.dumps(at | line) for line in lines))
    return "codex", source, None


WRITERS = {
    "json": as_json,
    "csv": as_csv,
    "otel": as_otel,
    "table": as_table,
    "langfuse": as_langfuse,
    "helicone": as_helicone,
    "openrouter": as_openrouter,
    "openai-batch": as_openai_batch,
    "anthropic-batch": as_anthropic_batch,
    "claude-code": as_claude_code,
    "codex": as_codex,
}

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
    """Each row an event; sums agree; importing it again adds nothing."""
    source = shared / "datasets" / "traces" / f"{name}.parquet"
    epoch = None if name in CLOCKED else EPOCH
    mapping = TRACES[name]

    done = imported(source, lab, kind="table", columns=mapping, epoch=epoch)

    trace = pl.read_parquet(source)
    rows = scan(lab.root).collect()
    assert (done.read, done.added) == (trace.height, trace.height)
    assert set(done.left) == set()
    for column in ("input_tokens", "output_tokens"):
        assert rows[column].sum() == trace[mapping[column]].sum()
    again = imported(source, lab, kind="table", columns=mapping, epoch=epoch)
    assert (again.added, again.known) == (0, trace.height)


def test_real_spans_need_no_map(lab, shared):
    """Their columns have names that are known; a failed one is a failure."""
    source = shared / "datasets" / "traces" / "agent_llm_spans.parquet"
    trace = pl.read_parquet(source)

    done = imported(source, lab, kind="table")

    rows = scan(lab.root).collect()
    assert done.added == trace.height
    assert rows["session"].n_unique() == trace["session_id"].n_unique()
    failed = rows.filter(pl.col("outcome") == "provider_error").height
    assert failed == trace["is_error"].sum()
    assert rows["input_tokens"].sum() == trace["input_tokens"].sum()
    assert NO_OUTCOME in done.said
