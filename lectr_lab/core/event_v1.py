"""The columns that an event had from the first: journals hold them in this order."""

from datetime import datetime
from typing import Annotated

import msgspec

from lectr_lab.core.column import column, tokens
from lectr_lab.core.event_values import (
    ErrorSource,
    Kind,
    Operation,
    Outcome,
    ProviderSource,
    ResponseFormat,
    TokenSource,
)


class EventV1(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Schema version 1. `core/event.py` has the rest."""

    # when, who
    event_id: Annotated[
        bytes, column("UUIDv7 made by the proxy, 16 bytes", "lectr.event.id")
    ]
    started_at: Annotated[
        datetime,
        column("when the request reached the proxy", "lectr.start_time", "UTC"),
    ]
    org: Annotated[str, column("whose key it was", "lectr.org")]
    feature: Annotated[
        str | None, column("X-Lectr-Feature, or the key's default", "lectr.feature")
    ] = None
    feature_valid: Annotated[
        bool | None,
        column("the feature has 1 to 100 characters", "lectr.feature.valid"),
    ] = None
    task: Annotated[
        str | None, column("X-Lectr-Task, lower case where it is known", "lectr.task")
    ] = None
    kind: Annotated[
        Kind, column("a client's request, or a shadow of one", "lectr.kind")
    ] = "request"
    shadow_of: Annotated[
        bytes | None, column("event_id of the request shadowed", "lectr.shadow_of")
    ] = None

    # what
    path: Annotated[
        str,
        column("request path; segments that are not part of the API are *", "url.path"),
    ]
    operation: Annotated[
        Operation, column("what kind of call it was", "gen_ai.operation.name")
    ]
    provider: Annotated[str | None, column("who was asked", "gen_ai.provider.name")] = (
        None
    )
    provider_source: Annotated[
        ProviderSource | None,
        column("what named the provider", "lectr.provider.source"),
    ] = None
    provider_unknown: Annotated[
        bool | None,
        column(
            "nothing named the provider: a default was taken", "lectr.provider.unknown"
        ),
    ] = None
    provider_header: Annotated[
        str | None,
        column("X-Lectr-Provider as sent, where invalid", "lectr.provider.header"),
    ] = None
    model_requested: Annotated[
        str | None, column("the model the client named", "gen_ai.request.model")
    ] = None
    model_sent: Annotated[
        str | None,
        column("the model asked for, after rules", "lectr.request.model_sent"),
    ] = None
    model_actual: Annotated[
        str | None, column("the model the reply names", "gen_ai.response.model")
    ] = None
    rule: Annotated[str | None, column("the rule applied", "lectr.rule")] = None
    rule_skipped: Annotated[
        str | None, column("why a matching rule was not applied", "lectr.rule.skipped")
    ] = None

    # how it went
    stream: Annotated[
        bool | None, column("a stream was asked for", "gen_ai.request.stream")
    ] = None
    include_usage: Annotated[
        bool | None,
        column(
            "stream_options.include_usage was asked for", "lectr.request.include_usage"
        ),
    ] = None
    status: Annotated[
        int | None,
        column("HTTP status the client saw", "http.response.status_code"),
    ] = None
    outcome: Annotated[Outcome, column("how the request ended", "lectr.outcome")]
    error_type: Annotated[
        str | None, column("class of the error, a short name", "error.type")
    ] = None
    error_source: Annotated[
        ErrorSource | None, column("whose error it was", "lectr.error.source")
    ] = None
    finish_reason: Annotated[
        str | None, column("the first choice's", "gen_ai.response.finish_reasons")
    ] = None
    choice_count: Annotated[
        int | None,
        column("choices in the reply", "gen_ai.request.choice.count", "choices"),
    ] = None
    retry_count: Annotated[
        int | None,
        column(
            "the SDK's x-stainless-retry-count", "http.request.resend_count", "retries"
        ),
    ] = None
    provider_request_id: Annotated[
        str | None,
        column(
            "the provider's own id for the call; compaction keeps it only of calls "
            "that did not end well, unless it is told to keep all",
            "lectr.provider.request_id",
        ),
    ] = None

    # how long
    total_ms: Annotated[
        float, column("request seen to last byte sent on", "lectr.duration", "ms")
    ]
    ttfb_ms: Annotated[
        float | None,
        column(
            "asking the provider to its first byte", "lectr.time_to_first_byte", "ms"
        ),
    ] = None
    ttft_ms: Annotated[
        float | None,
        column(
            "asking the provider to a stream's first content",
            "gen_ai.response.time_to_first_chunk",
            "ms",
        ),
    ] = None
    overhead_ms: Annotated[
        float | None,
        column(
            "time in the proxy itself: request complete to provider asked, and "
            "provider's first byte to it being passed on",
            "lectr.overhead",
            "ms",
        ),
    ] = None

    # how much
    input_tokens: Annotated[
        int | None, tokens("all input, cached included", "gen_ai.usage.input_tokens")
    ] = None
    output_tokens: Annotated[
        int | None,
        tokens("all output, reasoning included", "gen_ai.usage.output_tokens"),
    ] = None
    cache_read_tokens: Annotated[
        int | None,
        tokens("input read from a cache", "gen_ai.usage.cache_read.input_tokens"),
    ] = None
    cache_write_tokens: Annotated[
        int | None,
        tokens("input written to a cache", "gen_ai.usage.cache_write.input_tokens"),
    ] = None
    cache_write_1h_tokens: Annotated[
        int | None,
        tokens(
            "the part of cache_write_tokens kept for an hour",
            "lectr.usage.cache_write_1h.input_tokens",
        ),
    ] = None
    reasoning_tokens: Annotated[
        int | None,
        tokens("output spent on reasoning", "gen_ai.usage.reasoning.output_tokens"),
    ] = None
    input_audio_tokens: Annotated[
        int | None, tokens("input that was audio", "gen_ai.usage.audio.input_tokens")
    ] = None
    output_audio_tokens: Annotated[
        int | None, tokens("output that was audio", "gen_ai.usage.audio.output_tokens")
    ] = None
    cache_read_audio_tokens: Annotated[
        int | None,
        tokens(
            "cached input that was audio",
            "gen_ai.usage.audio.cache_read.input_tokens",
        ),
    ] = None
    input_image_tokens: Annotated[
        int | None, tokens("input that was images", "gen_ai.usage.image.input_tokens")
    ] = None
    output_image_tokens: Annotated[
        int | None,
        tokens("output that was images", "gen_ai.usage.image.output_tokens"),
    ] = None
    web_searches: Annotated[
        int | None,
        column("searches the provider ran", "lectr.usage.web_searches", "searches"),
    ] = None
    token_source: Annotated[
        TokenSource, column("who counted the tokens", "lectr.usage.source")
    ] = "absent"
    output_chars: Annotated[
        int | None, column("length of the answer", "lectr.response.chars", "characters")
    ] = None
    service_tier_requested: Annotated[
        str | None,
        column("service tier asked for", "openai.request.service_tier"),
    ] = None
    service_tier: Annotated[
        str | None, column("service tier given", "openai.response.service_tier")
    ] = None
    request_bytes: Annotated[
        int | None, column("body as received", "http.request.body.size", "bytes")
    ] = None
    response_bytes: Annotated[
        int | None,
        column(
            "body as passed on, compressed or not", "http.response.body.size", "bytes"
        ),
    ] = None

    # shape signals
    message_count: Annotated[
        int | None,
        column("messages in the prompt", "lectr.request.messages", "messages"),
    ] = None
    prompt_chars: Annotated[
        int | None, column("length of the prompt", "lectr.request.chars", "characters")
    ] = None
    system_chars: Annotated[
        int | None,
        column(
            "the part of it in system messages",
            "lectr.request.system_chars",
            "characters",
        ),
    ] = None
    max_output_tokens: Annotated[
        int | None, tokens("the limit the client set", "gen_ai.request.max_tokens")
    ] = None
    temperature: Annotated[
        float | None, column("as sent", "gen_ai.request.temperature")
    ] = None
    reasoning_effort: Annotated[
        str | None, column("as sent", "gen_ai.request.reasoning.level")
    ] = None
    has_tools: Annotated[
        bool | None, column("tools were offered", "lectr.request.has_tools")
    ] = None
    has_images: Annotated[
        bool | None, column("the prompt has images", "lectr.request.has_images")
    ] = None
    has_audio: Annotated[
        bool | None, column("the prompt has audio", "lectr.request.has_audio")
    ] = None
    response_format: Annotated[
        ResponseFormat | None, column("form asked of the answer", "gen_ai.output.type")
    ] = None
    schema_depth: Annotated[
        int | None,
        column(
            "nesting of the JSON schema asked for",
            "lectr.request.schema_depth",
            "levels",
        ),
    ] = None

    # evidence
    agreement: Annotated[
        float | None,
        column("a shadow's agreement with the reply, 0 to 1", "lectr.agreement"),
    ] = None

    # at the end, where journals written before it end too
    provider_requested: Annotated[
        str | None,
        column(
            "who the request was for, where a rule asked another provider",
            "lectr.request.provider",
        ),
    ] = None
