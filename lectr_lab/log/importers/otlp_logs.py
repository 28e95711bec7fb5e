"""Log records of coding agents in OTLP's JSON: calls that they tell of as they make them.

Claude Code sends `claude_code.api_request` and `claude_code.api_error`, Codex
`codex.sse_event` of the kind `response.completed`; both only as log records, never as
spans. Prompts that they may hold are not taken.

Facts, as public code and excerpts of the pages below state them on 2026-11-30 (no file of
either was seen): Claude Code counts input, cache reads
and cache writes apart, Codex input with its cached part; times are of the call's end.
Documented at https://code.claude.com/docs/en/monitoring-usage, and docs/config.md of
openai/codex.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from lectr_lab.log.importers.cached_input import with_cached
from lectr_lab.log.importers.fields import Choices, Imported, Item, Left, fitted, number

OTHER = "log records of something else than a model's call"


class Record(NamedTuple):
    """One log record: when, what it is called, and what it and its resource say."""

    at: Any
    name: str
    attributes: Mapping[str, Any]


def items_of(record: Record, choices: Choices) -> Iterator[Item]:
    """The call that a record tells of, if it does."""
    read = _READERS.get(record.name)
    facts = read(record.attributes) if read else None
    if facts is None:
        yield Left(OTHER)
        return
    ended = fitted("started_at", record.at)
    took = number(record.attributes.get("duration_ms"))
    began = ended - timedelta(milliseconds=took) if ended and took else ended
    told = {**facts, "started_at": began, "total_ms": took}
    yield Imported(_id(record, choices), told)


def _id(record: Record, choices: Choices) -> str:
    request = record.attributes.get("request_id")
    if isinstance(request, str) and request:
        return request
    # Such a record has a session and a place in it, or a time to the nanosecond.
    return choices.hashed(f"{record.at} {sorted(record.attributes.items())}")


def _claude_code(said: Mapping[str, Any]) -> dict[str, Any]:
    failed = "error" in said or "status_code" in said
    facts = {
        "operation": "messages",
        "path": "/v1/messages",
        "provider": "anthropic",
        "model_requested": said.get("model"),
        "model_actual": None if failed else said.get("model"),
        "input_tokens": said.get("input_tokens"),
        "output_tokens": said.get("output_tokens"),
        "cache_read_tokens": said.get("cache_read_tokens"),
        "cache_write_tokens": said.get("cache_creation_tokens"),
        "service_tier": "fast" if said.get("speed") == "fast" else None,
        "provider_request_id": said.get("request_id"),
        "client": "claude-code",
        "client_version": said.get("app.version") or said.get("service.version"),
        "session": said.get("session.id"),
        "user": said.get("user.account_uuid") or said.get("user.id"),
        "status": said.get("status_code") if failed else 200,
        "outcome": "provider_error" if failed else "ok",
    }
    return with_cached(facts, "apart")


def _codex(said: Mapping[str, Any]) -> dict[str, Any] | None:
    if said.get("event.kind") != "response.completed":
        return None
    return {
        "operation": "responses",
        "path": "/v1/responses",
        "provider": "openai",
        "model_requested": said.get("model"),
        "model_actual": said.get("model"),
        "input_tokens": said.get("input_token_count"),
        "output_tokens": said.get("output_token_count"),
        "cache_read_tokens": said.get("cached_token_count"),
        "reasoning_tokens": said.get("reasoning_token_count"),
        "client": "codex",
        "client_version": said.get("app.version"),
        "session": said.get("conversation.id"),
        "user": said.get("user.account_id"),
        "status": 200,
        "outcome": "ok",
    }


_READERS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any] | None]] = (
    MappingProxyType(
        {
            "claude_code.api_request": _claude_code,
            "claude_code.api_error": _claude_code,
            "codex.sse_event": _codex,
        }
    )
)
