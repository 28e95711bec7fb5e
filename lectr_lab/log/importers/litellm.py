"""LiteLLM's spend logs, as its database or UI exports them: JSON, JSON lines or CSV.

The columns are those of `LiteLLM_SpendLogs` (schema.prisma of BerriAI/litellm). Not
taken: api_key, user, end_user, team_id, messages, response, proxy_server_request,
requester_ip_address, api_base, cache_key, spend (prices are looked up by our own list)
and all of metadata but counts, an HTTP status and an error's class.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import polars as pl

from lectr_lab.core.errors import LogError
from lectr_lab.core.llm_api.lenient_json import loads, salvaged
from lectr_lab.log.importers.fields import Imported, Rows, fitted
from lectr_lab.log.importers.source import opened

# As LiteLLM's CallTypes name them; code that is async puts an `a` before.
_BY_CALL = {
    "completion": ("chat", "/v1/chat/completions"),
    "text_completion": ("completions", "/v1/completions"),
    "embedding": ("embeddings", "/v1/embeddings"),
    "responses": ("responses", "/v1/responses"),
    "image_generation": ("images", "/v1/images/generations"),
    "image_edit": ("images", "/v1/images/edits"),
    "transcription": ("audio", "/v1/audio/transcriptions"),
    "speech": ("audio", "/v1/audio/speech"),
    "moderation": ("moderations", "/v1/moderations"),
    "rerank": ("rerank", "/v1/rerank"),
}
_OPERATIONS = MappingProxyType(
    {
        "anthropic_messages": ("messages", "/v1/messages"),
        **_BY_CALL,
        **{f"a{name}": found for name, found in _BY_CALL.items()},
    }
)
_USER_AGENT = "User-Agent:"  # tags that LiteLLM adds by itself


class _Details(msgspec.Struct):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class _Error(msgspec.Struct):
    error_code: str | int | None = None
    error_class: str | None = None


class _Metadata(msgspec.Struct):
    status: str | None = None
    usage_object: _Usage | None = None
    error_information: _Error | None = None


class _Row(msgspec.Struct):
    request_id: str | None = None
    call_type: str | None = None
    startTime: str | float | None = None
    endTime: str | float | None = None
    completionStartTime: str | float | None = None
    model: str | None = None
    model_group: str | None = None
    custom_llm_provider: str | None = None
    prompt_tokens: str | float | None = None
    completion_tokens: str | float | None = None
    status: str | None = None
    request_tags: str | list[str] | None = None
    metadata: str | _Metadata | None = None


def litellm_rows(source: Path) -> Rows:
    """The rows of an export, one a call.

    Raises:
        LogError: the file is neither JSON nor CSV with LiteLLM's columns.
        OSError: it cannot be read.
    """
    values = _values(source)
    return Rows(len(values), _imported(values))


def _imported(values: Sequence[Any]) -> Iterator[Imported]:
    for number, value in enumerate(values):
        row = salvaged(_Row, value)
        if row is not None:
            yield Imported(row.request_id or f"row {number}", _facts(row))


def _values(source: Path) -> Sequence[Any]:
    if source.suffix.lower() == ".csv":
        return _csv(source)
    with opened(source) as file:
        data = file.read()
    if not data.strip():
        raise LogError(f"{source} is empty.")
    whole = loads(data)
    if isinstance(whole, dict):
        whole = whole.get("data", [whole])
    if whole is None:
        whole = [loads(line) for line in data.splitlines() if line.strip()]
    rows = whole if isinstance(whole, list) else []
    if not any(isinstance(row, dict) and "startTime" in row for row in rows):
        raise LogError(
            f"{source} holds no LiteLLM spend logs: no JSON objects with a startTime."
        )
    return rows


def _csv(source: Path) -> Sequence[dict[str, Any]]:
    """Only the columns of `_Row` are ever read."""
    names = [field.name for field in msgspec.structs.fields(_Row)]
    try:
        with opened(source) as file:
            log = pl.read_csv(file, infer_schema=False, n_rows=0)
            known = [name for name in names if name in log.columns]
            if "startTime" not in known:
                raise LogError(
                    f"{source} has no column startTime: no LiteLLM spend log."
                )
            file.seek(0)
            return pl.read_csv(file, columns=known, infer_schema=False).to_dicts()
    except pl.exceptions.NoDataError:
        raise LogError(f"{source} is empty.") from None
    except pl.exceptions.PolarsError:
        raise LogError(f"{source} cannot be read as CSV.") from None


def _facts(row: _Row) -> Mapping[str, Any]:
    started, ended = (fitted("started_at", t) for t in (row.startTime, row.endTime))
    first = fitted("started_at", row.completionStartTime)
    metadata = _metadata(row.metadata)
    error = metadata.error_information or _Error()
    failed = "failure" in (row.status, metadata.status) or error.error_class is not None
    operation, path = _OPERATIONS.get(row.call_type or "", ("other", None))
    streamed = bool(started and first and ended and started < first < ended)
    return {
        "started_at": started,
        "feature": _feature(row.request_tags),
        "path": path,
        "operation": operation,
        "provider": row.custom_llm_provider,
        "model_requested": row.model_group or row.model,
        "model_sent": row.model,
        "model_actual": None if failed else row.model,
        "stream": True if streamed else None,
        "status": error.error_code,
        "outcome": "provider_error" if failed else "ok",
        "error_type": error.error_class,
        "total_ms": _ms(started, ended),
        "ttft_ms": _ms(started, first) if streamed else None,
        **_counts(row, metadata.usage_object or _Usage(), failed),
    }


def _counts(row: _Row, usage: _Usage, failed: bool) -> dict[str, Any]:
    if failed:  # LiteLLM writes 0 for what it does not know
        return {}
    read = (usage.prompt_tokens_details or _Details()).cached_tokens
    cached = usage.cache_read_input_tokens if read is None else read
    reasoning = (usage.completion_tokens_details or _Details()).reasoning_tokens
    return {
        "input_tokens": row.prompt_tokens,
        "output_tokens": row.completion_tokens,
        "cache_read_tokens": cached,
        "cache_write_tokens": usage.cache_creation_input_tokens,
        "reasoning_tokens": reasoning,
    }


def _metadata(value: str | _Metadata | None) -> _Metadata:
    if isinstance(value, str):
        value = salvaged(_Metadata, loads(value.encode("utf-8", "replace")))
    return value or _Metadata()


def _feature(tags: str | list[str] | None) -> str | None:
    """The first tag that a person gave."""
    if isinstance(tags, str):
        tags = loads(tags.encode("utf-8", "replace"))
    given = tags if isinstance(tags, list) else []
    names = (t for t in given if isinstance(t, str) and not t.startswith(_USER_AGENT))
    return next(names, None)


def _ms(since: Any, until: Any) -> float | None:
    if since is None or until is None or until < since:
        return None
    return round((until - since).total_seconds() * 1000, 3)
