"""What is done to an event at once, as nearly every one needs none of it."""

from collections.abc import Callable
from operator import attrgetter

import msgspec

from lectr_lab.core.event import Event
from lectr_lab.core.event_values import MOST_BYTES, cut
from lectr_lab.core.llm_api.reply import ReplyFacts
from lectr_lab.core.llm_api.request import RequestFacts
from lectr_lab.core.routing.paths import ApiPath

# Columns in a client's words or a provider's; of those out of bodies the length is cut.
_CUT = (
    "model_requested",
    "model_sent",
    "model_actual",
    "error_type",
    "provider_response_id",
)
_WORDS = (
    "feature",
    "task",
    "provider_header",
    "finish_reason",
    "provider_request_id",
    "service_tier_requested",
    "service_tier",
    "reasoning_effort",
    "inference_geo",
    *_CUT,
)
_words = attrgetter(*_WORDS)

# Columns that few replies tell: an event takes its time for each that it is told.
_SELDOM = (
    "cache_write_1h_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
    "cache_read_audio_tokens",
    "input_image_tokens",
    "output_image_tokens",
    "web_searches",
    "inference_geo",
    "cost_stated_usd",
    "image_count",
    "audio_seconds",
    "rerank_searches",
    "other_tool_calls",
)
_seldom = attrgetter(*_SELDOM)
_NONE = (None,) * len(_SELDOM)


def with_seldom(event: Event, reply: ReplyFacts) -> Event:
    """The event with what few replies tell."""
    told = _seldom(reply)
    if told == _NONE:
        return event
    return msgspec.structs.replace(event, **dict(zip(_SELDOM, told, strict=True)))


def hidden(event: Event, hide: Callable[[str | None], str | None]) -> Event:
    """The event without a key in any word of others, and without words too long.

    Args:
        event: as a request's and a reply's facts have it.
        hide: gives a text itself, or a mark where a key is in it.
    """
    words = _words(event)
    together = "\n".join(filter(None, words))
    if len(together) * 4 <= MOST_BYTES and hide(together) is together:
        return event
    safe = dict(zip(_WORDS, map(hide, words), strict=True))
    safe |= {name: cut(safe[name]) for name in _CUT}
    return msgspec.structs.replace(event, **safe)


def with_path(request: RequestFacts, path: ApiPath) -> RequestFacts:
    """Gemini's own API names the model in the path, and says there that it streams."""
    if path.model is None:
        return request
    streams = path.verb == b"streamGenerateContent"
    return msgspec.structs.replace(request, model=path.model, stream=streams)


def ms_between(since_s: float | None, until_s: float | None) -> float | None:
    """Milliseconds at microsecond resolution; None where either end did not happen."""
    if since_s is None or until_s is None:
        return None
    return round((until_s - since_s) * 1000, 3)


def short_name(value: bytes) -> str | None:
    """A provider's id of a call; None for what is none."""
    text = value.decode("latin-1")
    return (
        text if 0 < len(text) <= 128 and text.isascii() and text.isprintable() else None
    )
