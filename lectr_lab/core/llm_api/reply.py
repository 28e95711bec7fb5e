"""A provider's reply as it goes by: bytes, cut anywhere, in; facts, at the end, out.

Facts, from the recordings (numbers as in their findings):

- 3: streams are compressed too, so a copy is decompressed as it goes.
- 12: an error may be labelled a stream and be JSON, and the other way round: the status
  says how to read a reply, its first byte what form it has.
- 11: an error inside a stream of status 200 is an error.
- 13: a stream may be empty.
"""

from typing import Any

import msgspec

from lectr_lab.core.event_values import TokenSource
from lectr_lab.core.llm_api.chat import CHAT
from lectr_lab.core.llm_api.content_encoding import BodyDecoder
from lectr_lab.core.llm_api.dialect import FAILURE, Answer, Dialect
from lectr_lab.core.llm_api.lenient_json import loads, name, read, salvaged
from lectr_lab.core.llm_api.messages import MESSAGES
from lectr_lab.core.llm_api.responses import RESPONSES
from lectr_lab.core.llm_api.sse import EventSplitter, ServerEvent
from lectr_lab.core.llm_api.usage import TokenCounts, usage_columns, usage_of_timings

MAX_BODY_BYTES = 8 * 1024 * 1024
"""A longer reply that is no stream is not parsed."""

_DIALECTS: dict[str, Dialect[Any]] = {
    "chat": CHAT,
    "completions": CHAT,
    "embeddings": CHAT,
    "responses": RESPONSES,
    "messages": MESSAGES,
}
_LEAD = b" \t\r\n\xef\xbb\xbf"  # what may stand before a body's first byte
_RAW = msgspec.json.Decoder(msgspec.Raw)


class ReplyFacts(TokenCounts, frozen=True, kw_only=True):
    """What a reply said, in the event's columns; None where it did not."""

    model_actual: str | None = None
    finish_reason: str | None = None
    choice_count: int | None = None
    error_type: str | None = None
    error_in_stream: bool = False  # an error where the status said that all was well
    token_source: TokenSource = "absent"
    output_chars: int | None = None
    service_tier: str | None = None


class ReplyReader:
    """Reads one reply, chunk by chunk, in bounded memory. Nothing here raises.

    Args:
        operation: as in the event.
        status: HTTP status of the reply.
        content_type: the header's value; only a hint.
        content_encoding: the header's value.
        answer: what the dialects write into; a `KeptAnswer` to have the texts.

    `fault` names the class of an exception that stopped the reading, should there be
    one: a bug here costs facts, never the reply.

    >>> reader = ReplyReader("chat", 200, "text/event-stream", "")
    >>> reader.feed(b'data: {"choices": [{"delta": {"content": "Hi"}}]}\\n\\n')
    >>> reader.content_started, reader.finish().output_chars
    (True, 2)
    """

    def __init__(
        self,
        operation: str,
        status: int,
        content_type: str,
        content_encoding: str,
        answer: Answer | None = None,
    ) -> None:
        self._failed = status >= 400
        self._dialect = FAILURE if self._failed else _DIALECTS.get(operation)
        self._labelled_stream = "event-stream" in content_type.lower()
        self._decoder = BodyDecoder(content_encoding)
        self._answer = answer or Answer()
        self._events: EventSplitter | None = None
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._take = self._begin if self._dialect else _ignore
        self.fault: str | None = None

    def feed(self, chunk: bytes) -> None:
        """The next bytes of the body, as the provider sent them."""
        try:
            self._take(self._decoder.feed(chunk))
        except Exception as error:  # noqa: BLE001 - the reply goes on, whatever it is
            self._stop(error)

    @property
    def content_started(self) -> bool:
        """The first content of a stream was seen: text, reasoning or a tool call."""
        return self._answer.content_started

    @property
    def complete(self) -> bool:
        """The reply said that it was over, or is JSON that is."""
        return self._answer.complete or (bool(self._body) and self._body_is_whole())

    def finish(self) -> ReplyFacts:
        """Everything the reply said, once its last byte was fed."""
        try:
            if self._events is not None:
                self._take_events(self._events.flush())
            if self._body:
                self._read(b"".join(self._body))
                self._body.clear()
        except Exception as error:  # noqa: BLE001
            self._stop(error)
        self._take = _ignore
        return self._facts()

    def _begin(self, data: bytes) -> None:
        """Tell JSON from a stream by the first byte: labels have been seen to lie."""
        data = data.lstrip(_LEAD)
        if not data:
            return
        if data[0] in b"{[":
            self._take = self._collect
        elif self._labelled_stream or data[0] in b"deir:":  # data, event, id, retry
            self._events = EventSplitter()
            self._take = self._split
        else:
            self._take = _ignore
        self._take(data)

    def _collect(self, data: bytes) -> None:
        self._body_bytes += len(data)
        self._body.append(data)
        if self._body_bytes > MAX_BODY_BYTES:
            self._body.clear()
            self._take = _ignore

    def _split(self, data: bytes) -> None:
        assert self._events is not None  # set where this method is chosen
        self._take_events(self._events.feed(data))

    def _take_events(self, events: list[ServerEvent]) -> None:
        for event_name, data in events:
            if data.startswith(b"[DONE]"):
                self._answer.complete = True
            else:
                self._read(data)
            if event_name == b"error" and not self._answer.failed:
                self._answer.fail(None)  # whatever its data look like

    def _read(self, data: bytes) -> None:
        if self._dialect is None:
            return
        decoder = self._dialect.decoder
        shape = read(decoder, data)
        if shape is not None:
            self._dialect.take(self._answer, shape)
        elif data.startswith(b"["):
            # Gemini's `[{"error": {…}}]`, and its chunks in one array.
            for each in loads(data) or ():
                if (shape := salvaged(decoder.type, each)) is not None:
                    self._dialect.take(self._answer, shape)

    def _body_is_whole(self) -> bool:
        try:
            _RAW.decode(b"".join(self._body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        return True

    def _stop(self, error: Exception) -> None:
        self.fault = type(error).__name__
        self._take = _ignore
        self._body.clear()

    def _facts(self) -> ReplyFacts:
        answer = self._answer
        if self._failed:
            return ReplyFacts(error_type=answer.error_type)
        usage = answer.usage or usage_of_timings(answer.timings)
        counts = usage_columns(usage)
        told = "input_tokens" in counts or "output_tokens" in counts
        if answer.searches:
            counts.setdefault("web_searches", answer.searches)
        reasons = answer.finish
        return ReplyFacts(
            model_actual=_model(answer.model),
            finish_reason=name(reasons[min(reasons)]) if reasons else None,
            choice_count=len(reasons) or None,
            error_type=(answer.error_type or "error") if answer.failed else None,
            error_in_stream=answer.failed,
            token_source="provider" if told else "absent",
            output_chars=answer.chars,
            service_tier=name(answer.tier or usage.get("service_tier")),
            **counts,
        )


def _ignore(_: bytes) -> None:
    """Take no notice."""


def _model(model: str | None) -> str | None:
    """A model's name as it may go on record: printable."""
    return model if model and model.isprintable() else None
