"""A provider's reply as it goes by: bytes, cut anywhere, in; facts, at the end, out.

Facts, from the recordings (numbers as in their findings):

- 3: streams are compressed too, so a copy is decompressed as it goes.
- 12: an error may be labelled a stream and be JSON, and the other way round: the status
  says how to read a reply, its first byte what form it has.
- 11: an error inside a stream of status 200 is an error.
- 13: a stream may be empty.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from lectr_lab.core.event_values import TokenSource
from lectr_lab.core.llm_api.billed import other_tool_calls
from lectr_lab.core.llm_api.content_encoding import PIECE_BYTES, BodyDecoder
from lectr_lab.core.llm_api.dialect import FAILURE, Answer
from lectr_lab.core.llm_api.dialects import DIALECTS
from lectr_lab.core.llm_api.lenient_json import (
    QUICK_BYTES,
    Unread,
    count,
    loads,
    name,
    read,
    read_quickly,
    salvaged,
)
from lectr_lab.core.llm_api.sse import EventSplitter, ServerEvent
from lectr_lab.core.llm_api.usage import (
    TokenCounts,
    stated_cost_usd,
    usage_columns,
    usage_of_timings,
)

MAX_BODY_BYTES = 8 * 1024 * 1024
"""A longer reply that is no stream is not parsed."""

_MOST_UNREAD = 20_000  # events

_LEAD = b" \t\r\n\xef\xbb\xbf"  # what may stand before a body's first byte
_ID = re.compile(r"[A-Za-z0-9_.:/=+~-]+")
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
    provider_response_id: str | None = None
    inference_geo: str | None = None
    cost_stated_usd: float | None = None
    image_count: int | None = None
    audio_seconds: float | None = None
    rerank_searches: int | None = None
    other_tool_calls: int | None = None
    facts_truncated: bool = False  # there was more, which was not read


class UnreadReply(msgspec.Struct, frozen=True):
    """The end of a reply, which takes too long to read where requests are served.

    `answer` is what was read before it. `names` are of its events, whose data are kept
    apart; None: it is no stream, and those are the pieces of one text.
    """

    operation: str
    status: int
    answer: dict[str, Any]
    names: list[bytes] | None


def read_rest(unread: UnreadReply, texts: list[bytes]) -> tuple["ReplyFacts", bool]:
    """What a whole reply said, and whether it said that it was over. Never raises.

    Args:
        unread: of a reader that was told `end`.
        texts: its data, in their order.
    """
    reader = ReplyReader(unread.operation, unread.status, "", "")
    names = unread.names
    if names is None:
        names, texts = [b""], [b"".join(texts)]
    reader.go_on(unread.answer, list(zip(names, texts, strict=True)))
    return reader.finish(), reader.complete


class ReplyReader:
    """Reads one reply, chunk by chunk, in bounded memory. Nothing here raises.

    Args:
        operation: as in the event.
        status: HTTP status of the reply.
        content_type: the header's value; only a hint.
        content_encoding: the header's value.
        answer: what the dialects write into; a `KeptAnswer` to have the texts.

    Whoever has the time only feeds it and asks it to `finish`. An event loop has not:
    after each chunk it has to `read_on` while the reader is `behind`, and when the
    reader was told the `end`, `unread` is to be read elsewhere, or given up by `cut`.

    `fault` names the class of an exception that stopped the reading, should there be
    one: a bug here costs facts, never the reply.

    >>> reader = ReplyReader("chat", 200, "text/event-stream", "")
    >>> reader.feed(b'data: {"choices": [{"delta": {"content": "Hi"}}]}\\n\\n')
    >>> reader.content_started, reader.finish().output_chars
    (True, 2)
    """

    fault: str | None = None
    _events: EventSplitter | None = None
    _body_bytes = 0
    _collects = False
    _pieces: Iterator[bytes] | None = None  # of the last chunk
    _unread_bytes = 0
    _ended = _truncated = False
    _facts: ReplyFacts | None = None

    def __init__(
        self,
        operation: str,
        status: int,
        content_type: str,
        content_encoding: str,
        answer: Answer | None = None,
    ) -> None:
        self._operation, self._status = operation, status
        self._failed = status >= 400
        self._dialect = FAILURE if self._failed else DIALECTS.get(operation)
        content_type = content_type.lower()
        if content_type.startswith("audio/"):
            self._dialect = None  # the sound itself
        self._labelled_stream = "event-stream" in content_type
        self._decoder = BodyDecoder(content_encoding)
        self._answer = answer or Answer()
        self._body: list[bytes] = []
        self._take = self._begin if self._dialect else _ignore
        self._unread: list[ServerEvent] = []  # and whatever followed them

    def feed(self, chunk: bytes) -> None:
        """The next bytes of the body, as the provider sent them."""
        few = len(chunk) <= PIECE_BYTES or self._collects
        if few and self._decoder.plain and self._pieces is None:
            try:
                self._take(chunk)
            except Exception as error:  # noqa: BLE001 - the reply goes on, whatever it is
                self._stop(error)
        else:
            self._feed_pieces(chunk)

    def _feed_pieces(self, chunk: bytes) -> None:
        while self._pieces is not None:  # of the chunk before: nobody had them read
            self.read_on()
        if self._take != _ignore:
            self._pieces = self._decoder.pieces(chunk)
            self.read_on()

    @property
    def behind(self) -> bool:
        """There is more of the last chunk to be read."""
        return self._pieces is not None

    def read_on(self) -> None:
        """Read the next piece of it, within milliseconds."""
        piece = next(self._pieces, None) if self._pieces else None
        if piece is None or self._take == _ignore:
            self._pieces = None
            return
        try:
            self._take(piece)
        except Exception as error:  # noqa: BLE001
            self._stop(error)

    @property
    def content_started(self) -> bool:
        """The first content of a stream was seen: text, reasoning or a tool call."""
        return self._answer.content_started

    @property
    def complete(self) -> bool:
        """The reply said that it was over, or all there is to say, or is whole JSON."""
        while self._pieces is not None:
            self.read_on()
        self._read_unread()
        if self._answer.complete or self._answer.all_said:
            return True
        return bool(self._body) and self._body_is_whole()

    def end(self) -> UnreadReply | None:
        """The last byte was fed. Returns what is to be read elsewhere, if there is any:
        its data are the reader's `unread_texts`."""
        if not self._ended:
            self._take_last()
        large = self._body_bytes > QUICK_BYTES
        if self._facts is not None or not (self._unread or (large and self._body)):
            return None
        names = None if large else [event_name for event_name, _ in self._unread]
        return UnreadReply(self._operation, self._status, vars(self._answer), names)

    def _take_last(self) -> None:
        try:
            if self._events is not None:
                self._take_events(self._events.flush())
            elif self._body and self._body_bytes <= QUICK_BYTES:
                self._take_events([(b"", b"".join(self._body))])
        except Exception as error:  # noqa: BLE001
            self._stop(error)
        self._take, self._ended = _ignore, True

    @property
    def unread_texts(self) -> list[bytes]:
        """The data of what `end` returned."""
        return [data for _, data in self._unread] or list(self._body)

    def go_on(self, answer: dict[str, Any], events: list[ServerEvent]) -> None:
        """Be where another reader was when it was told the `end`."""
        vars(self._answer).update(answer)
        self._unread = events

    def told(self, facts: ReplyFacts, complete: bool) -> None:
        """What was unread has been read elsewhere."""
        self._facts, self._unread = facts, []
        self._answer.complete = self._answer.complete or complete

    def cut(self) -> None:
        """Leave unread what is not read yet."""
        self._pieces = None
        self._give_up()

    def finish(self) -> ReplyFacts:
        """Everything the reply said, once its last byte was fed."""
        if self._facts is None:
            while self._pieces is not None:
                self.read_on()
            unread = self.end()
            if unread is not None and unread.names is None:
                self._unread = [(b"", b"".join(self._body))]
            if self._unread:
                self._read_unread()
            self._facts = self._found()
        self._body.clear()
        return self._facts

    def _begin(self, data: bytes) -> None:
        """Tell JSON from a stream by the first byte: labels have been seen to lie."""
        data = data.lstrip(_LEAD)
        if not data:
            return
        if data[0] in b"{[":
            self._take, self._collects = self._collect, True
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
            self._give_up()

    def _split(self, data: bytes) -> None:
        assert self._events is not None  # set where this method is chosen
        self._take_events(self._events.feed(data))

    def _take_events(self, events: list[ServerEvent]) -> None:
        for event_name, data in events:
            if data.startswith(b"[DONE]"):
                self._answer.complete = True
            elif self._unread:
                self._put_off(event_name, data)
            else:
                try:
                    self._read(read_quickly, event_name, data)
                except Unread:
                    self._put_off(event_name, data)

    def _put_off(self, event_name: bytes, data: bytes) -> None:
        """Leave it to whoever has the time, and what follows too."""
        self._unread.append((event_name, data))
        self._unread_bytes += len(data)
        if self._unread_bytes > MAX_BODY_BYTES or len(self._unread) > _MOST_UNREAD:
            self._give_up()

    def _read(
        self, reading: Callable[[Any, bytes], Any], event_name: bytes, data: bytes
    ) -> None:
        if self._dialect is None:
            return
        decoder = self._dialect.decoder
        shape = reading(decoder, data)
        if shape is not None:
            self._dialect.take(self._answer, shape)
        elif data.startswith(b"["):
            if reading is read_quickly and len(data) > PIECE_BYTES:
                raise Unread
            # Gemini's `[{"error": {…}}]`, and its chunks in one array.
            for each in loads(data) or ():
                if (shape := salvaged(decoder.type, each)) is not None:
                    self._dialect.take(self._answer, shape)
        if event_name == b"error" and not self._answer.failed:
            self._answer.fail(None)  # whatever its data look like

    def _read_unread(self) -> None:
        unread, self._unread = self._unread, []
        try:
            for event_name, data in unread:
                self._read(read, event_name, data)
        except Exception as error:  # noqa: BLE001
            self._stop(error)

    def _body_is_whole(self) -> bool:
        try:
            _RAW.decode(b"".join(self._body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        return True

    def _stop(self, error: Exception) -> None:
        self.fault = type(error).__name__
        self._read_no_more()

    def _give_up(self) -> None:
        self._truncated = True
        self._read_no_more()

    def _read_no_more(self) -> None:
        self._take = _ignore
        self._body.clear()
        self._unread.clear()

    def _found(self) -> ReplyFacts:
        answer = self._answer
        dropped = self._events is not None and self._events.dropped
        gave_up = self._decoder.gave_up and self._dialect is not None
        truncated = self._truncated or dropped or gave_up
        if self._failed:
            return ReplyFacts(error_type=answer.error_type, facts_truncated=truncated)
        if truncated:  # what was counted is a part, and nobody knows of how much
            return ReplyFacts(
                model_actual=_printable(answer.model),
                provider_response_id=_id(answer.response_id),
                facts_truncated=True,
            )
        usage = answer.usage
        if not usage and answer.timings:
            usage = usage_of_timings(answer.timings)
        counts = usage_columns(usage)
        told = "input_tokens" in counts or "output_tokens" in counts
        if answer.searches:
            counts.setdefault("web_searches", answer.searches)
        reasons, tier = answer.finish, answer.tier or usage.get("service_tier")
        return ReplyFacts(
            model_actual=_printable(answer.model),
            provider_response_id=_id(answer.response_id),
            finish_reason=name(reasons[min(reasons)]) if reasons else None,
            choice_count=len(reasons) or None,
            error_type=(answer.error_type or "error") if answer.failed else None,
            error_in_stream=answer.failed,
            token_source="provider" if told else "absent",
            output_chars=answer.chars,
            service_tier=name(tier) if tier else None,
            inference_geo=name(usage.get("inference_geo")),
            cost_stated_usd=stated_cost_usd(usage),
            image_count=answer.images,
            audio_seconds=answer.seconds,
            rerank_searches=count(answer.units),
            other_tool_calls=answer.tool_calls or other_tool_calls(usage),
            facts_truncated=self.fault is not None,
            **counts,
        )


def _ignore(_: bytes) -> None:
    """Take no notice."""


def _printable(model: str | None) -> str | None:
    """A model's name as it may go on record."""
    return model if model and model.isprintable() else None


def _id(word: Any) -> str | None:
    """A reply's name of itself; None for whatever could be content."""
    return word if isinstance(word, str) and _ID.fullmatch(word) else None
