"""The most tokens that a request can use, known before it is sent.

Input: its body's bytes at the highest ratio seen of its model and a quarter more, one
token a byte until enough was seen; never more than the model takes. What a body does not hold, such as the
picture behind an address, is in that ratio as well. Output: `max_output_tokens`, else
what the catalogue says that the model can write at most; where neither is known, what
99 of 100 answers of the model stayed below, which is no bound, and said to be none.
"""

import math
from collections import deque
from typing import NamedTuple

from lectr_lab.core.event import Event
from lectr_lab.core.model_catalog import known_model

ENOUGH = 100
"""Requests of a model, until which a byte may be a token."""

UNKNOWN_OUTPUT_TOKENS = 8_192
"""Of a model of which nothing is known and nothing was seen."""

_TOOLS_TOKENS = 1_000  # that a provider adds to explain them to its model
_UNWRITTEN_TOKENS = 20_000  # pictures and sounds, of which the first has come
_MOST_MODELS = 1_024
_ANSWERS = 1_000
_RANKED_EVERY = 20
_ROOM = 1.25
# What writes no text; of all else a model writes.
_SILENT = frozenset({"embeddings", "moderations", "rerank", "count_tokens"})


class Asked(NamedTuple):
    """What is known of a request before it is sent."""

    provider: str | None
    model: str | None
    operation: str
    body_bytes: int | None = None  # None: it is compressed
    max_output_tokens: int | None = None
    answers: int = 1  # that it asks for at once
    has_tools: bool | None = False
    has_media: bool | None = False


class Bound(NamedTuple):
    """Tokens, at most; `certain` where that is more than what usually suffices."""

    input_tokens: int
    output_tokens: int
    certain: bool


class _Ratio:
    """The highest of many, of how many, and what is therefore reckoned with."""

    __slots__ = ("highest", "rate", "seen")

    def __init__(self) -> None:
        self.highest, self.rate, self.seen = 0.0, 1.0, 0

    def note(self, tokens: int, of: int) -> None:
        self.seen += 1
        ratio = tokens / of
        if ratio > self.highest or self.seen == ENOUGH:
            self.highest = max(self.highest, ratio)
            if self.seen >= ENOUGH:
                self.rate = self.highest * _ROOM


class Model:
    """What was seen of one model.

    `answers_as` is what it called itself, when it was last asked by this name.
    """

    __slots__ = (
        "answers",
        "answers_as",
        "media",
        "takes",
        "text",
        "usual",
        "writes",
        "written",
    )

    def __init__(self, provider: str | None, model: str) -> None:
        known = known_model(provider or "", model)
        self.takes = known.context_tokens if known else None
        self.writes = known.max_output_tokens if known else None
        self.text, self.media = _Ratio(), _Ratio()  # alone, and with pictures or sound
        self.written = _Ratio()  # tokens of a character of an answer
        self.answers: deque[int] = deque(maxlen=_ANSWERS)
        self.usual = UNKNOWN_OUTPUT_TOKENS
        self.answers_as: str | None = None

    def bound(
        self,
        operation: str,
        body_bytes: int | None,
        max_output_tokens: int | None,
        answers: int,
        has_tools: object,
        has_media: object,
    ) -> tuple[int, int, bool]:
        """The fields of a `Bound`, from those of an `Asked`."""
        takes, writes = self.takes, self.writes
        if body_bytes is None or (has_media and self.media.seen < ENOUGH):
            sent = takes or (body_bytes or 0) + _UNWRITTEN_TOKENS
        else:
            ratio = self.media if has_media else self.text
            sent = math.ceil(body_bytes * ratio.rate)
            if has_tools:
                sent += _TOOLS_TOKENS
            if takes is not None and takes < sent:
                sent = takes
        if operation in _SILENT:
            return sent, 0, True
        if max_output_tokens is None:
            if writes is None:
                return sent, self.usual * answers, False
            return sent, writes * answers, True
        if writes is not None and writes < max_output_tokens:
            return sent, writes * answers, True
        return sent, max_output_tokens * answers, True


class Bounds:
    """What this process has seen of its models."""

    def __init__(self) -> None:
        self._models: dict[tuple[str | None, str], Model] = {}

    def of(self, asked: Asked) -> Bound:
        """The most tokens of a request.

        >>> asked = Asked("openai", "gpt-4o-mini", "chat", 400, max_output_tokens=50)
        >>> Bounds().of(asked)
        Bound(input_tokens=400, output_tokens=50, certain=True)
        >>> Bounds().of(asked._replace(max_output_tokens=None)).output_tokens
        16384
        """
        provider, model, operation, size, most, answers, tools, media = asked
        found = self.model(provider, model or "")
        return Bound(*found.bound(operation, size, most, answers, tools, media))

    def written_tokens(self, asked: Asked, chars: int) -> int:
        """The most that a part of an answer had in tokens, by its characters."""
        written = self.model(asked.provider, asked.model or "").written
        return math.ceil(chars * written.rate)

    def learn(self, event: Event) -> None:
        """A request is over, with what its provider counted."""
        sent = event.model_sent
        if event.token_source != "provider" or sent is None:
            return
        seen = self._models.get((event.provider, sent))
        if seen is None:
            seen = self.model(event.provider, sent)
        actual = event.model_actual
        if actual and actual != sent:
            seen.answers_as = actual
        read, size, written = (
            event.input_tokens,
            event.request_bytes,
            event.output_tokens,
        )
        if read is not None and size:
            media = event.has_images or event.has_audio
            (seen.media if media else seen.text).note(read, size)
        if written is None or event.outcome != "ok":
            return
        chars = event.output_chars
        if chars and not event.reasoning_tokens and not event.has_tools:
            seen.written.note(written, chars)
        if seen.writes is None:
            seen.answers.append(written)
            if len(seen.answers) % _RANKED_EVERY == 0:
                seen.usual = _most_of(seen.answers)

    def model(self, provider: str | None, model: str) -> Model:
        """What was seen of it; of one that is new, what the catalogue says."""
        seen = self._models.get((provider, model))
        if seen is None:
            if len(self._models) >= _MOST_MODELS:
                self._models.clear()
            seen = self._models[provider, model] = Model(provider, model)
        return seen


def _most_of(answers: deque[int]) -> int:
    """The 99th percentile."""
    ranked = sorted(answers)
    return ranked[min(len(ranked) - 1, math.ceil(len(ranked) * 0.99) - 1)]
