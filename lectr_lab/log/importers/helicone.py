"""Helicone's requests, as its export tool and its API give them: CSV, JSON or JSON lines.

Counts, costs, times and names come along; bodies, properties other than `feature` and
`session`, prompts and countries do not.

Facts, from its documentation and the sums in its own code: prompt tokens, cache reads and
cache writes stand beside each other, and so do text and audio. delay_ms is in
milliseconds.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lectr_lab.core.event_values import GATEWAY_CACHE
from lectr_lab.log.importers.cached_input import with_cached
from lectr_lab.log.importers.fields import Choices, Imported, Item, Left, Rows, fitted
from lectr_lab.log.importers.provider_names import model_and_provider
from lectr_lab.log.importers.records import RowIds, as_object, known_records, within

_COLUMNS = (
    "request_id response_id request_created_at created_at response_created_at "
    "response_status status request_model model_override response_model model provider "
    "delay_ms latency latency_ms time_to_first_token total_tokens prompt_tokens "
    "completion_tokens prompt_cache_read_tokens prompt_cache_write_tokens "
    "prompt_audio_tokens completion_audio_tokens reasoning_tokens cost cost_usd costusd "
    "request_user_id user_id request_properties properties request_path cache_enabled "
    "cache_reference_id session_id"
).split()
_FEATURES = ("feature", "Feature", "app", "App", "Helicone-Property-Feature")
_SESSIONS = ("Helicone-Session-Id", "session", "session_id")
_AUDIO = {
    "input_tokens": "input_audio_tokens",
    "output_tokens": "output_audio_tokens",
}
_NO_CACHE = frozenset({"", "00000000-0000-0000-0000-000000000000"})

NO_ROW = "what is no request: no row with its time and a model"


def helicone_rows(source: Path, choices: Choices) -> Rows:
    """The requests of an export, one a call.

    Raises:
        LogError: the file is of no form that can be read.
        OSError: it cannot be read.
    """
    total, records = known_records(source, _COLUMNS)
    return Rows(total, _items(records, choices))


def _items(records: Iterator[Any], choices: Choices) -> Iterator[Item]:
    ids = RowIds(choices.hashed)
    for row in records:
        at = row and (row.get("request_created_at") or row.get("created_at"))
        if not at or not _is_request(row):
            yield Left(NO_ROW)
            continue
        facts = _facts(row, at)
        if choices.cached != "included":
            facts = _with_audio(with_cached(facts, "apart"))
        yield Imported(ids.of(row.get("request_id"), row), facts)


def _with_audio(facts: Mapping[str, Any]) -> dict[str, Any]:
    whole = dict(facts)
    for name, part in _AUDIO.items():
        if n := fitted(part, facts[part]):
            whole[name] = (fitted(name, facts[name]) or 0) + n
    return whole


def _is_request(row: Mapping[str, Any]) -> bool:
    return any(name in row for name in ("request_model", "model", "response_model"))


def _facts(row: Mapping[str, Any], at: Any) -> dict[str, Any]:
    properties = as_object(_either(row, "request_properties", "properties"))
    asked = _either(row, "request_model", "model")
    model, provider = model_and_provider(asked, row.get("provider"))
    answered, _ = model_and_provider(
        _either(row, "response_model", "model_override", "model"), row.get("provider")
    )
    cached = str(row.get("cache_reference_id") or "") not in _NO_CACHE
    return {
        "started_at": at,
        "feature": _property(properties, _FEATURES),
        "session": row.get("session_id") or _property(properties, _SESSIONS),
        "user": _either(row, "request_user_id", "user_id"),
        "provider": provider,
        "model_requested": model,
        "model_actual": answered,
        "operation": _operation(str(row.get("request_path") or "")),
        "status": _either(row, "response_status", "status"),
        "total_ms": _either(row, "delay_ms", "latency_ms", "latency"),
        "ttft_ms": row.get("time_to_first_token"),
        "input_tokens": row.get("prompt_tokens"),
        "output_tokens": row.get("completion_tokens"),
        "cache_read_tokens": row.get("prompt_cache_read_tokens"),
        "cache_write_tokens": row.get("prompt_cache_write_tokens"),
        "input_audio_tokens": row.get("prompt_audio_tokens") or None,
        "output_audio_tokens": row.get("completion_audio_tokens") or None,
        "reasoning_tokens": row.get("reasoning_tokens"),
        "cost_stated_usd": _either(row, "cost_usd", "costusd", "cost"),
        "service_tier": GATEWAY_CACHE if cached else None,
    }


def _operation(path: str) -> str | None:
    ends = {
        "chat/completions": "chat",
        "messages": "messages",
        "responses": "responses",
        "embeddings": "embeddings",
        "images/generations": "images",
        "images/edits": "images",
        "audio/speech": "audio",
        "audio/transcriptions": "audio",
        "completions": "completions",
    }
    bare = path.partition("?")[0].rstrip("/")
    return next((name for end, name in ends.items() if bare.endswith(f"/{end}")), None)


def _property(properties: Any, names: tuple[str, ...]) -> Any:
    found = (within(properties, name) for name in names)
    return next((value for value in found if isinstance(value, str) and value), None)


def _either(row: Mapping[str, Any], *names: str) -> Any:
    return next((row[n] for n in names if row.get(n) not in (None, "")), None)
