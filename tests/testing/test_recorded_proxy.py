"""The proxy that a test holds."""

import random
import threading
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx
import pytest

from lectr_lab.resources import shipped_cassettes
from lectr_lab.tape.cassette import read_cassette
from lectr_lab.testing.replay import replay

ERRORS = shipped_cassettes() / "llama" / "errors.yaml"


@pytest.mark.parametrize("sdk", ["openai", "anthropic", "groq"])
def test_ready_clients_arrive(sdk):
    """Each SDK's own error for what is not on the tape, and an event of it."""
    with replay(ERRORS) as proxy:
        client = getattr(proxy, sdk)(feature="f", task="generation", max_retries=0)
        with pytest.raises(Exception, match="No recording answers GET models"):
            client.models.list()
        [event] = proxy.events().iter_rows(named=True)

    assert (event["feature"], event["task"]) == ("f", "generation")
    assert (event["status"], event["path"].split("/")[-1]) == (501, "models")


@pytest.mark.anyio
@pytest.mark.parametrize("sdk", ["openai", "anthropic", "groq"])
async def test_ready_async_clients_arrive(sdk):
    """As the others do."""
    with replay(ERRORS) as proxy:
        make = getattr(proxy, f"async_{sdk}")
        async with make(feature="f", task="generation", max_retries=0) as client:
            with pytest.raises(Exception, match="No recording answers GET models"):
                await client.models.list()
        [event] = proxy.events().iter_rows(named=True)

    assert (event["feature"], event["task"], event["status"]) == (
        "f",
        "generation",
        501,
    )


def test_figures_are_the_recordings():
    """To the microsecond."""
    one = read_cassette(ERRORS)[0]
    with replay(ERRORS) as proxy:
        client = proxy.openai(max_retries=0)
        with pytest.raises(Exception, match="400"):
            client.post("/chat/completions", content=one.request_body, cast_to=object)
        [event] = proxy.events().iter_rows(named=True)

    assert event["total_ms"] == one.chunks[-1].at_ms
    assert event["ttfb_ms"] == one.head_ms
    assert event["overhead_ms"] == 0.0


def test_a_key_is_not_shown():
    """Whoever prints the fixture prints an address."""
    with replay(ERRORS) as proxy:
        assert proxy.base_url in repr(proxy)
        assert proxy.key not in repr(proxy)


def _asked(proxy):
    """A call that no patched library makes."""
    connection = HTTPConnection(urlsplit(proxy.base_url).netloc, timeout=10)
    connection.request("GET", "/v1/models", headers=proxy.headers())
    status = connection.getresponse().status
    connection.close()
    return status


def test_what_tests_patch_is_not_used(monkeypatch):
    """A clock that stands still, a sleep that is none, an HTTP library that is a mock."""

    def mocked(*_, **__):
        raise AssertionError("the test's")

    with replay(ERRORS) as proxy:
        assert _asked(proxy) == 501
        for module, name in ((time, "sleep"), (httpx, "Client"), (httpx, "get")):
            monkeypatch.setattr(module, name, mocked)
        for name in ("time", "monotonic", "perf_counter", "time_ns"):
            monkeypatch.setattr(time, name, lambda: 0)
        logged = proxy.events()
        monkeypatch.undo()

    assert logged.height == 1


def test_the_dice_of_a_test_stay_its_own():
    """Seeded before, a test draws the same with the proxy as without."""
    random.seed(19)
    before = random.getstate()
    with replay(ERRORS) as proxy:
        _asked(proxy)
        proxy.events()

    assert random.getstate() == before


def test_an_event_that_is_still_to_come_is_waited_for():
    """A request at work, or begun and not counted yet; not for ever."""
    with replay(ERRORS) as proxy:
        box = proxy._box
        box._begun.add(b"counting")
        threading.Timer(0.05, box._begun.clear).start()
        proxy.events()

        assert not box.busy


def test_a_key_in_the_address_does_for_a_header():
    """SDKs of a year ago read no variable for headers."""
    with replay(ERRORS) as proxy:
        for name, path in (("OPENAI", "/models"), ("ANTHROPIC", "/v1/models")):
            address = proxy.environment[f"{name}_BASE_URL"] + path
            connection = HTTPConnection(urlsplit(address).netloc, timeout=10)
            connection.request("GET", urlsplit(address).path)
            assert connection.getresponse().status == 501
            connection.close()

        assert set(proxy.events()["path"]) == {"/v1/models"}
