"""OpenAI's usage and costs: the pages of its API, and the files of its dashboard.

`input_tokens` are all input where the parts are named (`input_text_tokens` and its kin);
in exports from before those columns they may be the text alone.
"""

from collections.abc import Callable, Mapping

from lectr_lab.analysis.reconcile.exports.shape import (
    Charged,
    Dimensions,
    Row,
    Said,
    Shape,
    Used,
    count,
    day_of,
    dollars,
    in_dollars,
    is_true,
    model_name,
    some,
    word,
)
from lectr_lab.core.pricing.tiers import STANDARD_TIERS

_DASHBOARD = (
    "the dashboard's file: seen in github.com/xavierjflanagan/Guardian @69d31e9c (export "
    "of 2025-10-12); the API's page: its reference, as of 2026-11"
)
_REFERENCE = "built from the API's reference, as of 2026-11"
_AMOUNTS = ("amount", "amount_value")
_CHATS = ("chat", "completions", "responses", "compact")
_AUDIO_APART = (
    "Its input_tokens may leave audio out, which stands apart; it is taken to be in it."
)
_TOTALS = (
    "It has one amount a day, not one a model: it is set beside the sum of the day. By "
    "line item it says more (in the API: group_by=line_item)."
)


def _completions(rows: list[Row]) -> Said:
    apart = any(count(r, "input_audio_tokens") and not _has_parts(r) for r in rows)
    return Said(tuple(map(_completion, rows)), notes=(_AUDIO_APART,) if apart else ())


def _completion(row: Row) -> Used:
    whole = count(row, "input_tokens")
    parts = sum(
        count(row, f"input_{kind}_tokens") for kind in ("text", "audio", "image")
    )
    output = sum(
        count(row, f"output_{kind}_tokens") for kind in ("text", "audio", "image")
    )
    audio = count(row, "input_audio_tokens")
    beside = audio if not _has_parts(row) and audio > whole else 0
    counts = {
        "input_tokens": max(whole + beside, parts if _has_parts(row) else 0),
        "cache_read_tokens": count(row, "input_cached_tokens"),
        "cache_write_tokens": count(row, "input_cache_write_tokens"),
        "cache_read_audio_tokens": count(row, "input_cached_audio_tokens"),
        "input_audio_tokens": audio,
        "input_image_tokens": count(row, "input_image_tokens"),
        "output_tokens": max(count(row, "output_tokens"), output),
        "output_audio_tokens": count(row, "output_audio_tokens"),
        "output_image_tokens": count(row, "output_image_tokens"),
    }
    return _used(row, some(counts.items()))


def _has_parts(row: Row) -> bool:
    return row.get("input_text_tokens") not in (None, "")


def _used(row: Row, counts: dict[str, int]) -> Used:
    return Used(
        day_of(row["start_time"]),
        model_name(row["model"]),
        count(row, "num_model_requests") if "num_model_requests" in row else None,
        counts,
        _dimensions(row),
    )


def _dimensions(row: Row) -> Dimensions:
    """A batch is one whatever its tier; what is grouped by neither says nothing."""
    batch, tier = word(row, "batch"), word(row, "service_tier")
    if is_true(batch):
        return Dimensions("batch")
    if tier is None:
        return Dimensions("standard" if batch is not None else None)
    return Dimensions("standard" if tier in STANDARD_TIERS else tier)


def _counted(column: str, theirs: str) -> Callable[[list[Row]], Said]:
    """A reader of what is counted in one column, beside its requests."""
    return lambda rows: Said(
        tuple(_used(row, some([(column, count(row, theirs))])) for row in rows)
    )


def _costs(rows: list[Row]) -> Said:
    found = [_charged(row) for row in rows]
    totals = any(one.model is None for one in found)
    return Said(charged=tuple(found), notes=(_TOTALS,) if totals else ())


def _charged(row: Row) -> Charged:
    amount = row.get("amount")
    inner = amount if isinstance(amount, Mapping) else row
    key = "value" if isinstance(amount, Mapping) else "amount_value"
    in_dollars(inner, "currency", "amount_currency")
    # A line item is "gpt-4o-2024-08-06, input", or "web search tool calls | gpt-4o".
    item = str(row.get("line_item") or "").partition(",")[0].strip()
    return Charged(day_of(row["start_time"]), item or None, dollars(inner, key))


def _object(name: str) -> Callable[[frozenset[str], Row], bool]:
    """What names itself so, or where no row does, has a column of it alone."""
    column = _COLUMNS.get(name)

    def fits(keys: frozenset[str], first: Row) -> bool:
        named = first.get("object")
        if isinstance(named, str):
            return named == f"organization.usage.{name}.result"
        return column is not None and {column, "start_time"} <= keys

    return fits


_COLUMNS = {"images": "images", "audio_speeches": "characters"}
_COLUMNS |= {"audio_transcriptions": "seconds"}


def _is_completions(keys: frozenset[str], first: Row) -> bool:
    named = _object("completions")(keys, first)
    said = isinstance(first.get("object"), str)
    return named or (
        not said and {"input_tokens", "output_tokens", "start_time"} <= keys
    )


def _is_input_alone(keys: frozenset[str], first: Row) -> bool:
    said = isinstance(first.get("object"), str)
    has = {"input_tokens", "num_model_requests", "start_time"} <= keys
    return not said and has and "output_tokens" not in keys


def _is_moderation(keys: frozenset[str], first: Row) -> bool:
    named = _object("moderations")(keys, first)
    model = str(first.get("model"))
    return named or (_is_input_alone(keys, first) and "moderation" in model)


def _is_embeddings(keys: frozenset[str], first: Row) -> bool:
    return _object("embeddings")(keys, first) or _is_input_alone(keys, first)


_INPUT = _counted("input_tokens", "input_tokens")

SHAPES = (
    Shape(
        "OpenAI's usage of completions (chat and responses)",
        "openai",
        _DASHBOARD,
        _is_completions,
        _completions,
        _CHATS,
    ),
    Shape(
        "OpenAI's usage of moderations",
        "openai",
        _REFERENCE,
        _is_moderation,
        _INPUT,
        ("moderations",),
    ),
    Shape(
        "OpenAI's usage of embeddings",
        "openai",
        _REFERENCE,
        _is_embeddings,
        _INPUT,
        ("embeddings",),
    ),
    Shape(
        "OpenAI's usage of images",
        "openai",
        _REFERENCE,
        _object("images"),
        _counted("image_count", "images"),
        ("images",),
    ),
    Shape(
        "OpenAI's usage of speech",
        "openai",
        _REFERENCE,
        _object("audio_speeches"),
        _counted("input_characters", "characters"),
        ("audio",),
    ),
    Shape(
        "OpenAI's usage of transcriptions",
        "openai",
        _REFERENCE,
        _object("audio_transcriptions"),
        _counted("audio_seconds", "seconds"),
        ("audio",),
    ),
    Shape(
        "OpenAI's costs",
        "openai",
        _DASHBOARD,
        lambda keys, first: (
            first.get("object") == "organization.costs.result"
            or ({"line_item", "start_time"} <= keys and not keys.isdisjoint(_AMOUNTS))
        ),
        _costs,
    ),
)
"""Of its pages and files, those that are known."""
