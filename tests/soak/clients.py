"""Valid traffic, each request in one of several ways, and clients that leave.

Whoever stays compares what comes with what the provider said, to the byte.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from soak.ledger import Asked, Ledger, Life
from soak.replies import KINDS, reply, request
from soak.wire import BROKEN, Answer, Wire

_PATIENCE_S = 120.0  # a busy machine makes an answer late, not wrong
_NAMES = [name for name, kind in KINDS.items() if kind.weight]
_WEIGHTS = [KINDS[name].weight for name in _NAMES]
# What leaves its connection fit for another request.
_KEPT = [n for n in _NAMES if n not in ("cut", "too large", "wrong key")]


@dataclass
class Traffic:
    """What every client needs. `keys` are those of the labs, `alive` whom to ask; `left`
    counts those that leave."""

    ledger: Ledger
    chance: random.Random
    keys: dict[str, str]
    alive: Callable[[], Sequence[Life]]
    leavers: bool
    left: Counter[str]

    def ask(self, kind: str, life: Life, *, left: bool = False) -> tuple[Asked, bytes]:
        """A request in the book, and its bytes."""
        one = self.ledger.ask(kind, life, time.monotonic(), left=left)
        return one, request(kind, one.n, self.keys[life.lab], life.port)

    def kind(self, names: Sequence[str] = ()) -> str:
        """Any kind, by weight; or one of these."""
        if names:
            return self.chance.choice(names)
        return self.chance.choices(_NAMES, _WEIGHTS)[0]


async def work(the: Traffic, stopping: asyncio.Event) -> None:
    """A client after another, until it is over."""
    while not stopping.is_set():
        alive = the.alive()
        if not alive:
            await asyncio.sleep(0.05)
            continue
        life = the.chance.choice(alive)
        leaves = the.leavers and the.chance.random() < 0.15
        way = the.chance.choice(_LEAVING if leaves else _STAYING)
        with contextlib.suppress(*BROKEN):  # its proxy died, or it left: in the book
            await way(the, life)
        if leaves:
            the.left[way.__name__.replace("_", " ")] += 1
        await asyncio.sleep(the.chance.random() * 0.05)


def ended(one: Asked, answer: Answer) -> None:
    """Note what came, and what of it is not what the provider said."""
    one.fault = _fault(one, answer)
    one.ended_s = time.monotonic()


def _fault(one: Asked, answer: Answer) -> str | None:
    kind = KINDS[one.kind]
    if answer.status != kind.status:
        return f"status {answer.status} for {kind.status}"
    if kind.own:
        return None if answer.whole else "our own answer broke off"
    said = reply(one.kind, one.n)
    if answer.headers.get(b"x-soak") != str(one.n).encode():
        return "another's head"
    if said.ends == "cut":
        fine = not answer.whole and said.body.startswith(answer.body)
        return None if fine else "what was cut came whole, or changed"
    if answer.body != said.body[: len(answer.body)]:
        return "other bytes"
    return None if answer.whole and answer.body == said.body else "it broke off"


async def _await(one: Asked, wire: Wire) -> None:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            answer = await wire.answer()
    except TimeoutError:
        answer = Answer()
    ended(one, answer)


async def _opened(one: Asked) -> Wire:
    """A connection; where there is none, that is noted and raised."""
    try:
        return await Wire.open(one.life.port)
    except OSError:
        ended(one, Answer())
        raise


async def _send(one: Asked, wire: Wire, data: bytes) -> None:
    """Who refuses early may close while we still write: its answer counts."""
    try:
        await wire.send(data)
    except OSError:
        if one.left:
            raise


async def alone(the: Traffic, life: Life) -> None:
    """A connection for one request."""
    one, data = the.ask(the.kind(), life)
    wire = await _opened(one)
    try:
        await _send(one, wire, data)
        await _await(one, wire)
    finally:
        wire.close()


async def kept(the: Traffic, life: Life) -> None:
    """Several requests on one connection, each after the answer to the last."""
    one, data = the.ask(the.kind(_KEPT), life)
    wire = await _opened(one)
    try:
        for more in reversed(range(the.chance.randint(2, 6))):
            await _send(one, wire, data)
            await _await(one, wire)
            if one.fault or not more:
                break
            one, data = the.ask(the.kind(_KEPT), life)
    finally:
        wire.close()


async def in_pieces(the: Traffic, life: Life) -> None:
    """A request that arrives slowly."""
    one, data = the.ask(the.kind(), life)
    wire = await _opened(one)
    cuts = sorted(the.chance.randrange(len(data)) for _ in range(3))
    try:
        for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            await _send(one, wire, data[start:end])
            await asyncio.sleep(the.chance.random() * 0.05)
        await _await(one, wire)
    finally:
        wire.close()


async def pipelined(the: Traffic, life: Life) -> None:
    """Requests sent at once, answered in their order."""
    several = [the.ask(the.kind(_KEPT), life) for _ in range(the.chance.randint(2, 5))]
    try:
        wire = await Wire.open(life.port)
    except OSError:
        for one, _ in several:
            ended(one, Answer())
        raise
    data = b"".join(data for _, data in several)
    sending = asyncio.create_task(_send(several[0][0], wire, data))
    try:
        for one, _ in several:
            await _await(one, wire)
        await sending
    finally:
        sending.cancel()
        wire.close()


async def reset_at_once(the: Traffic, life: Life) -> None:
    """All of it sent, and gone."""
    one, data = the.ask(the.kind(("json", "stream", "big body")), life, left=True)
    wire = await _opened(one)
    await _send(one, wire, data)
    wire.reset()


async def reset_in_body(the: Traffic, life: Life) -> None:
    """Half of a body."""
    one, data = the.ask(the.kind(("json", "big body")), life, left=True)
    wire = await _opened(one)
    await _send(one, wire, data[: -len(data) // 2])
    await asyncio.sleep(the.chance.random() * 0.1)
    wire.reset()


async def reset_in_reply(the: Traffic, life: Life) -> None:
    """Gone while it speaks."""
    one, data = the.ask(
        the.kind(("stream", "packed stream", "big reply")), life, left=True
    )
    wire = await _opened(one)
    await _send(one, wire, data)
    await wire.reader.read(1 + the.chance.randrange(900))
    wire.reset()


async def half_closed(the: Traffic, life: Life) -> None:
    """It says no more, and goes on listening."""
    one, data = the.ask(the.kind(("json", "stream")), life, left=True)
    wire = await _opened(one)
    await _send(one, wire, data)
    wire.say_no_more()
    async with asyncio.timeout(_PATIENCE_S):
        await wire.reader.read()
    wire.close()


async def given_up(the: Traffic, life: Life) -> None:
    """The provider is silent for too long."""
    one, data = the.ask("never", life, left=True)
    wire = await _opened(one)
    await _send(one, wire, data)
    await asyncio.sleep(the.chance.random())
    wire.close()


async def left_in_a_pipeline(the: Traffic, life: Life) -> None:
    """Several sent at once; gone while the first is answered."""
    kinds = ["stream", *(the.kind(("json", "stream", "never")) for _ in range(3))]
    several = [the.ask(kind, life, left=True) for kind in kinds]
    wire = await _opened(several[0][0])
    await _send(several[0][0], wire, b"".join(data for _, data in several))
    await wire.reader.read(100)
    wire.reset()


Way = Callable[[Traffic, Life], Awaitable[None]]
_STAYING: list[Way] = [alone, alone, kept, in_pieces, pipelined]
_LEAVING: list[Way] = [
    reset_at_once,
    reset_in_body,
    reset_in_reply,
    half_closed,
    given_up,
    left_in_a_pipeline,
]
