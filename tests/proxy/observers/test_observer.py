"""Observers at the real proxy: one that fails harms no request and no other observer."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import httpx
import pytest

from lectr_lab.config.settings import ProviderSettings, Settings
from lectr_lab.core.keys import KeyEntry
from lectr_lab.proxy import app as application
from lectr_lab.proxy.observers.observer import Observers
from lectr_lab.proxy.server.run import in_thread
from lectr_lab.testing.recorded_proxy import Box

SECRET = "sk-" + "a" * 24
KEYS = {"X-Lectr-Key": "lc_key_x", "Authorization": f"Bearer {SECRET}"}
BODY = b'{"model": "gpt-4o", "pad": "%s"}' % (b"a" * 100_000)


class Watcher:
    """An observer that counts."""

    name, active = "watcher", True

    def __init__(self) -> None:
        self.begun = self.over = self.tapped = 0

    def begin(self, exchange, body) -> None:
        self.begun += 1
        exchange.taps.append(self._tap)

    def _tap(self, chunk: bytes) -> None:
        self.tapped += len(chunk)

    def ended(self, event) -> None:
        self.over += 1

    def about(self) -> dict:
        return {"watched": self.over}

    def start(self) -> None:
        """Nothing to start."""

    stop = start


class Raising(Watcher):
    """Fails wherever it can, with a key in its words."""

    name = "raising"

    def _fail(self, *_) -> None:
        raise ValueError(SECRET)

    def begin(self, exchange, body) -> None:
        exchange.taps.append(self._fail)
        self._fail()

    ended = about = start = stop = _fail


class Sleeping(Watcher):
    """Takes its time."""

    name = "sleeping"

    def begin(self, exchange, body) -> None:
        self.begun += 1
        time.sleep(0.1)


class Leaking(Watcher):
    """Keeps what it is shown."""

    name = "leaking"

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[memoryview] = []

    def begin(self, exchange, body) -> None:
        self.kept.append(body)


@contextmanager
def proxy_with(monkeypatch, provider, lab, *observers) -> Iterator[tuple[str, Box]]:
    """The real application with these in the place of the shadows."""
    log = Box()
    monkeypatch.setattr(
        application,
        "Observers",
        lambda first, *usual: Observers(
            first, *(observers if usual and first is not log else usual)
        ),
    )
    openai = ProviderSettings(base_url=f"{provider.url}/v1")
    settings = Settings(lab=str(lab), providers={"openai": openai})
    key = KeyEntry(key_id="k", org="acme", digest="", created_at=datetime.now(UTC))
    app = application.create_app(settings, log, lambda _: key)
    with in_thread(app) as url:
        yield url, log


def ask(url: str) -> httpx.Response:
    return httpx.post(f"{url}/v1/chat/completions", content=BODY, headers=KEYS)


def settled(log: Box, count: int) -> int:
    """How many events there are, once there are so many: the last may still wait for
    what is known of its prompt."""
    until = time.monotonic() + 10
    while len(log.events) < count and time.monotonic() < until:
        time.sleep(0.01)
    return len(log.events)


@pytest.fixture
def begin(monkeypatch, provider, tmp_path):
    """Start a proxy with these observers behind the log."""
    with ExitStack() as stack:
        yield lambda *observers: stack.enter_context(
            proxy_with(monkeypatch, provider, tmp_path, *observers)
        )


def test_one_that_raises_harms_nobody(begin, capfd):
    """Every reply is whole, the log has every event, the next observer is told; what it
    said with a key in it stands nowhere."""
    after = Watcher()
    url, log = begin(Raising(), after)

    replies = [ask(url) for _ in range(10)]
    health = httpx.get(f"{url}/health")

    assert [(r.status_code, r.content) for r in replies] == [(200, b"{}")] * 10
    assert settled(log, 10) == after.begun == after.over == 10
    assert after.tapped == 20
    assert health.json()["faults"]["raising"]["raised"] >= 30
    assert health.json()["watched"] == 10
    assert SECRET not in health.text + "".join(capfd.readouterr())


def test_one_that_sleeps_is_told_no_more(begin):
    """After five times: that is all that it costs the others."""
    sleeping, after = Sleeping(), Watcher()
    url, log = begin(sleeping, after)

    for _ in range(20):
        assert ask(url).status_code == 200

    health = httpx.get(f"{url}/health").json()
    assert sleeping.begun == 5
    assert health["faults"]["sleeping"] == {"raised": 0, "slow": 5, "off": True}
    told = [line for line in health["warnings"] if line.startswith("sleeping")]
    assert "called no more" in told[0]
    assert settled(log, 20) == after.over == 20


def test_one_that_leaks_keeps_no_body(begin):
    """It was lent: what is kept of it is empty, and cannot be read."""
    leaking = Leaking()
    url, log = begin(leaking)

    for _ in range(5):
        assert ask(url).status_code == 200

    assert len(leaking.kept) == settled(log, 5) == 5
    for kept in leaking.kept:
        with pytest.raises(ValueError, match="released"):
            bytes(kept)


def test_who_has_nothing_to_do_is_not_told():
    """It costs a request nothing."""
    idle = Watcher()
    idle.active = False
    observers = Observers(Box(), idle)

    observers.ended(None)

    assert idle.over == 0
