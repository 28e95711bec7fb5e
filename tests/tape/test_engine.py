"""The tape as the proxy's engine."""

import asyncio
import json

import pytest

from lectr_lab.core.errors import UpstreamBroken
from lectr_lab.tape.cassette import Chunk
from lectr_lab.tape.clock import PlayedClock
from lectr_lab.tape.engine import TAPE_HOST, TapeEngine
from lectr_lab.tape.match import Tape

URL = "https://api.openai.com/v1/chat/completions"
ON_TAPE = f"{TAPE_HOST}/openai/v1/chat/completions"
PACED = (Chunk(60.25, b"one "), Chunk(120.125, b"two"))


async def asked(engine, url=URL, body=b'{"model":"m"}'):
    """What came, and when; the error that ended it, if one did."""
    reply = await engine.send("POST", url, (), body)
    got, error = [], None
    try:
        async for chunk in reply:
            got.append(chunk)
    except UpstreamBroken as broken:
        error = broken
    await reply.aclose()
    return reply.status, got, error


@pytest.mark.parametrize("url", [URL, ON_TAPE])
def test_it_plays_chunk_by_chunk_and_moves_the_clock(interaction, url):
    """Without waiting: the figures are the recording's."""
    clock, played, one = PlayedClock(), [], interaction(chunks=PACED, head_ms=30.5)

    async def times():
        engine = TapeEngine(Tape([one]), clock, on_played=played.append)
        reply = await engine.send("POST", url, (), b'{"model":"m"}')
        return [clock.now_s(), *[(c, clock.now_s()) async for c in reply]]

    assert asyncio.run(times()) == [0.0305, (b"one ", 0.06025), (b"two", 0.120125)]
    assert played == [one]


@pytest.mark.parametrize("ended", ["broken", "client_left"])
def test_an_answer_that_stopped_stops_again(interaction, ended):
    """After the bytes that came."""
    engine = TapeEngine(Tape([interaction(chunks=PACED, ended=ended)]))

    _, got, error = asyncio.run(asked(engine))

    assert got == [b"one ", b"two"]
    assert isinstance(error, UpstreamBroken)


def test_a_miss_says_what_is_near(interaction):
    """A clear 5xx in OpenAI's shape; nobody is asked."""
    engine = TapeEngine(Tape([interaction()]))

    status, got, _ = asyncio.run(asked(engine, body=b'{"model":"other"}'))

    assert status == 501
    error = json.loads(b"".join(got))["error"]
    assert error["code"] == "no_recording"
    assert (
        "tape.yaml #1; what differs: model (other here, m recorded)" in error["message"]
    )


def test_what_is_missing_can_be_asked_of_a_provider(interaction):
    """And only that."""
    live = TapeEngine(Tape([interaction(request_body=b'{"model":"new"}', status=201)]))
    engine = TapeEngine(Tape([interaction()]), live=live)

    found = (
        asyncio.run(asked(engine)),
        asyncio.run(asked(engine, body=b'{"model":"new"}')),
    )

    assert [status for status, *_ in found] == [200, 201]
