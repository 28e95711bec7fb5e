"""The load, against the provider that takes no time."""

import asyncio

import pytest

from lectr_lab.bench.gateways import Gateway
from lectr_lab.bench.instant_provider import CHUNKS
from lectr_lab.bench.load import Job, send
from lectr_lab.bench.measure import helper


@pytest.fixture(scope="module")
def direct():
    with helper("instant_provider") as process:
        yield Gateway(int(process.stdout.readline()))


def job(gateway, *, stream=False, **changes) -> Job:
    request = gateway.request(stream=stream)
    return Job(port=gateway.port, request=request, seconds=5.0, **changes)


def test_so_many_requests_are_sent_and_timed(direct):
    """Each has its times; no more than one over for each connection."""
    load = asyncio.run(send(job(direct, connections=4, requests=40)))

    assert 40 <= load.replies < 44
    assert load.errors == 0
    assert len(load.total_ms) == len(load.first_byte_ms) == load.replies
    assert all(0 < ms < 1000 for ms in load.total_ms)
    assert load.late_ms == []


def test_a_streams_chunks_are_timed_by_their_provider(direct):
    """All but the first, which has a figure of its own."""
    load = asyncio.run(send(job(direct, connections=1, requests=2, stream=True)))

    assert load.errors == 0
    assert len(load.late_ms) == 2 * (CHUNKS - 1)
    # None is later than its whole reply took, however busy the machine.
    assert all(0 <= ms < max(load.total_ms) for ms in load.late_ms)
    assert min(load.total_ms) >= 3 * (CHUNKS - 1)


def test_a_reply_that_is_none_is_an_error():
    """A server that hangs up."""

    async def hang_up(reader, writer):
        await reader.readline()
        writer.close()

    async def run():
        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        gateway = Gateway(server.sockets[0].getsockname()[1])
        async with server:
            return await send(job(gateway, connections=3))

    load = asyncio.run(run())

    assert (load.replies, load.errors) == (0, 3)
