"""Langfuse's observations: of its blob storage, its API or its UI; CSV, JSON or Parquet.

Generations and embeddings come along, with counts, costs and names; input, output,
metadata, status_message and prompts do not.

Facts, from its documentation:

- usage_details are counts by free names; those that begin with `input` or say a cache are
  parts of the input that stand beside each other, and `total` is their sum with the
  output. Where `total` is input and output alone, the others are parts of these.
- its costs are worked out from its own price list, unless they were ingested.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lectr_lab.log.importers.fields import (
    Choices,
    Imported,
    Item,
    Left,
    Rows,
    fitted,
    number,
)
from lectr_lab.log.importers.provider_names import model_and_provider
from lectr_lab.log.importers.records import RowIds, as_object, known_records, within

_COLUMNS = (
    "id trace_id type start_time end_time completion_start_time model "
    "provided_model_name usage usage_details cost_details total_cost "
    "calculated_total_cost latency time_to_first_token level user_id session_id "
    "trace_name name prompt_tokens completion_tokens total_tokens input_tokens "
    "output_tokens observations"
).split()
_OPERATIONS = {"generation": "chat", "embedding": "embeddings"}
# Free names in wide use, and what they count; all are apart from `input` and `output`.
_COUNTS = {
    "input_cached_tokens": "cache_read_tokens",
    "input_cached": "cache_read_tokens",
    "input_cache_read": "cache_read_tokens",
    "input_cache_read_tokens": "cache_read_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cached_tokens": "cache_read_tokens",
    "input_cache_creation": "cache_write_tokens",
    "input_cache_creation_tokens": "cache_write_tokens",
    "input_cache_write": "cache_write_tokens",
    "cache_creation_input_tokens": "cache_write_tokens",
    "input_cache_creation_5m": "cache_write_tokens",
    "input_cache_creation_1h": "cache_write_1h_tokens",
    "ephemeral_1h_input_tokens": "cache_write_1h_tokens",
    "input_audio": "input_audio_tokens",
    "input_audio_tokens": "input_audio_tokens",
    "input_image": "input_image_tokens",
    "input_image_tokens": "input_image_tokens",
    "output_reasoning": "reasoning_tokens",
    "output_reasoning_tokens": "reasoning_tokens",
    "reasoning_tokens": "reasoning_tokens",
    "output_audio": "output_audio_tokens",
    "output_audio_tokens": "output_audio_tokens",
    "output_image_tokens": "output_image_tokens",
    "web_search_requests": "web_searches",
}
_OF_OUTPUT = ("reasoning_tokens", "output_audio_tokens", "output_image_tokens")
_OF_INPUT = (
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "input_audio_tokens",
    "input_image_tokens",
)
_WHOLE = {
    "input_tokens": ("input", "input_tokens", "prompt_tokens", "promptTokens"),
    "output_tokens": (
        "output",
        "output_tokens",
        "completion_tokens",
        "completionTokens",
    ),
}

NOT_A_CALL = "observations of something else than a model's call"
NO_ROW = "what is no observation: no object with a start"


def langfuse_rows(source: Path, choices: Choices) -> Rows:
    """The generations among an export's observations.

    Raises:
        LogError: the file is of no form that can be read.
        OSError: it cannot be read.
    """
    total, records = known_records(source, _COLUMNS)
    return Rows(total, _items(records, choices))


def _items(records: Iterator[Any], choices: Choices) -> Iterator[Item]:
    ids = RowIds(choices.hashed)
    for record in records:
        inner = within(record, "observations")
        rows = inner if isinstance(inner, list) else [record]  # a trace, with its own
        for row in rows:
            if row is not record:
                row = _snake(row)
            if not isinstance(row, dict) or "start_time" not in row:
                yield Left(NO_ROW)
                continue
            kind = str(row.get("type") or "generation").lower()
            if kind not in _OPERATIONS:
                yield Left(NOT_A_CALL)
                continue
            facts = _facts(row, choices) | {"operation": _OPERATIONS[kind]}
            yield Imported(ids.of(row.get("id"), row), facts)


def _snake(row: Any) -> Any:
    """An observation within a trace, with the names that the rest has."""
    if not isinstance(row, dict):
        return None
    plain = {name.replace("_", ""): name for name in _COLUMNS}
    found = ((plain.get(k.lower().replace("_", "")), v) for k, v in row.items())
    return {name: value for name, value in found if name is not None}


def _facts(row: Mapping[str, Any], choices: Choices) -> dict[str, Any]:
    started, ended, first = (
        fitted("started_at", row.get(name))
        for name in ("start_time", "end_time", "completion_start_time")
    )
    costs = as_object(row.get("cost_details"))
    model, provider = model_and_provider(
        row.get("provided_model_name") or row.get("model"), None
    )
    failed = str(row.get("level")).upper() == "ERROR"
    took, until_first = (
        number(row.get("latency")),
        number(row.get("time_to_first_token")),
    )
    return {
        "started_at": started or row.get("start_time"),
        "feature": row.get("trace_name") or row.get("name"),
        "session": row.get("session_id"),
        "user": row.get("user_id"),
        "trace_id": row.get("trace_id"),
        "provider": provider,
        "model_requested": model,
        "outcome": "provider_error" if failed else "ok",
        "total_ms": _ms(started, ended) or (took and took * 1000),
        "ttft_ms": _ms(started, first) or (until_first and until_first * 1000),
        "cost_stated_usd": _first(
            row.get("total_cost"),
            within(costs, "total"),
            row.get("calculated_total_cost"),
        ),
        **_counts(row, choices),
    }


def _counts(row: Mapping[str, Any], choices: Choices) -> dict[str, Any]:
    given = as_object(row.get("usage_details")) or as_object(row.get("usage")) or {}
    usage: dict[str, Any] = given if isinstance(given, dict) else {}
    flat = {n: row.get(n) for names in _WHOLE.values() for n in names if n in row}
    parts: dict[str, int] = {}
    for name, column in _COUNTS.items():
        if (n := fitted("input_tokens", usage.get(name))) is not None:
            parts[column] = max(parts.get(column, 0), n)
    told: dict[str, Any] = dict(parts)
    for column, names in _WHOLE.items():
        told[column] = _first(
            *(usage.get(n) for n in names), *(flat.get(n) for n in names)
        )
    if choices.cached == "included" or not parts:
        return told
    told |= _wholes(told, parts, usage.get("total", row.get("total_tokens")))
    hour = parts.get("cache_write_1h_tokens")
    if hour is not None:  # apart from those of five minutes, of which ours are a part
        told["cache_write_tokens"] = parts.get("cache_write_tokens", 0) + hour
    return told


def _wholes(
    told: Mapping[str, Any], parts: Mapping[str, int], total: Any
) -> dict[str, int]:
    """Input and output with what stands beside them; as they are where they hold it."""
    sent, got = (
        fitted(name, told.get(name)) for name in ("input_tokens", "output_tokens")
    )
    if fitted("input_tokens", total) == (sent or 0) + (got or 0):
        return {}
    of_input = sum(parts.get(name, 0) for name in _OF_INPUT)
    of_output = sum(parts.get(name, 0) for name in _OF_OUTPUT)
    whole = {"input_tokens": (sent or 0) + of_input} if of_input else {}
    return whole | ({"output_tokens": (got or 0) + of_output} if of_output else {})


def _first(*said: Any) -> Any:
    return next((value for value in said if value is not None and value != ""), None)


def _ms(since: Any, until: Any) -> float | None:
    if since is None or until is None or until < since:
        return None
    return round((until - since).total_seconds() * 1000, 3)
