"""OpenRouter's activity: the CSV of its activity page, call by call, or of its API.

Facts, from a file's header and from its documentation: tokens_prompt holds the cached
part, tokens_completion the reasoning; cost_total is what was charged, in USD. Where it
has tokens of the model's own tokenizer (`native_…`), these are what is billed.
Not taken: api_key_name, upstream ids, origins.
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
from lectr_lab.log.importers.records import RowIds, known_records, within

_COLUMNS = (
    "generation_id id created_at model_permaslug model provider_name app_name "
    "tokens_prompt tokens_completion tokens_reasoning tokens_cached "
    "native_tokens_prompt native_tokens_completion native_tokens_reasoning "
    "native_tokens_cached native_tokens_completion_images cost_total total_cost usage "
    "cost_web_search num_search_results generation_time_ms generation_time latency "
    "time_to_first_token_ms finish_reason_normalized finish_reason streamed cancelled "
    "user external_user session_id service_tier requests prompt_tokens date data"
).split()

NO_ROW = "what is no call: no row with created_at and a model"
SUMS = (
    "sums of several calls, by day: `lectr-lab reconcile` compares them with the log. "
    "The activity page's own export has them call by call"
)


def openrouter_rows(source: Path, choices: Choices) -> Rows:
    """The generations of an export, one a call.

    Raises:
        LogError: the file is of no form that can be read.
        OSError: it cannot be read.
    """
    total, records = known_records(source, _COLUMNS)
    return Rows(total, _items(records, choices))


def _items(records: Iterator[Any], choices: Choices) -> Iterator[Item]:
    ids = RowIds(choices.hashed)
    for row in records:
        inner = within(row, "data")  # one generation of the API
        row = inner if isinstance(inner, dict) else row
        if row and "requests" in row and "created_at" not in row:
            yield Left(SUMS)
        elif not row or not row.get("created_at") or not _model(row):
            yield Left(NO_ROW)
        else:
            yield Imported(ids.of(_id(row), row), _facts(row))


def _id(row: Mapping[str, Any]) -> Any:
    return row.get("generation_id") or row.get("id")


def _model(row: Mapping[str, Any]) -> Any:
    return row.get("model_permaslug") or row.get("model")


def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
    left = str(row.get("cancelled")).lower() == "true"
    searched = (number(row.get("cost_web_search")) or 0) > 0
    return {
        "started_at": row.get("created_at"),
        "feature": row.get("app_name"),
        "session": row.get("session_id"),
        "user": row.get("user") or row.get("external_user"),
        "provider": "openrouter",
        "operation": None,
        "provider_response_id": _id(row),
        "model_requested": _model(row),
        "model_actual": _model(row),
        "stream": row.get("streamed"),
        "outcome": "client_disconnect" if left else "ok",
        "finish_reason": row.get("finish_reason_normalized")
        or row.get("finish_reason"),
        "total_ms": _first(row, "generation_time_ms", "generation_time"),
        "ttft_ms": _first(row, "time_to_first_token_ms", "latency"),
        "input_tokens": _native(row, "tokens_prompt"),
        "output_tokens": _native(row, "tokens_completion"),
        "cache_read_tokens": _native(row, "tokens_cached"),
        "reasoning_tokens": _native(row, "tokens_reasoning"),
        "output_image_tokens": row.get("native_tokens_completion_images") or None,
        "web_searches": 1 if searched else None,
        "service_tier": row.get("service_tier"),
        "cost_stated_usd": _first(row, "cost_total", "total_cost", "usage"),
    }


def _native(row: Mapping[str, Any], name: str) -> Any:
    own = row.get(f"native_{name}")
    return own if fitted("input_tokens", own) else row.get(name)


def _first(row: Mapping[str, Any], *names: str) -> Any:
    return next((row[n] for n in names if row.get(n) not in (None, "")), None)
