"""The tape as the proxy's engine."""

import asyncio
import csv
import json
import selectors
from collections import Counter
from pathlib import Path

import pytest

from lectr_lab.config.settings import AzureSettings, OrgSettings, Settings
from lectr_lab.core.errors import CassetteError, UpstreamBroken
from lectr_lab.core.registry import registry
from lectr_lab.launch import Session, build
from lectr_lab.proxy.server.run import in_thread
from lectr_lab.tape.cassette import Chunk, read_cassettes
from lectr_lab.tape.clock import PlayedClock
from lectr_lab.tape.engine import TapeEngine, played_by
from lectr_lab.tape.match import Tape
from lectr_lab.testing.figures import figures
from lectr_lab.testing.recorded_proxy import Box, RecordedProxy
from lectr_lab.testing.replay import replay

INDEX = Path(__file__).parents[2].parent / "shared/cassettes/INDEX.tsv"
URL = "https://api.openai.com/v1/chat/completions"
ON_TAPE = "http://tape.invalid/openai/v1/chat/completions"
PACED = (Chunk(60.25, b"one "), Chunk(120.125, b"two"))
LOCAL = """\
version: 1
interactions:
- request: {method: GET, uri: 'http://127.0.0.1:8080/v1/models', body: null}
  response: {status: {code: 200}, body: {string: '{}'}}
"""


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


class Timeless(asyncio.SelectorEventLoop):
    """A loop whose time passes in its waits alone, and at once: figures are exact."""

    def __init__(self) -> None:
        self._passed_s = 0.0
        super().__init__(selector := selectors.DefaultSelector())
        self._look = selector.select
        selector.select = self._wait

    def _wait(self, timeout=None):
        self._passed_s += timeout or 0.0
        return self._look(0)

    def time(self):
        return self._passed_s


def timelessly(coroutine):
    """What it returns, on such a loop."""
    with asyncio.Runner(loop_factory=Timeless) as runner:
        return runner.run(coroutine)


def timed(engine, late_s=0.0):
    """When the head and each chunk of the answer came, in seconds."""

    async def ask():
        now_s = asyncio.get_running_loop().time
        reply = await engine.send("POST", URL, (), b'{"model":"m"}')
        head_s = now_s()
        await asyncio.sleep(late_s)
        return pytest.approx([head_s, *[now_s() async for _ in reply]])

    return timelessly(ask())


@pytest.mark.parametrize("url", [URL, ON_TAPE])
def test_it_plays_chunk_by_chunk_and_moves_the_clock(interaction, url):
    """Without waiting: the figures are the recording's."""
    clock, played, one = PlayedClock(), [], interaction(chunks=PACED, head_ms=30.5)

    async def times():
        engine = TapeEngine(Tape([one]), 0, clock, on_played=played.append)
        reply = await engine.send("POST", url, (), b'{"model":"m"}')
        return [clock.now_s(), *[(c, clock.now_s()) async for c in reply]]

    assert asyncio.run(times()) == [0.0305, (b"one ", 0.06025), (b"two", 0.120125)]
    assert played == [one]


@pytest.mark.parametrize("speed", [0.5, 1, 100])
@pytest.mark.parametrize("clock", [None, PlayedClock()])
def test_it_plays_at_recorded_speed_or_at_another(interaction, speed, clock):
    """Head and chunks come when they came, or so much faster, whatever the log has."""
    one = interaction(chunks=PACED, head_ms=30.5)

    came_s = timed(TapeEngine(Tape([one]), speed, clock))

    assert came_s == [0.0305 / speed, 0.06025 / speed, 0.120125 / speed]


def test_times_count_from_the_request(interaction):
    """Who reads late finds what came meanwhile, and waits no longer for the rest."""
    one = interaction(chunks=(*PACED, Chunk(500, b"three")), head_ms=10)

    came_s = timed(TapeEngine(Tape([one])), late_s=0.3)

    assert came_s == [0.01, 0.31, 0.31, 0.5]


def test_it_plays_at_once_when_told(interaction):
    """Recorded time does not count at all, and others have their turn."""
    slow = interaction(chunks=(Chunk(60_000, b"a"), Chunk(120_000, b"b")), head_ms=9)
    turns = []

    async def follow(engine, name):
        async for chunk in await engine.send("POST", URL, (), b'{"model":"m"}'):
            turns.append((name, chunk))

    async def both():
        engine, loop = TapeEngine(Tape([slow]), 0), asyncio.get_running_loop()
        await asyncio.gather(follow(engine, "x"), follow(engine, "y"))
        return loop.time()

    assert timelessly(both()) == 0
    assert turns == [("x", b"a"), ("y", b"a"), ("x", b"b"), ("y", b"b")]


@pytest.mark.parametrize("head_ms", [0, 60_000])
def test_a_wait_ends_with_whoever_waits(interaction, head_ms):
    """Before the head and between chunks: a task that is cancelled is not held up."""
    slow = interaction(chunks=(Chunk(60_000, b"a"),), head_ms=head_ms)

    async def leave():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await asked(TapeEngine(Tape([slow])))
        return asyncio.get_running_loop().time()

    assert timelessly(leave()) == pytest.approx(0.05)


@pytest.mark.parametrize("speed", [-1, float("nan")])
def test_a_speed_is_a_speed(speed):
    """Time does not run backwards."""
    with pytest.raises(CassetteError, match="speed is 0"):
        TapeEngine(Tape([]), speed)


@pytest.mark.parametrize("ended", ["broken", "client_left"])
def test_an_answer_that_stopped_stops_again(interaction, ended):
    """After the bytes that came."""
    engine = TapeEngine(Tape([interaction(chunks=PACED, ended=ended)]), 0)

    _, got, error = asyncio.run(asked(engine))

    assert got == [b"one ", b"two"]
    assert isinstance(error, UpstreamBroken)


def test_a_miss_says_what_is_near(interaction):
    """A clear 5xx in OpenAI's shape, that no SDK asks again for; nobody is asked."""
    engine = TapeEngine(Tape([interaction()]))

    reply = asyncio.run(engine.send("POST", URL, (), b'{"model":"other"}'))
    _, got, _ = asyncio.run(asked(engine, body=b'{"model":"other"}'))

    error = json.loads(b"".join(got))["error"]
    headers = dict(reply.headers)
    assert reply.status == 501
    assert (error["type"], error["code"]) == ("tape_miss", "no_recording")
    assert headers[b"x-should-retry"] == b"false"
    assert int(headers[b"content-length"]) == len(b"".join(got))
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


def test_a_tape_takes_every_providers_place():
    """None keeps an address or a key of its own; an organisation keeps its limits."""
    own = AzureSettings(endpoint="https://me.openai.azure.com")
    orgs = {"me": OrgSettings(azure=own, requests_per_minute=5)}

    settings = played_by(Settings(upstream="tape:a.yaml", azure=own, orgs=orgs))

    for provider in registry():
        address = settings.address_for("me", provider)
        assert address.base_url.startswith(f"http://tape.invalid/{provider}")
        assert address.auth == "none"
    assert settings.orgs["me"].requests_per_minute == 5


def test_the_recordings_of_local_servers_play_as_any_provider(cassette, ask):
    """Whichever the client names."""
    path = cassette(LOCAL)
    [one] = read_cassettes(path)
    with replay(path) as proxy:
        for provider in registry():
            reply, chunks = ask(proxy, one, provider)

            assert (reply.status_code, chunks) == (200, [b"{}"])


def standard_form() -> list[str]:
    """The shared recordings that keep the bytes."""
    if not INDEX.is_file():
        return []
    with INDEX.open(encoding="utf-8") as file:
        paths = [row["path"] for row in csv.DictReader(file, delimiter="\t")]
    return [path for path in paths if not path.startswith("parsed_body/")]


def multiset(headers):
    """Names in any case; a body without a length is framed by the server."""
    pairs = ((name.lower(), value) for name, value in headers)
    return Counter(pair for pair in pairs if pair[0] != b"transfer-encoding")


def test_real_recordings_replay(shared, tmp_path, ask):
    """Status, body bytes and header multiset, each as its provider's; twice alike."""
    files = [shared / "cassettes" / name for name in standard_form()]
    recorded = [one for one in read_cassettes(files) if one.provider]
    assert (len(files), len(recorded)) == (79, 127)
    settings, session = played_by(Settings(lab=str(tmp_path))), Session()
    engine = TapeEngine(Tape(recorded), 0)
    with in_thread(build(settings, session, engine=engine)) as url:
        proxy = RecordedProxy(url, session.key, Box(), figures(), prices=(), live=False)
        for one in recorded * 2:
            reply, chunks = ask(proxy, one)

            assert reply.status_code == one.status, one
            assert b"".join(chunks) == one.body, one
            got = multiset(reply.headers.raw)
            assert got == multiset(one.response_headers), one
