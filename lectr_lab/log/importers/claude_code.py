"""Claude Code's transcripts: `~/.claude/projects/<project>/**/*.jsonl`.

Of each answer come along counts, names, times and the session's random ids; the project's
path, the branch, prompts and answers do not.

Facts, from transcripts of 2.1.197, public notes on the format (undocumented; read
2026-11-30) and ccusage's issues:

- a line for each piece of an answer, all with one message.id and requestId; counts grow
  until the last of them, and earlier ones may lack the requestId.
- a session that is resumed or forked begins with a copy of the other one's lines, and the
  same lines may lie in a subagent's file: an answer counts once, by its message.id.
- subagents have isSidechain and an agentId, and files of their own.
- answers of the model `<synthetic>` are the client's own, such as notes of errors.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lectr_lab.log.importers.fields import Choices, Imported, Item, Left, Rows
from lectr_lab.log.importers.records import within
from lectr_lab.log.importers.replies import reply_facts
from lectr_lab.log.importers.source import files_in, json_values

SYNTHETIC = "notes of the client, not answers of a model"
NO_USAGE = "answers without counts"
NO_JSON = "lines that are no JSON"
COPIES = "further lines of an answer that is counted: pieces and copies of it"
_SYNTHETIC = "<synthetic>"


def claude_code_rows(source: Path, choices: Choices) -> Rows:
    """The answers in a transcript, or in those below a folder.

    Raises:
        LogError: a file is empty, or a folder has no transcript.
        OSError: one cannot be read.
    """
    return Rows(0, _items(source))


def _items(source: Path) -> Iterator[Item]:
    for file in files_in(source, "*.jsonl"):
        if not file.stat().st_size:
            continue  # a session that nobody spoke in
        answers: dict[str, dict[str, Any]] = {}
        for line in json_values(file).values:
            if not isinstance(line, dict):
                yield Left(NO_JSON)
            elif line.get("type") == "assistant":
                yield from _take(answers, line)
        for own, facts in answers.items():
            yield Imported(own, facts)


def _take(answers: dict[str, dict[str, Any]], line: dict[str, Any]) -> Iterator[Item]:
    """Add a line to the answers of its file, by their ids."""
    message = within(line, "message")
    usage = within(message, "usage")
    if within(message, "model") == _SYNTHETIC or line.get("isApiErrorMessage"):
        yield Left(SYNTHETIC)
        return
    own = _id(line, message)
    if not isinstance(usage, dict) or own is None:
        yield Left(NO_USAGE)
        return
    facts = _facts(line, message)
    if own not in answers:
        answers[own] = facts
        return
    yield Left(COPIES)
    older = answers[own]
    # The piece with the most output has the final counts; the first has the time.
    final = max(older, facts, key=lambda some: some.get("output_tokens") or 0)
    names = {"provider_request_id": older.get("provider_request_id")}
    given = {name: value for name, value in names.items() if value is not None}
    answers[own] = {**final, **given, "started_at": older["started_at"]}


def _id(line: dict[str, Any], message: Any) -> str | None:
    """Anthropic's ids of messages are unique; those of other servers, with the request's."""
    own, request = within(message, "id"), line.get("requestId")
    if isinstance(own, str) and own.startswith("msg_"):
        return own
    if isinstance(own, str) and isinstance(request, str):
        return f"{own}:{request}"
    uuid = line.get("uuid")
    return uuid if isinstance(uuid, str) else None


def _facts(line: dict[str, Any], message: Any) -> dict[str, Any]:
    names = ("id", "model", "stop_reason", "usage")
    bare = {"type": "message", **{name: message.get(name) for name in names}}
    facts = reply_facts("messages", bare)
    facts.pop("output_chars", None)  # a line has a piece of the answer, or none
    side = line.get("isSidechain") is True
    return facts | {
        "started_at": line.get("timestamp"),
        "operation": "messages",
        "path": "/v1/messages",
        "provider": "anthropic",
        "model_requested": facts.get("model_actual"),
        "provider_request_id": line.get("requestId"),
        "client": "claude-code",
        "client_version": line.get("version"),
        "session": line.get("sessionId"),
        "agent": line.get("agentId"),
        "turn_kind": "subagent" if side else "main",
        "status": 200,
        "outcome": "ok",
    }
