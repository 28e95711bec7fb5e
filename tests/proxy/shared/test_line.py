"""Messages between a worker and its parent."""

import asyncio
import socket

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.proxy.shared import line as line_module
from lectr_lab.proxy.shared.line import Line
from lectr_lab.proxy.shared.messages import HealthTold, HealthWanted, ToParent

MESSAGES = st.lists(
    st.one_of(
        st.builds(HealthWanted, st.integers(0, 2**40)),
        st.builds(
            HealthTold,
            st.integers(0, 9),
            st.dictionaries(st.text(max_size=9), st.text(max_size=100), max_size=3),
        ),
    ),
    max_size=8,
)


class Ends:
    """Both ends of a line."""

    def __init__(self) -> None:
        self.told: list[ToParent] = []
        self.gone = 0
        self.one = Line(ToParent, lambda message: None)
        self.other = Line(ToParent, self.told.append, self._gone)

    def _gone(self) -> None:
        self.gone += 1

    async def open(self) -> "Ends":
        loop = asyncio.get_running_loop()
        for line, sock in zip((self.one, self.other), socket.socketpair(), strict=True):
            sock.setblocking(False)
            await loop.create_connection(lambda line=line: line, sock=sock)
        return self


class Transport(asyncio.Transport):
    """Takes what is written, piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data) -> None:
        self.sent.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        self.closed = True


@given(messages=MESSAGES, cuts=st.lists(st.integers(1, 5000), max_size=20))
def test_messages_arrive_whole_however_they_are_cut(messages, cuts):
    """In their order."""
    told, transport = [], Transport()
    one, other = Line(ToParent, told.append), Line(ToParent, told.append)
    one.connection_made(transport)
    for message in messages:
        assert one.say(message)
    data = b"".join(transport.sent)
    for cut in cuts:
        other.data_received(data[:cut])
        data = data[cut:]
    other.data_received(data)

    assert told == messages


@given(messages=MESSAGES, waits=st.lists(st.booleans(), min_size=8, max_size=8))
def test_what_may_wait_is_sent_with_what_may_not(messages, waits):
    """In its place, and at the end whatever else there is."""
    told, transport = [], Transport()
    one, other = Line(ToParent, told.append), Line(ToParent, told.append)

    async def say() -> None:
        one.connection_made(transport)
        for message, may_wait in zip(messages, waits, strict=False):
            assert one.say(message, 60.0 if may_wait else 0.0)
        one.close()

    asyncio.run(say())
    other.data_received(b"".join(transport.sent))

    assert told == messages
    at_once = waits[: len(messages)].count(False)
    assert at_once <= len(transport.sent) <= at_once + 1


def test_what_may_wait_is_sent_in_its_time_or_when_it_is_much():
    """Nobody else has to say anything."""
    large = HealthTold(1, {"warnings": "x" * 70_000})

    async def run() -> None:
        ends = await Ends().open()
        assert ends.one.say(HealthWanted(1), 0.001)
        async with asyncio.timeout(10):
            while ends.told != [HealthWanted(1)]:
                await asyncio.sleep(0.001)
            assert ends.one.say(large, 3600.0)
            while ends.told != [HealthWanted(1), large]:
                await asyncio.sleep(0.001)
        ends.one.close()

    asyncio.run(run())


def test_an_end_that_is_gone_is_noticed():
    """What is said then is not."""

    async def run() -> None:
        ends = await Ends().open()
        assert ends.one.say(HealthWanted(1))
        ends.one.close()
        async with asyncio.timeout(10):
            while not ends.gone:
                await asyncio.sleep(0.01)
        assert ends.told == [HealthWanted(1)]
        assert not ends.one.say(HealthWanted(2))
        assert not ends.other.say(HealthWanted(2))

    asyncio.run(run())


def test_an_end_that_does_not_read_holds_up_nobody(monkeypatch):
    """Beyond a bound, what is said is dropped."""
    monkeypatch.setattr(line_module, "_MOST_UNSENT_BYTES", 100_000)
    ours, its = socket.socketpair()
    ours.setblocking(False)

    async def run() -> int:
        line = Line(ToParent, lambda message: None)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: line, sock=ours)
        large = HealthTold(1, {"warnings": "x" * 50_000})
        said = [line.say(large) for _ in range(100)]
        assert said[0]
        assert not said[-1]
        assert line._transport is not None
        line._transport.abort()
        await asyncio.sleep(0.01)
        return sum(said)

    with ours, its:
        assert asyncio.run(run()) < 50


def test_what_is_no_message_ends_the_line():
    """A length that nothing has."""

    async def run() -> None:
        ends = await Ends().open()
        ends.other.data_received(b"\xff\xff\xff\xff" + b"x" * 100)
        async with asyncio.timeout(10):
            while not ends.gone:
                await asyncio.sleep(0.01)

    asyncio.run(run())
