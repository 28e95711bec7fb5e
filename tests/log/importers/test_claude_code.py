"""Claude Code's transcripts: each answer once, however often its lines are copied.

The lines are made here, in the form that public notes describe.
"""

import json
from pathlib import Path

import pytest

from lectr_lab.core.errors import LogError
from lectr_lab.log.importers import claude_code
from lectr_lab.log.importers.claude_code import claude_code_rows
from lectr_lab.log.importers.fields import Choices
from lectr_lab.log.importers.importing import import_log
from lectr_lab.log.scan import scan

AT = "2026-11-24T10:00:0{}.000Z"


def usage(output: int, **more) -> dict:
    return {
        "input_tokens": 4,
        "cache_read_input_tokens": 900,
        "cache_creation_input_tokens": 100,
        "cache_creation": {"ephemeral_1h_input_tokens": 60},
        "output_tokens": output,
        "server_tool_use": {"web_search_requests": 2},
        "service_tier": "standard",
        **more,
    }


def line(number: int, output: int, second: int = 0, **more) -> dict:
    message = {
        "id": f"msg_{number}",
        "model": "claude-sonnet-4-5-20250929",
        "stop_reason": "end_turn",
        "usage": usage(output),
    }
    return {
        "type": "assistant",
        "timestamp": AT.format(second),
        "sessionId": "session-1",
        "version": "2.1.86",
        "requestId": f"req_{number}",
        "uuid": f"uuid-{number}-{second}",
        "isSidechain": False,
        "message": message,
        **more,
    }


def transcript(path: Path, *lines: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    return path


def test_an_answer_is_an_event(tmp_path, take):
    """With all counts that a price depends on, and the run that it was of."""
    other = {"type": "user", "message": {"content": "hello"}, "timestamp": AT.format(0)}
    file = transcript(tmp_path / "a.jsonl", other, line(1, 7))

    [event] = take(claude_code_rows(file, Choices())).events

    ours = ("event_id", "org", "kind", "source", "source_id", "started_at")
    assert {name: v for name, v in event.items() if name not in ours} == {
        "operation": "messages",
        "path": "/v1/messages",
        "provider": "anthropic",
        "model_requested": "claude-sonnet-4-5-20250929",
        "model_actual": "claude-sonnet-4-5-20250929",
        "provider_response_id": "msg_1",
        "provider_request_id": "req_1",
        "input_tokens": 1004,
        "output_tokens": 7,
        "cache_read_tokens": 900,
        "cache_write_tokens": 100,
        "cache_write_1h_tokens": 60,
        "web_searches": 2,
        "service_tier": "standard",
        "finish_reason": "end_turn",
        "choice_count": 1,
        "token_source": "provider",
        "client": "claude-code",
        "client_version": "2.1.86",
        "session": "session-1",
        "turn_kind": "main",
        "status": 200,
        "outcome": "ok",
    }


def test_pieces_of_an_answer_are_one(tmp_path, take):
    """With the counts of the last and the time of the first, which lacks a request id."""
    first = line(1, 2) | {"requestId": None}
    file = transcript(tmp_path / "a.jsonl", first, line(1, 9, 1), line(1, 5, 2))

    told = take(claude_code_rows(file, Choices()))

    [event] = told.events
    assert event["output_tokens"] == 9
    assert event["started_at"].second == 0
    assert told.left[claude_code.COPIES] == 2


def test_copies_in_other_files_are_one_call(lab, tmp_path):
    """Of a session that was resumed, of one that was forked, of a subagent."""
    projects = tmp_path / "projects" / "-home-me-work"
    side = {"isSidechain": True, "agentId": "a1"}
    transcript(projects / "one.jsonl", line(1, 5), line(2, 6, 1))
    resumed = [line(n, 4 + n, n - 1, sessionId="session-2") for n in (1, 2, 3)]
    transcript(projects / "two.jsonl", *resumed)
    transcript(projects / "one" / "subagents" / "agent-a1.jsonl", line(4, 8, 4, **side))
    transcript(projects / "three.jsonl", line(4, 8, 4, **side), line(2, 6, 1))

    done = [
        import_log(tmp_path / "projects", lab, kind="claude-code", org="acme")
        for _ in range(2)
    ]

    assert [(d.added, d.known) for d in done] == [(4, 0), (0, 4)]
    log = scan(lab.root).collect().sort("started_at")
    assert log["output_tokens"].to_list() == [5, 6, 7, 8]
    assert log["turn_kind"].to_list() == ["main"] * 3 + ["subagent"]
    assert log["agent"].to_list() == [None] * 3 + ["a1"]


def test_a_transcript_that_grew_adds_its_end(lab, tmp_path):
    """And an answer that was being written then gets its final counts."""
    file = transcript(tmp_path / "a.jsonl", line(1, 2))
    import_log(file, lab, kind="claude-code", org="acme")
    transcript(file, line(1, 2), line(1, 50, 1), line(2, 6, 2))

    done = import_log(file, lab, kind="claude-code", org="acme")

    assert (done.added, done.replaced) == (1, 1)
    log = scan(lab.root).collect()
    assert sorted(log["output_tokens"]) == [6, 50]


def test_the_clients_own_notes_are_no_answers(tmp_path, take):
    """Nor are answers without counts, nor lines cut short."""
    note = line(1, 0)
    note["message"]["model"] = "<synthetic>"
    bare = line(2, 0)
    del bare["message"]["usage"]
    file = transcript(tmp_path / "a.jsonl", note, bare, line(3, 1))
    file.write_text(f"{file.read_text()}{{cut\n")

    told = take(claude_code_rows(file, Choices()))

    assert told.ids == ["msg_3"]
    assert told.left == {
        claude_code.SYNTHETIC: 1,
        claude_code.NO_USAGE: 1,
        claude_code.NO_JSON: 1,
    }


def test_ids_of_other_servers_are_unique_with_the_requests(tmp_path, take):
    """A gateway may give every answer one id."""
    lines = [line(n, n, n) for n in (1, 2)]
    for one in lines:
        one["message"]["id"] = "chatcmpl-1"

    told = take(claude_code_rows(transcript(tmp_path / "a.jsonl", *lines), Choices()))

    assert told.ids == ["chatcmpl-1:req_1", "chatcmpl-1:req_2"]


def test_fast_mode_is_told(tmp_path, take):
    """It has a price of its own."""
    one = line(1, 1)
    one["message"]["usage"]["speed"] = "fast"

    file = transcript(tmp_path / "a.jsonl", one)

    assert take(claude_code_rows(file, Choices())).events[0]["service_tier"] == "fast"


def test_a_folder_without_transcripts_is_an_error(tmp_path):
    """A wrong one, most likely."""
    with pytest.raises(LogError, match=r"without any file \*\.jsonl"):
        list(claude_code_rows(tmp_path, Choices()).rows)
