"""The same request again after a failure is told; nothing of it is kept."""

import os
import time
from datetime import UTC, datetime

import pytest

from lectr_lab.core.exchange import Exchange
from lectr_lab.core.headers import ClientHeaders
from lectr_lab.core.keys import KeyEntry
from lectr_lab.core.routing.providers import ResolvedProvider
from lectr_lab.proxy.observers import retries
from lectr_lab.proxy.observers.retries import MOST_BYTES, WITHIN_S, Retries
from lectr_lab.proxy.shared.failures import Failures, open_memory

CHAT = "/v1/chat/completions"
FAILED = b"HTTP/1.1 %s\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"


class Asked:
    """Requests shown to what is under test, at any time."""

    def __init__(self, shared: Failures | None = None) -> None:
        self.now_s, self.count = 0.0, 0
        self.retries = Retries(lambda: self.now_s, shared)

    def one(self, body=b"{}", outcome="ok", status=200, key="k", path=CHAT):
        """A whole request: what its event says."""
        return self.ended(self.begun(body, key, path), outcome, status)

    def begun(self, body=b"{}", key="k", path=CHAT) -> Exchange:
        """One that runs."""
        self.count += 1
        now = datetime.now(UTC)
        exchange = Exchange(
            event_id=self.count.to_bytes(16),
            started_at=now,
            started_s=0.0,
            raw_path=path.encode(),
            client_headers=ClientHeaders(),
            key=KeyEntry(key_id=key, org="acme", digest="", created_at=now),
        )
        self.retries.begin(exchange, memoryview(body))
        return exchange

    def ended(self, exchange, outcome="ok", status=200) -> bool | None:
        """It is over."""
        event = exchange.ended(outcome, 0.0, status=status)
        self.retries.ended(event)
        return event.retry_of_failed


@pytest.fixture
def asked() -> Asked:
    """Nothing was asked yet."""
    return Asked()


def fail(asked, **how) -> None:
    asked.one(outcome="provider_error", status=529, **how)


@pytest.mark.parametrize(
    ("outcome", "status", "again"),
    [
        ("ok", 200, False),
        ("provider_error", 429, True),
        ("provider_error", 400, True),
        ("unreachable", 503, True),
        ("timeout", 504, True),
        ("client_disconnect", 200, True),
        ("client_disconnect", None, True),
        ("upstream_disconnect", 200, True),
        ("error_in_stream", 200, True),
    ],
)
def test_it_is_a_retry_after_a_failure_alone(asked, outcome, status, again):
    """Whatever failed; and the next after a success is none."""
    assert asked.one(outcome=outcome, status=status) is False
    assert asked.one() is again
    assert asked.one() is False


@pytest.mark.parametrize(
    "other", [{"body": b"{ }"}, {"key": "k2"}, {"path": "/v1/responses"}]
)
def test_what_differs_is_no_retry(asked, other):
    """Another body, another key, another kind of call."""
    fail(asked)

    assert asked.one(**other) is False
    assert asked.one() is True


def test_a_failure_counts_for_ten_minutes(asked):
    """From the last one on."""
    fail(asked)
    asked.now_s = WITHIN_S
    fail(asked)
    asked.now_s = 2 * WITHIN_S

    assert asked.begun().retry_of_failed is True
    asked.now_s += 0.1
    assert asked.begun().retry_of_failed is False


def test_what_still_runs_has_not_failed(asked):
    """Two at once are two requests."""
    first = asked.begun()

    assert asked.begun().retry_of_failed is False
    asked.ended(first, "timeout", 504)
    assert asked.begun().retry_of_failed is True


@pytest.mark.parametrize(
    ("size", "said"), [(0, None), (1, True), (MOST_BYTES, True), (MOST_BYTES + 1, None)]
)
def test_what_was_not_looked_at_is_not_said(asked, size, said):
    """No body, and one that is too large."""
    fail(asked, body=bytes(size))

    assert asked.one(body=bytes(size)) is said


def test_memory_is_bounded_and_holds_no_body(asked, monkeypatch):
    """The oldest failure is forgotten; what ended leaves nothing else."""
    monkeypatch.setattr(retries, "_MOST_FAILED", 3)
    for word in (b"canary-1", b"canary-2", b"canary-3", b"canary-4"):
        fail(asked, body=word)

    assert [asked.begun(w).retry_of_failed for w in (b"canary-1", b"canary-2")] == [
        False,
        True,
    ]
    failures = asked.retries._failures
    assert len(vars(failures)["_failed_s"]) == 3
    assert "canary" not in str(vars(asked.retries)) + str(vars(failures))


def test_another_worker_knows_what_failed():
    """Also where it was asked before the first had said so: its client saw the failure's
    first byte. What was asked before that byte, or succeeded, is no retry."""
    fd = open_memory()
    one, other = (Asked(Failures(os.dup(fd))) for _ in range(2))
    os.close(fd)
    one.now_s = other.now_s = 100.0
    failing, alongside = one.begun(), other.begun()
    failing.sent_to(ResolvedProvider("openai", "model"), 100.0)
    failing.answered(500, [], 101.0)
    other.now_s = 101.5
    again = other.begun()
    assert again.retry_of_failed is False
    failing.passed_on(102.0)
    one.now_s = 102.0
    one.ended(failing, "provider_error", 500)
    for exchange in (again, alongside):
        for tap in exchange.taps:
            tap(b"a reply")

    assert (again.retry_of_failed, alongside.retry_of_failed) == (True, False)
    other.now_s = 103.0
    other.ended(again)
    assert one.begun().retry_of_failed is False


def test_running_requests_are_bounded(asked, monkeypatch):
    """Who is not remembered is told all the same whether it is a retry."""
    fail(asked)
    monkeypatch.setattr(retries, "_MOST_RUNNING", 1)
    running = [asked.begun(b"%d" % n) for n in range(3)]

    assert asked.begun().retry_of_failed is True
    assert len(asked.retries._running) == 1
    for one in running:
        asked.ended(one, "timeout", 504)
    assert not asked.retries._running


def test_the_cost_of_a_body_grows_no_faster_than_it(asked):
    """Processor time a byte, at sixteen times the size."""

    def cpu_s(size: int, times: int) -> float:
        body = bytes(size)
        began_s = time.process_time()
        for _ in range(times):
            asked.begun(body)
        return time.process_time() - began_s

    cpu_s(MOST_BYTES, 10)

    assert cpu_s(MOST_BYTES, 100) < 4 * cpu_s(MOST_BYTES // 16, 1600)


def test_a_retry_is_told_in_the_log(provider, proxy):
    """At the real proxy: an agent that asks again as Claude Code does at 529."""
    bodies = [b'{"model": "claude-x", "n": %d}' % n for n in (1, 1, 2, 1)]
    statuses = [b"529 Overloaded", b"200 OK", b"200 OK", b"200 OK"]
    said = []
    for count, (body, status) in enumerate(zip(bodies, statuses, strict=True), 1):
        provider.reply(FAILED % status)
        with proxy.client() as client:
            client.post("/v1/messages", content=body)
            client.get("/v1/models")
        said = proxy.events(2 * count)

    told = {e["operation"]: [] for e in said}
    for event in said:
        told[event["operation"]].append(event["retry_of_failed"])
    assert told == {"messages": [False, True, False, False], "models": [None] * 4}
