"""Recordings, played."""

import time

import httpx
import pytest

from lectr_lab.core.errors import CassetteError
from lectr_lab.tape.asgi import create_tape
from lectr_lab.tape.cassette import Chunk
from lectr_lab.tape.match import Matching
from lectr_lab.tape.server import TapeServer

CHAT = "/openai/v1/chat/completions"
PACED = (Chunk(60, b"one "), Chunk(120, b"two"))


@pytest.fixture
def played(interaction):
    """A tape with one interaction, and a client of it."""
    servers = []

    def play(speed=1.0, **fields):
        tape = TapeServer([interaction(**fields)], speed=speed)
        tape.__enter__()
        client = httpx.Client(
            base_url=f"http://127.0.0.1:{tape.port}", trust_env=False, timeout=10
        )
        servers.append((tape, client))
        return client

    yield play
    for tape, client in servers:
        client.close()
        tape.__exit__(None, None, None)


def timed(client):
    """When headers and each chunk of the answer came, in seconds."""
    began_s = time.perf_counter()
    with client.stream("POST", CHAT, content=b'{"model":"m"}') as reply:
        head_s = time.perf_counter() - began_s
        chunks = [(time.perf_counter() - began_s, c) for c in reply.iter_raw()]
    return head_s, chunks


def test_it_plays_at_recorded_speed(played):
    """Head and chunks come no sooner than they did, and apart from each other."""
    head_s, chunks = timed(played(head_ms=30, chunks=PACED))

    assert [data for _, data in chunks] == [b"one ", b"two"]
    assert head_s >= 0.028
    assert chunks[0][0] >= 0.058
    assert chunks[1][0] >= 0.118


def test_it_plays_faster_when_told(played):
    """A minute of recording takes a hundredth of it."""
    slow = (Chunk(6_000, b"one "), Chunk(12_000, b"two"))

    _, chunks = timed(played(speed=100, chunks=slow))

    assert 0.118 <= chunks[-1][0] < 6


def test_it_plays_at_once_when_told(played):
    """Recorded time does not count at all."""
    slow = (Chunk(60_000, b"one "), Chunk(120_000, b"two"))

    _, chunks = timed(played(speed=0, head_ms=30_000, chunks=slow))

    assert b"".join(data for _, data in chunks) == b"one two"
    assert chunks[-1][0] < 10


def test_nothing_is_added_to_the_answer(played):
    """Repeated headers in order, and neither date nor server."""
    headers = ((b"X-A", b"1"), (b"vary", b"a"), (b"vary", b"b"))
    client = played(response_headers=(*headers, (b"content-length", b"0")))

    reply = client.post(CHAT, content=b'{"model":"m"}')

    assert reply.headers.raw == [
        (b"x-a", b"1"),
        (b"vary", b"a"),
        (b"vary", b"b"),
        (b"content-length", b"0"),
    ]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_other_methods_play_too(played, method):
    """A HEAD has the length of a body it does not send."""
    client = played(
        method=method,
        uri="https://api.openai.com/v1/models",
        request_body=b"",
        response_headers=((b"content-length", b"2"),),
        chunks=(Chunk(0, b"{}"),) if method == "GET" else (),
    )

    reply = client.request(method, "/openai/v1/models")

    assert reply.headers["content-length"] == "2"
    assert reply.content == (b"{}" if method == "GET" else b"")


@pytest.mark.parametrize("ended", ["broken", "client_left"])
def test_an_answer_that_stopped_stops_again(played, ended):
    """What came is sent, then the connection is closed abruptly."""
    client = played(speed=0, chunks=PACED, ended=ended)
    got = []

    with (
        pytest.raises(httpx.RemoteProtocolError),
        client.stream("POST", CHAT, content=b'{"model":"m"}') as reply,
    ):
        got.extend(reply.iter_raw())

    assert b"".join(got) == b"one two"


def test_a_miss_is_an_error_no_sdk_asks_again_for(played):
    """OpenAI's shape, and the header that tells SDKs not to retry."""
    reply = played().post(CHAT, content=b'{"model":"n"}')

    error = reply.json()["error"]
    assert reply.status_code == 501
    assert (error["type"], error["code"]) == ("tape_miss", "no_recording")
    assert "model (n here, m recorded)" in error["message"]
    assert reply.headers["x-should-retry"] == "false"


def test_a_path_without_a_provider_is_explained(played):
    """It begins with one of the five."""
    reply = played().get("/v1/models")

    assert reply.status_code == 501
    assert "anthropic, azure, gemini, groq, openai" in reply.json()["error"]["message"]


@pytest.mark.parametrize("speed", [-1, float("nan")])
def test_a_speed_is_a_speed(speed):
    """Time does not run backwards."""
    with pytest.raises(CassetteError, match="speed is 0"):
        create_tape([], speed)


def test_a_port_can_match_loosely_too(interaction):
    """The same options as in a test."""
    loose = Matching(ignore=("temperature",))
    with TapeServer([interaction(chunks=PACED)], speed=0, matching=loose) as tape:
        url = f"http://127.0.0.1:{tape.port}{CHAT}"
        body = {"model": "m", "temperature": 2}

        assert httpx.post(url, json=body, trust_env=False).text == "one two"
