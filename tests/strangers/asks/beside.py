"""A user's tests, beside what users patch with. `test_strangers` runs them."""

import random
import sys
import time
from datetime import UTC, datetime

import anthropic
import freezegun
import groq
import httpx
import openai
import pytest
import time_machine

pytestmark = pytest.mark.lectr("hi.json")
MOMENT = "2026-11-20 12:00:00"


def hi(**more):
    """An application's call."""
    asked = [{"role": "user", "content": "say hi"}]
    with openai.OpenAI(max_retries=0) as client:
        reply = client.chat.completions.create(
            model="gpt-4o-mini", messages=asked, temperature=0, **more
        )
    return reply.choices[0].message.content


def kept(lectr):
    """The call is answered, and its budget can be held."""
    assert hi() == "hi 😀"
    lectr.assert_budget(usd_per_call=0.01, error_rate=0)


@pytest.fixture
def frozen():
    """Time, before the proxy starts."""
    with freezegun.freeze_time(MOMENT):
        yield


@freezegun.freeze_time(MOMENT)
def test_frozen_by_a_decorator(lectr):
    """freezegun's usual way; the test's own clock stands still."""
    kept(lectr)
    assert datetime.now(UTC) == datetime(2026, 11, 20, 12, tzinfo=UTC)


@freezegun.freeze_time(MOMENT)
class TestFrozenClass:
    """Every method of it."""

    def test_method(self, lectr):
        """As a function."""
        kept(lectr)


def test_frozen_around_the_application(lectr):
    """And thawed for the figures."""
    with freezegun.freeze_time(MOMENT):
        assert hi() == "hi 😀"
    lectr.assert_budget(usd_per_call=0.01)


def test_frozen_before_the_proxy(frozen, lectr):
    """By a fixture that comes first, and ends last."""
    kept(lectr)


def test_not_frozen(lectr):
    """In whatever order they come, nothing of a fake is left behind."""
    kept(lectr)
    assert datetime.now(UTC).year > 2020
    assert lectr.events()["started_at"].dtype.time_zone == "UTC"


@time_machine.travel(MOMENT, tick=False)
def test_travelled(lectr):
    """The other way to stop time."""
    kept(lectr)


def test_beside_respx(lectr, respx_mock):
    """Another service is mocked, the proxy passes."""
    respx_mock.route(host="127.0.0.1").pass_through()
    respx_mock.get("https://weather.example/api").respond(json={"t": 3})
    assert httpx.get("https://weather.example/api").json() == {"t": 3}
    kept(lectr)


@pytest.mark.httpx_mock(should_mock=lambda request: request.url.host != "127.0.0.1")
def test_beside_pytest_httpx(lectr, httpx_mock):
    """And no request of ours is one that nobody expected."""
    httpx_mock.add_response(url="https://weather.example/api", json={"t": 3})
    assert httpx.get("https://weather.example/api").json() == {"t": 3}
    kept(lectr)


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_beside_pytest_socket(lectr):
    """Which lets loopback through."""
    kept(lectr)


def test_without_sleep(lectr, monkeypatch):
    """Retries are made quick so."""
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("slept"))
    kept(lectr)


@pytest.mark.asyncio
async def test_with_asyncio(lectr):
    """A loop of pytest-asyncio's."""
    async with openai.AsyncOpenAI(max_retries=0) as client:
        await client.chat.completions.create(
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": "say hi"}],
            temperature=0.0,
        )
    lectr.assert_budget(usd_per_call=0.01)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_with_anyio(lectr, anyio_backend):
    """A loop of anyio's."""
    async with lectr.async_openai(max_retries=0) as client:
        await client.chat.completions.create(
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": "say hi"}],
            temperature=0.0,
        )
    lectr.assert_budget(usd_per_call=0.01)


def test_the_dice_are_the_test_s(lectr):
    """What was seeded is drawn."""
    random.seed(7)
    first = [random.random() for _ in range(3)]
    random.seed(7)
    kept(lectr)
    assert [random.random() for _ in range(3)] == first


def test_nothing_is_loaded_inside_a_test(lectr):
    """It would keep a clock that stands still."""
    before = set(sys.modules)
    kept(lectr)
    ours = ("lectr_lab", "polars", "genai_prices", "litestar", "uvicorn", "msgspec")
    assert not [n for n in set(sys.modules) - before if n.split(".")[0] in ours]


@pytest.mark.lectr("upload.yaml")
def test_an_upload_is_found_again(lectr):
    """However its boundary is drawn."""
    with openai.OpenAI(max_retries=0) as client:
        said = client.audio.transcriptions.create(
            model="whisper-1", file=("a.mp3", b"ID3\xff\x00abc"), temperature=0
        )
    assert said.text == "hi"


@pytest.mark.parametrize("make", [anthropic.Anthropic, groq.Groq, openai.OpenAI])
def test_an_sdk_of_a_year_ago_gets_in(lectr, make):
    """None of them reads a variable for headers."""
    with make(max_retries=0) as client, pytest.raises(Exception, match="No recording"):
        client.models.list()
    assert lectr.events().height == 1
