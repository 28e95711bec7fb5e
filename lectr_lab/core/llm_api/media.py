"""Replies about images, sound and ranking, which are billed by other things than tokens.

Facts, from OpenAI's and Cohere's references (read 2026-11-30; few are in the recordings):
an image call lists its images, its stream tells each by an event that ends in
`.completed`; a transcription's usage counts tokens or `seconds`, and a verbose one of
Whisper's says its `duration`, as a number or a text; a ranking bills `search_units`.
"""

from typing import Any

import msgspec

from lectr_lab.core.llm_api.dialect import Answer, Dialect
from lectr_lab.core.llm_api.request_body import Anything

_MOST_SECONDS = 10**7


class ImagesReply(msgspec.Struct):
    """`/v1/images/…`, whole or one event of a stream; the images are skipped."""

    type: str | None = None
    model: str | None = None
    data: list[Anything] | None = None
    usage: Any = None
    error: Any = None


class AudioReply(msgspec.Struct):
    """`/v1/audio/…`, whole or one event of a stream."""

    type: str | None = None
    model: str | None = None
    text: str | None = None
    delta: str | None = None
    duration: Any = None
    usage: Any = None
    error: Any = None


class Units(msgspec.Struct):
    """What Cohere bills."""

    search_units: Any = None


class Meta(msgspec.Struct):
    """What Cohere says of a call."""

    billed_units: Units | None = None


class RerankReply(msgspec.Struct):
    """`/v1/rerank`."""

    id: Any = None
    model: str | None = None
    meta: Meta | None = None
    usage: Any = None
    error: Any = None


def take_images(answer: Answer, reply: ImagesReply) -> None:
    """Take in a reply or an event."""
    ended = (reply.type or "").endswith(".completed")
    if reply.data is not None or ended:
        answer.images = (answer.images or 0) + (len(reply.data or ()) or ended)
    answer.complete = answer.complete or ended
    _take_common(answer, reply)


def take_audio(answer: Answer, reply: AudioReply) -> None:
    """Take in a reply or an event."""
    kind = reply.type or ""
    if kind.endswith(".done"):  # it repeats the text
        answer.complete = True
    elif reply.delta is not None or (reply.text is not None and not kind):
        answer.write(reply.delta or reply.text)
    usage = reply.usage if isinstance(reply.usage, dict) else {}
    seconds = _seconds(usage.get("seconds"))
    if seconds is not None:
        answer.seconds = seconds
    elif reply.duration is not None and "input_tokens" not in usage:
        # Where tokens are counted, sound is not billed by its length.
        answer.seconds = _seconds(reply.duration)
    _take_common(answer, reply)


def take_rerank(answer: Answer, reply: RerankReply) -> None:
    """Take in a reply."""
    answer.response_id = reply.id
    units = reply.meta.billed_units if reply.meta else None
    answer.units = units.search_units if units else None
    _take_common(answer, reply)


def _take_common(answer: Answer, reply: ImagesReply | AudioReply | RerankReply) -> None:
    answer.model = reply.model or answer.model
    answer.use(reply.usage)
    if reply.error:
        answer.fail(reply.error)


def _seconds(value: Any) -> float | None:
    try:
        seconds = float(value) if type(value) in (int, float, str) else -1.0
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds < _MOST_SECONDS else None


IMAGES = Dialect(msgspec.json.Decoder(ImagesReply), take_images)
AUDIO = Dialect(msgspec.json.Decoder(AudioReply), take_audio)
RERANK = Dialect(msgspec.json.Decoder(RerankReply), take_rerank)
