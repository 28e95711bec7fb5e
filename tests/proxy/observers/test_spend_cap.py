"""The soft cap: it adds up, it warns once a day, it never refuses."""

import json
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from lectr_lab.config.settings import OrgSettings
from lectr_lab.core.event import Event
from lectr_lab.proxy.observers import spend_cap as spend_module
from lectr_lab.proxy.observers.spend_cap import SpendWatch

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def event(org: str = "acme", **changes) -> Event:
    """A call that costs 0.00045 dollars."""
    named = {"model_actual": "gpt-4o-mini", "input_tokens": 1000, "output_tokens": 500}
    return Event(
        event_id=bytes(16),
        started_at=NOON,
        org=org,
        path="/v1/chat/completions",
        operation="chat",
        provider="openai",
        outcome="ok",
        total_ms=1.0,
        **(named | changes),
    )


@pytest.fixture
def said(monkeypatch) -> list[str]:
    monkeypatch.setattr(spend_module, "_EVERY_S", 0.01)
    return []


def until(holds) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_who_is_over_is_told_once_a_day(said):
    """And again the next day, from 0."""
    now = NOON
    watch = SpendWatch(
        {"acme": OrgSettings(daily_spend_usd=0.0009)}, said.append, lambda: now
    )
    watch.start()
    try:
        watch.ended(event())
        time.sleep(0.1)
        assert watch.about()["org_warnings"] == []
        watch.ended(event())
        watch.ended(event())
        until(lambda: watch.about()["org_warnings"])
        assert watch.about()["org_warnings"] == [
            ("acme", "has spent its daily_spend_usd of today.")
        ]
        now += timedelta(days=1)
        until(lambda: not watch.about()["org_warnings"])
        watch.ended(event())
        watch.ended(event())
        until(lambda: watch.about()["org_warnings"])
    finally:
        watch.stop()

    assert len(said) == 2
    assert "acme has spent $0.00 since" in said[0]


def test_what_has_no_price_is_said_with_the_sum(said):
    """It is not in the sum, and the line does not hide that."""
    watch = SpendWatch({"acme": OrgSettings(daily_spend_usd=0.0001)}, said.append)
    watch.start()
    watch.ended(event(model_actual="nobody-knows-this"))
    watch.ended(event(input_tokens=None))
    watch.ended(event())
    watch.stop()

    [line] = said
    assert "2 requests have no known price" in line


def test_without_a_cap_there_is_no_thread_and_no_sum(said):
    """Nor for an organisation that has none."""
    watch = SpendWatch({"acme": OrgSettings()}, said.append)
    watch.start()
    watch.ended(event())
    watch.stop()

    assert "lectr-spend" not in {t.name for t in threading.enumerate()}
    assert (watch.about()["warnings"], said) == ([], [])


def test_without_a_price_list_health_says_so(said, monkeypatch):
    """The `lab` extra has it."""
    monkeypatch.setitem(sys.modules, "lectr_lab.core.pricing.price", None)
    watch = SpendWatch({"acme": OrgSettings(daily_spend_usd=1.0)}, said.append)
    watch.start()
    until(lambda: watch.about()["warnings"])
    watch.ended(event())
    watch.stop()

    assert "genai-prices is not installed" in watch.about()["warnings"][0]
    assert said == watch.about()["warnings"]


def test_a_cap_warns_and_does_not_block(provider, start, said, capfd):
    """On the program's stderr and in /health; the next request goes through."""
    usage = {"prompt_tokens": 900_000, "completion_tokens": 5_000}
    body = json.dumps({"model": "gpt-4o-mini", "usage": usage}).encode()
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
    provider.reply(f"{head}{len(body)}\r\n\r\n".encode() + body)
    proxy = start(provider.url, orgs={"acme": OrgSettings(daily_spend_usd=0.01)})

    def ask() -> int:
        with proxy.client() as client:
            body = {"model": "gpt-4o-mini", "messages": []}
            return client.post("/v1/chat/completions", json=body).status_code

    assert ask() == 200
    until(lambda: httpx.get(f"{proxy.url}/health").json()["warnings"])
    assert ask() == 200
    assert "acme has spent $0.14 since" in capfd.readouterr().err
