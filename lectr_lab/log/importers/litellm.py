"""LiteLLM's spend logs, as its database or UI exports them: JSON, JSON lines, CSV, Parquet.

The columns are those of `LiteLLM_SpendLogs` (schema.prisma of BerriAI/litellm). Of
metadata come along counts, the tier, an HTTP status and an error's class. Not taken:
api_key, user, team_id, messages, response, proxy_server_request, requester_ip_address,
api_base, cache_key. `spend` is what LiteLLM says that a call cost.

Facts, from its code (1.109) and its issues:

- prompt_tokens hold the cached part; of Anthropic's they did not in older rows.
- counts of the details stand in metadata.usage_object, in older rows in
  metadata.additional_usage_values.
- 0 is also what it writes where it does not know: of media, and of failures.
- model has the provider's prefix, as custom_llm_provider says it.
- a retrieved batch is one row with the tokens of all its calls.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lectr_lab.core.event_values import GATEWAY_CACHE
from lectr_lab.core.llm_api.usage import usage_columns
from lectr_lab.log.importers.cached_input import TOLD_APART, convention, with_cached
from lectr_lab.log.importers.fields import (
    Choices,
    Imported,
    Item,
    Left,
    Rows,
    Said,
    fitted,
    number,
)
from lectr_lab.log.importers.provider_names import model_and_provider
from lectr_lab.log.importers.records import RowIds, as_object, known_records, within

_COLUMNS = (
    "request_id call_type startTime endTime completionStartTime model model_group "
    "custom_llm_provider prompt_tokens completion_tokens total_tokens spend status "
    "request_tags metadata cache_hit end_user session_id"
).split()
# As LiteLLM's CallTypes name them; code that is async puts an `a` before.
_OPERATIONS: Mapping[str, tuple[str, str | None]] = MappingProxyType(
    {
        "completion": ("chat", "/v1/chat/completions"),
        "text_completion": ("completions", "/v1/completions"),
        "embedding": ("embeddings", "/v1/embeddings"),
        "responses": ("responses", "/v1/responses"),
        "compact_responses": ("compact", "/v1/responses/compact"),
        "nthropic_messages": ("messages", "/v1/messages"),  # its `a` is its own
        "generate_content": ("generate_content", None),
        "generate_content_stream": ("generate_content", None),
        "image_generation": ("images", "/v1/images/generations"),
        "image_edit": ("images", "/v1/images/edits"),
        "image_variation": ("images", "/v1/images/variations"),
        "transcription": ("audio", "/v1/audio/transcriptions"),
        "speech": ("audio", "/v1/audio/speech"),
        "moderation": ("moderations", "/v1/moderations"),
        "rerank": ("rerank", "/v1/rerank"),
        "create_batch": ("batches", "/v1/batches"),
        "create_file": ("files", "/v1/files"),
        "file_content": ("files", "/v1/files/*/content"),
        "file_list": ("files", "/v1/files"),
        "file_retrieve": ("files", "/v1/files/*"),
        "file_delete": ("files", "/v1/files/*"),
    }
)
_BATCH = frozenset({"retrieve_batch", "aretrieve_batch"})
_MOST_IN_A_BATCH = 128_000
"""Up to here a price list has no price for long prompts, which none of a batch may be."""
_CARRIED = frozenset(
    "cached_tokens cache_creation_tokens cache_write_tokens audio_tokens image_tokens "
    "reasoning_tokens text_tokens character_count web_search_requests image_count "
    "accepted_prediction_tokens rejected_prediction_tokens".split()
)
"""Parts that have a column, or are priced as what they are a part of."""
_USER_AGENT = "User-Agent:"  # tags that LiteLLM adds by itself

NO_ROW = "what is no row of a spend log"
NO_METADATA = (
    "rows whose metadata cannot be read: their cached and other parts are missing"
)
LARGE_BATCH = (
    "batches with the tokens of many calls, too many to price as one; they are "
    "imported without them. The batch's output file tells them call by call"
)
NOT_CARRIED = "rows with {}, for which the log has no column: priced as text, if at all"
TOOL_FEE = "rows with a fee for tools whose calls no count tells"


def litellm_rows(source: Path, choices: Choices) -> Rows:
    """The rows of an export, one a call.

    Raises:
        LogError: the file is of no form that can be read.
        OSError: it cannot be read.
    """
    total, records = known_records(source, _COLUMNS)
    return Rows(total, _items(records, choices))


def _items(
    records: Iterator[dict[str, Any] | None], choices: Choices
) -> Iterator[Item]:
    ids = RowIds(choices.hashed)
    for row in records:
        if row is None or "startTime" not in row:
            yield Left(NO_ROW)
            continue
        metadata = as_object(row.get("metadata"))
        if metadata is None and row.get("metadata"):
            yield Said(NO_METADATA)
        facts = _facts(row, metadata if isinstance(metadata, dict) else {})
        told = convention(facts)
        if choices.cached is None and told == "apart":
            yield Said(TOLD_APART)
        if facts.pop("large_batch"):
            yield Said(LARGE_BATCH)
        if facts.pop("tool_fee"):
            yield Said(TOOL_FEE)
        yield from (Said(NOT_CARRIED.format(name)) for name in facts.pop("not_carried"))
        facts = with_cached(facts, choices.cached or told)
        yield Imported(ids.of(row.get("request_id"), row), facts)


def _facts(row: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    started, ended, first = (
        fitted("started_at", row.get(name))
        for name in ("startTime", "endTime", "completionStartTime")
    )
    error = within(metadata, "error_information") or {}
    failed = (
        "failure" in (row.get("status"), metadata.get("status"))
        or within(error, "error_class") is not None
    )
    model, provider = model_and_provider(
        row.get("model"), row.get("custom_llm_provider")
    )
    streamed = bool(started and first and ended and started < first < ended)
    return {
        "started_at": started or row.get("startTime"),
        "feature": _feature(row.get("request_tags")),
        "session": row.get("session_id"),
        "user": row.get("end_user"),
        "provider": provider,
        "provider_response_id": row.get("request_id"),
        "model_requested": row.get("model_group") or model,
        "model_sent": model,
        "model_actual": None if failed else model,
        "stream": True if streamed else None,
        "status": within(error, "error_code"),
        "outcome": "provider_error" if failed else "ok",
        "error_type": within(error, "error_class"),
        "total_ms": _ms(started, ended),
        "ttft_ms": _ms(started, first) if streamed else None,
        "cost_stated_usd": row.get("spend"),
        **_counts(row, metadata),
    }


def _counts(row: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    call = str(row.get("call_type") or "")
    named = _OPERATIONS.get(call) or _OPERATIONS.get(call.removeprefix("a"))
    operation, path = named or (None, None)
    usage = _usage(metadata)
    details = within(usage, "prompt_tokens_details") or {}
    breakdown = within(metadata, "cost_breakdown") or {}
    told: dict[str, Any] = dict(usage_columns(usage))
    told |= {
        "input_tokens": _said(row.get("prompt_tokens"), told.get("input_tokens")),
        "output_tokens": _said(row.get("completion_tokens"), told.get("output_tokens")),
        "cache_read_tokens": _most(
            told.get("cache_read_tokens"), usage.get("cache_read_input_tokens")
        ),
        "cache_write_tokens": _most(
            told.get("cache_write_tokens"),
            usage.get("cache_creation_input_tokens"),
            within(details, "cache_creation_tokens"),
        ),
        "cache_write_1h_tokens": _most(
            told.get("cache_write_1h_tokens"),
            within(details, "cache_creation_token_details.ephemeral_1h_input_tokens"),
        ),
        "web_searches": _most(
            told.get("web_searches"),
            within(details, "web_search_requests"),
            usage.get("num_search_queries"),
        ),
        "audio_seconds": usage.get("seconds"),  # of a transcription
        "input_characters": within(details, "character_count"),  # of speech
        "service_tier": _tier(usage, breakdown),
        "inference_geo": usage.get("inference_geo"),
        "operation": operation,
        "path": path,
        "not_carried": _not_carried(usage),
        "large_batch": False,
        "tool_fee": False,
    }
    if (number(within(breakdown, "tool_usage_cost")) or 0) > 0:
        told["tool_fee"] = not told["web_searches"]
        if told["tool_fee"]:
            told["other_tool_calls"] = 1  # at least
    if call in _BATCH:
        _as_batch(told)
    if str(row.get("cache_hit")).lower() == "true":
        told["service_tier"] = GATEWAY_CACHE
    return told


def _not_carried(usage: Mapping[str, Any]) -> list[str]:
    """Counts of parts that the log has no column for."""
    return [
        name
        for part in ("prompt_tokens_details", "completion_tokens_details")
        for name, value in (within(usage, part) or {}).items()
        if name not in _CARRIED and fitted("input_tokens", value)
    ]


def _as_batch(told: dict[str, Any]) -> None:
    """A row of many calls: at the price of batches, if the sum can have one."""
    told["service_tier"] = "batch"
    tokens = fitted("input_tokens", told["input_tokens"]) or 0
    if not tokens and not fitted("output_tokens", told["output_tokens"]):
        told["operation"] = "batches"
    if tokens > _MOST_IN_A_BATCH:
        told |= {name: None for name in told if name.endswith("_tokens")}
        told["large_batch"] = True


def _usage(metadata: Mapping[str, Any]) -> dict[str, Any]:
    older = as_object(metadata.get("additional_usage_values"))
    newer = as_object(metadata.get("usage_object"))
    merged = dict(older) if isinstance(older, dict) else {}
    if isinstance(newer, dict):
        merged |= {name: value for name, value in newer.items() if value is not None}
    return merged


def _tier(usage: Mapping[str, Any], breakdown: Any) -> Any:
    if usage.get("speed") == "fast":
        return "fast"
    return usage.get("service_tier") or within(breakdown, "service_tier")


def _said(by_row: Any, by_usage: int | None) -> Any:
    """The row's count; a 0 there is none where the usage block has one."""
    return by_usage if by_usage and not fitted("input_tokens", by_row) else by_row


def _most(*said: Any) -> int | None:
    """Of counts of one thing the largest: a 0 beside another is one not said."""
    found = [n for n in (fitted("input_tokens", one) for one in said) if n is not None]
    return max(found, default=None)


def _feature(tags: Any) -> str | None:
    """The first tag that a person gave."""
    tags = as_object(tags)
    given = tags if isinstance(tags, list) else []
    names = (t for t in given if isinstance(t, str) and not t.startswith(_USER_AGENT))
    return next(names, None)


def _ms(since: Any, until: Any) -> float | None:
    if since is None or until is None or until < since:
        return None
    return round((until - since).total_seconds() * 1000, 3)
