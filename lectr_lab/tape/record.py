"""Records what passes below the proxy: a tee that delays no chunk.

While requests run it keeps what passes in memory, with the time of each piece. `save`
scrubs, then writes a cassette by vcrpy's own serialiser and its side file. A call that
cannot be scrubbed is not written, and counted.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from lectr_lab.core.engine import CURRENT_NOTE, Engine, Note, Reply
from lectr_lab.core.errors import CassetteError
from lectr_lab.core.headers import RawHeaders
from lectr_lab.core.llm_api.reply import ReplyReader
from lectr_lab.core.routing.paths import operation as operation_of
from lectr_lab.tape.cassette import Interaction, read_unlocked
from lectr_lab.tape.compare import split_path
from lectr_lab.tape.locked import locked
from lectr_lab.tape.merge import (
    Recorded,
    as_recorded,
    beyond,
    counted,
    without_repeats,
)
from lectr_lab.tape.replacing import Taken
from lectr_lab.tape.scrub import RecordedCall, scrubbed
from lectr_lab.tape.secret_patterns import (
    Marks,
    clean,
    compiled,
    keys_of,
    marks_for,
    with_values,
)
from lectr_lab.tape.timing_file import Ended, Timing
from lectr_lab.tape.write import load_serializers, write_cassette


class Saved(NamedTuple):
    """What became of the calls that passed.

    `withheld` might still have held a secret, and were not written; the reasons say
    what kind, with counts. `unfinished` had no answer, or had not got all of it.
    `replaced` counts the values that were taken out of those written, by kind.
    """

    written: int
    withheld: int
    unfinished: int
    reasons: dict[str, int]
    replaced: Mapping[str, int] = MappingProxyType({})


class _Take:
    """One call as it passes. Times are the clock's seconds."""

    def __init__(self, sent: tuple[str, str, RawHeaders, bytes], now_s: float) -> None:
        self.sent, self.started_s = sent, now_s
        self.note: Note | None = CURRENT_NOTE.get()
        self.status: int | None = None
        self.headers: RawHeaders = ()
        self.head_s = now_s
        self.chunks: list[bytes] = []
        self.times_s: list[float] = []
        self.ended: Ended | None = None


class Recorder:
    """Records every call of the engines it wraps, and writes them to one cassette.

    Args:
        path: the cassette, `*.yaml` or `*.json`; its side file stands beside it. What is
            there now is replaced, and what comes there meanwhile is kept.
        patterns: regular expressions of what else must not be written.
        now_s: a clock that only goes forward, in seconds.
        kept: of what the cassette holds already, what is to stay.
        may_replace: asked once, before the first writing: false where what was there in
            the beginning is to be kept after all.

    Raises:
        MissingExtra: vcrpy is not installed.
        CassetteError: a pattern is not a regular expression.
    """

    def __init__(
        self,
        path: Path,
        patterns: Iterable[str] = (),
        now_s: Callable[[], float] = time.perf_counter,
        kept: Iterable[Interaction] | None = None,
        may_replace: Callable[[], bool] = lambda: True,
    ) -> None:
        load_serializers()
        self._path, self._marks, self._now_s = path, compiled(patterns), now_s
        self._takes: list[_Take] = []
        self._may_replace = may_replace if kept is None else None
        self._base = [as_recorded(one) for one in kept or ()]  # before what is mine
        self._known = counted(
            self._there()
        )  # of what the file holds: it is not others'
        self._others: list[Recorded] = []  # that came there meanwhile

    @property
    def passed(self) -> int:
        """How many calls were begun."""
        return len(self._takes)

    def wrap(self, engine: Engine) -> Engine:
        """An engine that does what this one does, and is recorded."""
        return _Tee(engine, self._takes, self._now_s)

    def save(self) -> Saved:
        """Scrub and write what has passed so far.

        Returns:
            How many calls were written, and how many were not.

        Raises:
            CassetteError: the files cannot be written.
        """
        takes = list(self._takes)
        ready = [t for t in takes if t.status is not None and t.ended is not None]
        written, reasons, replaced = [], Counter[str](), Counter[str]()
        first_s = takes[0].started_s if takes else 0.0
        keys = {key for take in takes for key in keys_of(take.sent[2], take.sent[1])}
        marks = with_values(self._marks, keys)  # one call may quote another's
        for take in ready:
            taken = Taken()
            try:
                written.append(_finished(take, marks, first_s, taken))
                replaced += taken.counts
            except CassetteError as error:
                reasons[str(error)] += 1
            except Exception as error:  # noqa: BLE001 - whatever it is: not written
                reasons[f"scrubbing failed with {type(error).__name__}"] += 1
        with locked(self._path, alone=True):
            self._merge(written)
        withheld = sum(reasons.values())
        unfinished = len(takes) - len(ready)
        return Saved(len(written), withheld, unfinished, dict(reasons), dict(replaced))

    def _merge(self, mine: list[Recorded]) -> None:
        """Write what is there by now and is to stay, then what is mine."""
        if self._may_replace is not None and not self._may_replace():
            self._known = counted(())
        self._may_replace = None
        new = beyond(self._there(), self._known)
        self._others += new
        self._base += new
        whole = [*self._base, *without_repeats(mine, self._others)]
        write_cassette(self._path, whole)
        self._known = counted(whole)

    def _there(self) -> list[Recorded]:
        """What the file holds; what cannot be read may be replaced, not added to."""
        if not self._path.exists():
            return []
        try:
            return [as_recorded(one) for one in read_unlocked(self._path)]
        except CassetteError:
            if self._may_replace is None and self._base:
                raise
            return []


class _Tee:
    def __init__(
        self, engine: Engine, takes: list[_Take], now_s: Callable[[], float]
    ) -> None:
        self._engine, self._takes, self._now_s = engine, takes, now_s

    async def send(
        self, method: str, url: str, headers: RawHeaders, body: bytes
    ) -> Reply:
        take = _Take((method, url, headers, body), self._now_s())
        self._takes.append(take)
        reply = await self._engine.send(method, url, headers, body)
        take.head_s = self._now_s()
        take.status, take.headers = reply.status, reply.headers
        return _TeeReply(reply, take, self._now_s)

    async def aclose(self) -> None:
        await self._engine.aclose()


class _TeeReply:
    def __init__(self, reply: Reply, take: _Take, now_s: Callable[[], float]) -> None:
        self.status, self.headers = reply.status, reply.headers
        self._reply, self._take, self._now_s = reply, take, now_s

    async def __aiter__(self) -> AsyncIterator[bytes]:
        take = self._take
        try:
            async for chunk in self._reply:
                take.times_s.append(self._now_s())
                take.chunks.append(chunk)
                yield chunk
        except Exception:
            take.ended = "broken"
            raise
        take.ended = "complete"

    async def aclose(self) -> None:
        if self._take.ended is None:
            self._take.ended = "client_left"
        await self._reply.aclose()


def _finished(
    take: _Take, own: Marks, first_s: float, taken: Taken
) -> tuple[RecordedCall, Timing]:
    """The call as it may be written. Raises CassetteError where it may not be."""
    method, url, headers, body = take.sent
    assert take.status is not None
    ended = _ended(take)
    call = RecordedCall(
        method=method,
        url=url,
        request_headers=headers,
        request_body=body,
        status=take.status,
        response_headers=take.headers,
        chunks=tuple(take.chunks),
        cut_short=ended != "complete",
    )
    scrubbed_call = scrubbed(call, own, taken)
    timing = Timing(
        started_ms=_ms(take.started_s - first_s),
        head_ms=_ms(take.head_s - take.started_s),
        chunks=tuple(
            (len(chunk), _ms(at_s - take.started_s))
            for chunk, at_s in zip(scrubbed_call.chunks, take.times_s, strict=True)
        ),
        ended=ended,
        decompressed=scrubbed_call.decompressed,
        **_names(take.note, marks_for(headers, url, own)),
    )
    return scrubbed_call, timing


def _ended(take: _Take) -> Ended:
    """A client may close as soon as the answer says that it is over: that is its end."""
    assert take.status is not None
    assert take.ended is not None
    if take.ended != "client_left":
        return take.ended
    _, suffix = split_path(urlsplit(take.sent[1]).path)
    operation = operation_of(f"/v1/{suffix}".encode())
    first = {n.lower(): v.decode("latin-1") for n, v in reversed(take.headers)}
    kind, encoding = first.get(b"content-type", ""), first.get(b"content-encoding", "")
    reader = ReplyReader(operation, take.status, kind, encoding)
    for chunk in take.chunks:
        reader.feed(chunk)
    return "complete" if reader.complete else "client_left"


def _names(note: Note | None, marks: Marks) -> dict[str, Any]:
    """The note's names; what a client wrote in a header may hold a key as well."""
    if note is None:
        return {}
    named = {
        "org": note.org,
        "feature": note.feature,
        "task": note.task,
        "provider": note.provider,
    }
    return {"event_id": note.event_id.hex()} | {
        name: clean(text.encode(), marks).decode() if text else None
        for name, text in named.items()
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
