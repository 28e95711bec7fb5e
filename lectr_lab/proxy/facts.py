"""The facts of requests and replies, read so that no request waits for another's.

What is small is read where it is, on the event loop. What is large, or odd, is read by
two processes beside it: one for the names that a request is sent on by, which never
takes long, and one for the rest, which is killed when it does. What they do not say in
time stays unknown, and the event says so.
"""

import asyncio
import contextlib
from time import perf_counter
from typing import NamedTuple

from lectr_lab.core.exchange import Exchange
from lectr_lab.core.llm_api.content_encoding import whole_body, whole_body_quickly
from lectr_lab.core.llm_api.lenient_json import Unread
from lectr_lab.core.llm_api.request import RequestFacts, read_names, read_request
from lectr_lab.core.llm_api.splice import Place
from lectr_lab.proxy.worker.jobs import (
    NamesAnswer,
    ReadNames,
    ReadReply,
    ReadRequest,
    ReplyAnswer,
    RequestAnswer,
)
from lectr_lab.proxy.worker.process import Worker

_JOB_S = 0.5
_NAMES_S = 5.0  # for a job of 0.1 s: where the machine is busy
REQUEST_WITHIN_S = 1.0  # which a request is held up by its own facts at most
CATCH_UP_WITHIN_S = 1.0  # with what is much to read, of a chunk: hostile, or many
REPLY_WITHIN_S = 0.6  # after its client has it: the event is to be on disk in a second
_TURN_S = 0.001  # of the event loop, for what is much to read; then as long for others


class Asked(NamedTuple):
    """What a request asks for, and where its model is written, if that was looked for."""

    facts: RequestFacts | None
    model_place: Place | None = None


class FactsReader:
    """Reads requests before they are sent on, and replies once they are passed on."""

    def __init__(self) -> None:
        self._names, self._rest = Worker(_NAMES_S), Worker(_JOB_S)
        self._turn = asyncio.Lock()  # of all that are behind, one reads at a time

    async def request(
        self, body: bytes, operation: str, content_encoding: str = ""
    ) -> Asked:
        """What a body asks for. None where it is not a JSON object, or in an encoding
        that cannot be undone; of what was not read in time, its names alone."""
        asked = self.at_once(body, operation, content_encoding)
        return asked or await self.beside(body, operation, content_encoding)

    def at_once(
        self, body: bytes, operation: str, content_encoding: str = ""
    ) -> Asked | None:
        """The same, where it takes no time; None: it does."""
        try:
            return Asked(_read_quickly(body, operation, content_encoding))
        except Unread:
            return None

    async def beside(self, body: bytes, operation: str, content_encoding: str) -> Asked:
        """The same, read by the processes beside this one."""
        job = ReadRequest(operation, content_encoding)
        names, rest = await asyncio.gather(
            self._asked_by_name(body, operation, content_encoding),
            self._rest.ask(job, [body], RequestAnswer, REQUEST_WITHIN_S),
        )
        return names if rest is None else names._replace(facts=rest[0])

    async def catch_up(self, exchange: Exchange) -> None:
        """Read what came last, and leave others the time between. What is not read in
        time is cut: the next bytes are to be passed on."""
        try:
            async with asyncio.timeout(CATCH_UP_WITHIN_S):
                while exchange.behind:
                    await self._read_on(exchange)
        except TimeoutError:
            exchange.cut()

    async def _read_on(self, exchange: Exchange) -> None:
        async with self._turn:
            began_s = perf_counter()
            while exchange.behind and perf_counter() - began_s < _TURN_S:
                exchange.read_on()
            if exchange.behind:
                await asyncio.sleep(_TURN_S)

    async def reply(self, exchange: Exchange) -> None:
        """Its last byte is passed on: read what is still unread."""
        if exchange.behind:
            await self.catch_up(exchange)
        reader = exchange.reader
        unread = reader.end() if reader is not None else None
        if reader is None or unread is None:
            return
        job, texts = ReadReply(unread), reader.unread_texts
        told = await self._rest.ask(job, texts, ReplyAnswer, REPLY_WITHIN_S)
        if told is not None:
            reader.told(*told)

    async def stop(self) -> None:
        """End the processes."""
        await self._names.stop()
        await self._rest.stop()

    async def _asked_by_name(
        self, body: bytes, operation: str, content_encoding: str
    ) -> Asked:
        if not content_encoding:
            with contextlib.suppress(Unread):
                return Asked(read_names(body, operation, quickly=True))
        job = ReadNames(operation, content_encoding)
        told = await self._names.ask(job, [body], NamesAnswer, _NAMES_S)
        if told is not None:
            return Asked(*told)
        # To ask the wrong provider is worse than that others wait for 0.1 s.
        plain = whole_body(body, content_encoding)
        return Asked(None if plain is None else read_names(plain, operation))


def _read_quickly(
    body: bytes, operation: str, content_encoding: str
) -> RequestFacts | None:
    plain = whole_body_quickly(body, content_encoding) if content_encoding else body
    return None if plain is None else read_request(plain, operation, quickly=True)
