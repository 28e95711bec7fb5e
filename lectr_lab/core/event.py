"""The event: one finished request as it goes on record, and the log's whole schema.

One field is one Parquet column, and this module is the only place that names it,
with its unit, its meaning and its OpenTelemetry name (GenAI semantic conventions,
as of October 2026; `lectr.*` where they have none). What nobody said is None, never
0. There is no field that could hold a prompt, an answer or a key.
"""

from datetime import datetime
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

SCHEMA_VERSION = 1
"""Goes up when a column is added, dropped or changes its meaning."""

UNTAGGED = "untagged"
"""What a feature of None is called: in rules, settings, and wherever it is shown."""

Kind = Literal["request", "shadow"]
Operation = Literal[
    "chat", "completions", "embeddings", "responses", "messages", "other"
]
ProviderSource = Literal["header", "path", "model", "key_prefix", "default"]
Outcome = Literal[
    "ok",
    "provider_error",
    "refused",
    "client_disconnect",
    "upstream_disconnect",
    "timeout",
    "unreachable",
    "error_in_stream",
]
ErrorSource = Literal["proxy", "provider", "client"]
TokenSource = Literal["provider", "tokenizer", "absent"]
ResponseFormat = Literal["text", "json_object", "json_schema"]


class Column(NamedTuple):
    """What a reader must know of a column beyond its name and type."""

    unit: str
    meaning: str
    otel: str


def _col(meaning: str, otel: str, unit: str = "") -> Column:
    return Column(unit, meaning, otel)


def _tokens(meaning: str, otel: str) -> Column:
    return Column("tokens", meaning, otel)


class Event(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One finished request: counts and names, never content."""

    # when, who
    event_id: Annotated[
        bytes, _col("UUIDv7 made by the proxy, 16 bytes", "lectr.event.id")
    ]
    started_at: Annotated[
        datetime, _col("when the request reached the proxy", "lectr.start_time", "UTC")
    ]
    org: Annotated[str, _col("whose key it was", "lectr.org")]
    feature: Annotated[
        str | None, _col("X-Lectr-Feature, or the key's default", "lectr.feature")
    ] = None
    feature_valid: Annotated[
        bool | None, _col("the feature has 1 to 100 characters", "lectr.feature.valid")
    ] = None
    task: Annotated[
        str | None, _col("X-Lectr-Task, lower case where it is known", "lectr.task")
    ] = None
    kind: Annotated[
        Kind, _col("a client's request, or a shadow of one", "lectr.kind")
    ] = "request"
    shadow_of: Annotated[
        bytes | None, _col("event_id of the request shadowed", "lectr.shadow_of")
    ] = None

    # what
    path: Annotated[
        str,
        _col("request path; segments that are not part of the API are *", "url.path"),
    ]
    operation: Annotated[
        Operation, _col("what kind of call it was", "gen_ai.operation.name")
    ]
    provider: Annotated[str | None, _col("who was asked", "gen_ai.provider.name")] = (
        None
    )
    provider_source: Annotated[
        ProviderSource | None, _col("what named the provider", "lectr.provider.source")
    ] = None
    provider_unknown: Annotated[
        bool | None,
        _col(
            "nothing named the provider: a default was taken", "lectr.provider.unknown"
        ),
    ] = None
    provider_header: Annotated[
        str | None,
        _col("X-Lectr-Provider as sent, where invalid", "lectr.provider.header"),
    ] = None
    model_requested: Annotated[
        str | None, _col("the model the client named", "gen_ai.request.model")
    ] = None
    model_sent: Annotated[
        str | None, _col("the model asked for, after rules", "lectr.request.model_sent")
    ] = None
    model_actual: Annotated[
        str | None, _col("the model the reply names", "gen_ai.response.model")
    ] = None
    rule: Annotated[str | None, _col("the rule applied", "lectr.rule")] = None
    rule_skipped: Annotated[
        str | None, _col("why a matching rule was not applied", "lectr.rule.skipped")
    ] = None

    # how it went
    stream: Annotated[
        bool | None, _col("a stream was asked for", "gen_ai.request.stream")
    ] = None
    include_usage: Annotated[
        bool | None,
        _col(
            "stream_options.include_usage was asked for", "lectr.request.include_usage"
        ),
    ] = None
    status: Annotated[
        int | None,
        _col("HTTP status the client saw", "http.response.status_code"),
    ] = None
    outcome: Annotated[Outcome, _col("how the request ended", "lectr.outcome")]
    error_type: Annotated[
        str | None, _col("class of the error, a short name", "error.type")
    ] = None
    error_source: Annotated[
        ErrorSource | None, _col("whose error it was", "lectr.error.source")
    ] = None
    finish_reason: Annotated[
        str | None, _col("the first choice's", "gen_ai.response.finish_reasons")
    ] = None
    choice_count: Annotated[
        int | None,
        _col("choices in the reply", "gen_ai.request.choice.count", "choices"),
    ] = None
    retry_count: Annotated[
        int | None,
        _col(
            "the SDK's x-stainless-retry-count", "http.request.resend_count", "retries"
        ),
    ] = None
    provider_request_id: Annotated[
        str | None,
        _col(
            "the provider's own id for the call; compaction keeps it only of calls "
            "that did not end well, unless it is told to keep all",
            "lectr.provider.request_id",
        ),
    ] = None

    # how long
    total_ms: Annotated[
        float, _col("request seen to last byte sent on", "lectr.duration", "ms")
    ]
    ttfb_ms: Annotated[
        float | None,
        _col("asking the provider to its first byte", "lectr.time_to_first_byte", "ms"),
    ] = None
    ttft_ms: Annotated[
        float | None,
        _col(
            "asking the provider to a stream's first content",
            "gen_ai.response.time_to_first_chunk",
            "ms",
        ),
    ] = None
    overhead_ms: Annotated[
        float | None,
        _col(
            "time in the proxy itself: request complete to provider asked, and "
            "provider's first byte to it being passed on",
            "lectr.overhead",
            "ms",
        ),
    ] = None

    # how much
    input_tokens: Annotated[
        int | None, _tokens("all input, cached included", "gen_ai.usage.input_tokens")
    ] = None
    output_tokens: Annotated[
        int | None,
        _tokens("all output, reasoning included", "gen_ai.usage.output_tokens"),
    ] = None
    cache_read_tokens: Annotated[
        int | None,
        _tokens("input read from a cache", "gen_ai.usage.cache_read.input_tokens"),
    ] = None
    cache_write_tokens: Annotated[
        int | None,
        _tokens("input written to a cache", "gen_ai.usage.cache_write.input_tokens"),
    ] = None
    cache_write_1h_tokens: Annotated[
        int | None,
        _tokens(
            "the part of cache_write_tokens kept for an hour",
            "lectr.usage.cache_write_1h.input_tokens",
        ),
    ] = None
    reasoning_tokens: Annotated[
        int | None,
        _tokens("output spent on reasoning", "gen_ai.usage.reasoning.output_tokens"),
    ] = None
    input_audio_tokens: Annotated[
        int | None, _tokens("input that was audio", "gen_ai.usage.audio.input_tokens")
    ] = None
    output_audio_tokens: Annotated[
        int | None, _tokens("output that was audio", "gen_ai.usage.audio.output_tokens")
    ] = None
    cache_read_audio_tokens: Annotated[
        int | None,
        _tokens(
            "cached input that was audio",
            "gen_ai.usage.audio.cache_read.input_tokens",
        ),
    ] = None
    input_image_tokens: Annotated[
        int | None, _tokens("input that was images", "gen_ai.usage.image.input_tokens")
    ] = None
    output_image_tokens: Annotated[
        int | None,
        _tokens("output that was images", "gen_ai.usage.image.output_tokens"),
    ] = None
    web_searches: Annotated[
        int | None,
        _col("searches the provider ran", "lectr.usage.web_searches", "searches"),
    ] = None
    token_source: Annotated[
        TokenSource, _col("who counted the tokens", "lectr.usage.source")
    ] = "absent"
    output_chars: Annotated[
        int | None, _col("length of the answer", "lectr.response.chars", "characters")
    ] = None
    service_tier_requested: Annotated[
        str | None,
        _col("service tier asked for", "openai.request.service_tier"),
    ] = None
    service_tier: Annotated[
        str | None, _col("service tier given", "openai.response.service_tier")
    ] = None
    request_bytes: Annotated[
        int | None, _col("body as received", "http.request.body.size", "bytes")
    ] = None
    response_bytes: Annotated[
        int | None,
        _col(
            "body as passed on, compressed or not", "http.response.body.size", "bytes"
        ),
    ] = None

    # shape signals
    message_count: Annotated[
        int | None, _col("messages in the prompt", "lectr.request.messages", "messages")
    ] = None
    prompt_chars: Annotated[
        int | None, _col("length of the prompt", "lectr.request.chars", "characters")
    ] = None
    system_chars: Annotated[
        int | None,
        _col(
            "the part of it in system messages",
            "lectr.request.system_chars",
            "characters",
        ),
    ] = None
    max_output_tokens: Annotated[
        int | None, _tokens("the limit the client set", "gen_ai.request.max_tokens")
    ] = None
    temperature: Annotated[
        float | None, _col("as sent", "gen_ai.request.temperature")
    ] = None
    reasoning_effort: Annotated[
        str | None, _col("as sent", "gen_ai.request.reasoning.level")
    ] = None
    has_tools: Annotated[
        bool | None, _col("tools were offered", "lectr.request.has_tools")
    ] = None
    has_images: Annotated[
        bool | None, _col("the prompt has images", "lectr.request.has_images")
    ] = None
    has_audio: Annotated[
        bool | None, _col("the prompt has audio", "lectr.request.has_audio")
    ] = None
    response_format: Annotated[
        ResponseFormat | None, _col("form asked of the answer", "gen_ai.output.type")
    ] = None
    schema_depth: Annotated[
        int | None,
        _col(
            "nesting of the JSON schema asked for",
            "lectr.request.schema_depth",
            "levels",
        ),
    ] = None

    # evidence
    agreement: Annotated[
        float | None,
        _col("a shadow's agreement with the reply, 0 to 1", "lectr.agreement"),
    ] = None

    # at the end, where journals written before it end too
    provider_requested: Annotated[
        str | None,
        _col(
            "who the request was for, where a rule asked another provider",
            "lectr.request.provider",
        ),
    ] = None


Null = Literal["never", "imported", "any"]
"""Which rows may have null: none, only those imported from elsewhere, or any."""

# An import has these of every call; of the others it has what its source says.
_ALSO_IMPORTED = frozenset({"event_id", "started_at", "org", "kind", "token_source"})


class ColumnSpec(NamedTuple):
    """One column of the log, ready for a schema, a docs table or file metadata."""

    name: str
    python_type: type
    null: Null
    unit: str
    meaning: str
    otel: str


def columns() -> tuple[ColumnSpec, ...]:
    """Every column of the log, in the order of the schema.

    >>> [c.name for c in columns()][:3]
    ['event_id', 'started_at', 'org']
    """
    hints = get_type_hints(Event, include_extras=True)
    return tuple(_spec(name, hints[name]) for name in Event.__struct_fields__)


def _spec(name: str, hint: Any) -> ColumnSpec:
    annotated, column = get_args(hint)
    members = (
        get_args(annotated)
        if get_origin(annotated) in (Union, UnionType)
        else (annotated,)
    )
    [member] = [m for m in members if m is not NoneType]
    python_type = str if get_origin(member) is Literal else member
    here: Null = "never" if name in _ALSO_IMPORTED else "imported"
    null: Null = "any" if NoneType in members else here
    return ColumnSpec(name, python_type, null, *column)
