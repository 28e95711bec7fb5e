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
    has_tools: bool = False
    has_media: bool = False


class Bound(NamedTuple):
    """Tokens, at most; `certain` where that is more than what usually suffices."""

    input_tokens: int
    output_tokens: int
    certain: bool


class _Model:
    """What was seen of one model."""

    def __init__(self, provider: str | None, model: str) -> None:
        known = known_model(provider or "", model)
        self.takes = known.context_tokens if known else None
        self.writes = known.max_output_tokens if known else None
        self.ratio = [_Ratio(), _Ratio()]  # of text alone, and with pictures or sound
        self.written = _Ratio()  # tokens of a character of an answer
        self.answers: deque[int] = deque(maxlen=_ANSWERS)
        self.usual = UNKNOWN_OUTPUT_TOKENS


class _Ratio:
    """The highest of many, and of how many."""

    def __init__(self) -> None:
        self.highest, self.seen = 0.0, 0

    def note(self, tokens: int, of: int) -> None:
        self.seen += 1
        self.highest = max(self.highest, tokens / of)

    def of(self, size: int) -> int:
        return math.ceil(size * (self.highest * _ROOM if self.seen >= ENOUGH else 1.0))


class Bounds:
    """What this process has seen of its models."""

    def __init__(self) -> None:
        self._models: dict[tuple[str | None, str], _Model] = {}
        self._answers_as: dict[tuple[str | None, str], str] = {}

    def of(self, asked: Asked) -> Bound:
        """The most tokens of a request.

        >>> asked = Asked("openai", "gpt-4o-mini", "chat", 400, max_output_tokens=50)
        >>> Bounds().of(asked)
        Bound(input_tokens=400, output_tokens=50, certain=True)
        >>> Bounds().of(asked._replace(max_output_tokens=None)).output_tokens
        16384
        """
        provider, model, operation, _, wanted, answers, _, _ = asked
        seen = self._models.get((provider, model or ""))
        if seen is None:
            seen = self._model(provider, model or "")
        sent = self._input(seen, asked)
        if operation in _SILENT:
            return Bound(sent, 0, True)
        most = seen.writes
        if wanted is None and most is None:
            return Bound(sent, seen.usual * answers, False)
        if wanted is None or (most is not None and most < wanted):
            wanted = most
        return Bound(sent, (wanted or 0) * answers, True)

    def written_tokens(self, asked: Asked, chars: int) -> int:
        """The most that a part of an answer had in tokens, by its characters."""
        return self._model(asked.provider, asked.model or "").written.of(chars)

    def answers_as(self, provider: str | None, model: str | None) -> str | None:
        """What a model called itself, when it was last asked by this name."""
        return self._answers_as.get((provider, model or ""))

    def learn(self, event: Event) -> None:
        """A request is over, with what its provider counted."""
        sent, named = event.model_sent, event.provider
        if event.token_source != "provider" or sent is None:
            return
        if event.model_actual and event.model_actual != sent:
            if len(self._answers_as) >= _MOST_MODELS:
                self._answers_as.clear()
            self._answers_as[named, sent] = event.model_actual
        seen = self._model(named, sent)
        if event.input_tokens is not None and event.request_bytes:
            media = bool(event.has_images or event.has_audio)
            seen.ratio[media].note(event.input_tokens, event.request_bytes)
        written = event.output_tokens
        if written is None or event.outcome != "ok":
            return
        if event.output_chars and not event.reasoning_tokens and not event.has_tools:
            seen.written.note(written, event.output_chars)
        if seen.writes is None:
            seen.answers.append(written)
            if len(seen.answers) % _RANKED_EVERY == 0:
                seen.usual = _most_of(seen.answers)

    def _input(self, seen: _Model, asked: Asked) -> int:
        _, _, _, size, _, _, has_tools, has_media = asked
        ratio = seen.ratio[has_media]
        if size is None or (has_media and ratio.seen < ENOUGH):
            unwritten = seen.takes or (size or 0) + _UNWRITTEN_TOKENS
            return unwritten
        tokens = ratio.of(size) + _TOOLS_TOKENS * has_tools
        return tokens if seen.takes is None else min(tokens, seen.takes)

    def _model(self, provider: str | None, model: str) -> _Model:
        seen = self._models.get((provider, model))
        if seen is None:
            if len(self._models) >= _MOST_MODELS:
                self._models.clear()
            seen = self._models[provider, model] = _Model(provider, model)
        return seen


def _most_of(answers: deque[int]) -> int:
    """The 99th percentile."""
    ranked = sorted(answers)
    return ranked[min(len(ranked) - 1, math.ceil(len(ranked) * 0.99) - 1)]
