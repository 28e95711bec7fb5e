"""Budgets: what a request can cost is set aside, what it cost is counted, and one that
has no room is refused."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from cpu_time import cpu_s
from proxy.conftest import KEY, RunningProxy, settings_for

from lectr_lab.budgets.meters import Meter
from lectr_lab.budgets.states import BudgetState, budget_states, release
from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.config.settings import OrgSettings, ProviderSettings
from lectr_lab.config.shadow_settings import ShadowSettings
from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.headers import ClientHeaders
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.core.keys import KeyEntry
from lectr_lab.core.llm_api.request import RequestFacts
from lectr_lab.core.routing.providers import ResolvedProvider
from lectr_lab.launch import Child, Order, Session, build
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.hash_secret import hash_secret
from lectr_lab.proxy.clock import SystemClock
from lectr_lab.proxy.gates.budget_prices import Prices
from lectr_lab.proxy.gates.budgets import Budgets
from lectr_lab.proxy.server.run import in_thread

# gpt-4o-mini: $0.15 and $0.60 a million tokens.
USAGE = {"prompt_tokens": 20, "completion_tokens": 1000}
COST_USD = 0.000603
BODY = {"model": "gpt-4o-mini", "max_tokens": 1000, "messages": []}


def reply(usage: dict[str, Any] | None = None, **more: Any) -> bytes:
    said = {"model": "gpt-4o-mini-2024-07-18", "usage": usage or USAGE} | more
    body = json.dumps(said).encode()
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
    return f"{head}{len(body)}\r\n\r\n".encode() + body


def stop(usd: float, **more: Any) -> tuple[BudgetSettings, ...]:
    usual: dict[str, Any] = {"usd": usd, "per": "day", "action": "stop"}
    return (BudgetSettings(**usual | more),)


def meters(lab: Path, *budgets: BudgetSettings) -> list[Meter]:
    hashes = KeyedHash(hash_secret(LabFolder(lab), {}))
    return [Meter(budget, hashes) for budget in budgets]


def state(lab: Path, *budgets: BudgetSettings) -> BudgetState:
    [found] = budget_states(LabFolder(lab), meters(lab, *budgets))
    return found


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


CLIENT = httpx.Client(trust_env=False, verify=False, timeout=60)


def ask(proxy, path: str = "/v1/chat/completions", body: Any = None, **headers: str):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"X-Lectr-Key": KEY, "Authorization": "Bearer sk-provider"} | named
    return CLIENT.post(f"{proxy.url}{path}", json=body or BODY, headers=sent)


def test_a_budget_refuses_what_it_has_no_room_for(provider, start, capfd):
    """Sums of what was spent and what may be never pass it."""
    provider.answer = lambda sock, _: sock.sendall(reply())
    budgets = stop(0.002)
    proxy = start(provider.url, budget=budgets)

    statuses = []
    for nth in range(5):
        statuses.append(ask(proxy).status_code)
        until(lambda n=nth: state(proxy.lab, *budgets).held_usd == 0)
    refused = ask(proxy)

    assert statuses == [200, 200, 200, 429, 429]
    assert len(provider.received) == 3
    now = state(proxy.lab, *budgets)
    assert now.spent_usd == pytest.approx(3 * COST_USD)
    assert (now.requests, now.refused, now.state) == (3, 3, "reached")
    assert (now.bounded, now.unpriced) == (True, 0)
    error = refused.json()["error"]
    assert (error["type"], error["code"]) == ("rate_limit_error", "budget_exceeded")
    assert refused.headers["x-should-retry"] == "false"
    assert "retry-after" not in refused.headers
    assert "$0.0018 of $0.002 a day spent" in error["message"]
    assert "UTC" in error["message"]
    said = capfd.readouterr().err
    assert said.count("is nearly reached") == 1
    assert said.count("are refused") == 1


def test_a_budget_that_warns_refuses_nothing(provider, start, capfd):
    """It is told once that little is left, and once that nothing is."""
    provider.answer = lambda sock, _: sock.sendall(reply())
    budgets = (BudgetSettings(usd=0.002, per="day", whom={"feature": "chat"}),)
    proxy = start(provider.url, budget=budgets)

    for nth in range(5):
        assert ask(proxy, X_Lectr_Feature="chat").status_code == 200
        until(lambda n=nth: state(proxy.lab, *budgets).requests == n + 1)
    assert ask(proxy, X_Lectr_Feature="other").status_code == 200

    time.sleep(0.2)
    now = state(proxy.lab, *budgets)
    assert (now.requests, now.state, now.refused) == (5, "reached", 0)
    assert now.spent_usd == pytest.approx(5 * COST_USD)
    said = capfd.readouterr().err
    assert said.count("is nearly reached: $0.0018 of $0.002 a day spent") == 1
    assert said.count("is reached: $0.0024") == 1


def test_a_daily_cap_warns_in_health(provider, start):
    """Without the organisation's name, for whoever reaches the port."""
    usage = {"prompt_tokens": 900_000, "completion_tokens": 5_000}
    provider.answer = lambda sock, _: sock.sendall(reply(usage))
    proxy = start(provider.url, orgs={"acme": OrgSettings(daily_spend_usd=0.01)})

    assert ask(proxy).status_code == 200

    def warned() -> list[str]:
        return httpx.get(f"{proxy.url}/health").json()["warnings"]

    until(warned)
    assert warned() == ["An organisation has spent its daily_spend_usd of today."]
    [budget] = httpx.get(f"{proxy.url}/health").json()["budgets"]
    assert budget["state"] == "reached"
    assert not {"name", "for", "spent_usd", "usd"} & budget.keys()
    assert ask(proxy).status_code == 200


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/v1/messages", ("error", "code")),
        ("/v1beta/models/gemini-2.5-flash:generateContent", ("error", "status")),
        ("/v1/responses", ("error", "code")),
    ],
)
def test_a_refusal_has_the_form_that_was_asked_in(provider, start, path, where):
    """A 429 of that vendor's, which no client asks again at."""
    proxy = start(provider.url, budget=stop(1e-9))
    body = {"model": "claude-sonnet-4-5", "max_tokens": 10, "messages": []}
    if "gemini" in path:
        body = {"contents": [], "generationConfig": {"maxOutputTokens": 10}}
    elif "responses" in path:
        body = {"model": "gpt-5", "input": "hi", "max_output_tokens": 10}

    refused = ask(proxy, path, body)

    assert refused.status_code == 429
    assert refused.headers["x-should-retry"] == "false"
    code = refused.json()[where[0]][where[1]]
    assert code == ("RESOURCE_EXHAUSTED" if "gemini" in path else "budget_exceeded")
    assert provider.received == []
    assert proxy.event()["error_type"] == "budget_exceeded"


def test_what_has_no_price_passes_and_is_said(provider, start):
    """However much is spent."""
    provider.answer = lambda sock, _: sock.sendall(reply(model="local-model"))
    budgets = stop(0.001)
    proxy = start(provider.url, budget=budgets)

    for _ in range(3):
        assert ask(proxy, body=BODY | {"model": "local-model"}).status_code == 200

    until(lambda: state(proxy.lab, *budgets).unpriced == 3)
    assert state(proxy.lab, *budgets).spent_usd == 0


def test_what_asks_no_model_passes(provider, start):
    """A list of models is free, and no request of a budget."""
    budgets = stop(1e-9)
    proxy = start(provider.url, budget=budgets)
    with proxy.client() as client:
        assert client.get("/v1/models").status_code == 200

    time.sleep(0.2)
    assert state(proxy.lab, *budgets).requests == 0


def test_a_failure_gives_back_what_was_set_aside(provider, start):
    """An error of the provider's, or no provider at all, costs nothing."""
    provider.reply(
        b"HTTP/1.1 500 Oops\r\nContent-Type: application/json\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )
    budgets = stop(0.001)
    proxy = start(provider.url, budget=budgets)

    assert [ask(proxy).status_code for _ in range(3)] == [500] * 3

    until(lambda: state(proxy.lab, *budgets).requests == 3)
    now = state(proxy.lab, *budgets)
    assert (now.spent_usd, now.held_usd, now.lost_usd) == (0, 0, 0)


def test_who_leaves_pays_for_what_may_have_been_written(provider, start):
    """Nobody says what an answer cost that its client did not wait for."""
    gone = threading.Event()

    def answer(sock: socket.socket, _: Any) -> None:
        sock.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
            b'data: {"choices":[{"delta":{"content":"0123456789"}}]}\n\n'
        )
        gone.wait(10)
        sock.close()

    provider.answer = answer
    budgets = stop(0.01)
    proxy = start(provider.url, budget=budgets)
    body = BODY | {"stream": True}
    with (
        proxy.client() as client,
        client.stream("POST", "/v1/chat/completions", json=body) as told,
    ):
        next(told.iter_raw())
        assert state(proxy.lab, *budgets).held_usd > 0

    until(lambda: state(proxy.lab, *budgets).estimated == 1)
    gone.set()
    now = state(proxy.lab, *budgets)
    # The ten characters that came at a token each, and of what was sent a byte at most.
    sent_usd = len(json.dumps(body)) * 0.15e-6
    assert 6e-6 <= now.spent_usd <= 6e-6 + sent_usd
    assert now.held_usd == 0


def test_a_response_that_is_fetched_again_counts_once(provider, start):
    """Made in the background it counts by its bound, until it is known."""
    made = {"id": "resp_1", "object": "response", "model": "gpt-4o-mini"}
    done = made | {
        "status": "completed",
        "usage": {"input_tokens": 20, "output_tokens": 100, "total_tokens": 120},
    }

    def answer(sock: socket.socket, request: Any) -> None:
        said = done if request.line.startswith("GET") else made | {"status": "queued"}
        body = json.dumps(said).encode()
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
        sock.sendall(f"{head}{len(body)}\r\n\r\n".encode() + body)

    provider.answer = answer
    budgets = stop(0.01)
    proxy = start(provider.url, budget=budgets)
    body = {"model": "gpt-4o-mini", "input": "hi", "background": True}
    asked = ask(proxy, "/v1/responses", body | {"max_output_tokens": 1000})
    assert asked.status_code == 200
    until(lambda: state(proxy.lab, *budgets).estimated == 1)
    assert state(proxy.lab, *budgets).spent_usd == pytest.approx(0.0006, rel=0.1)

    with proxy.client() as client:
        for _ in range(3):
            assert client.get("/v1/responses/resp_1").status_code == 200

    cost_usd = 20 * 0.15e-6 + 100 * 0.6e-6
    until(lambda: state(proxy.lab, *budgets).spent_usd == pytest.approx(cost_usd))
    now = state(proxy.lab, *budgets)
    assert (now.requests, now.estimated) == (1, 0)


def test_a_plan_is_not_counted(provider, start):
    """It is paid for by the month."""
    budgets = stop(1e-9)
    proxy = start(provider.url, budget=budgets)
    body = {"model": "claude-sonnet-4-5", "max_tokens": 10, "messages": []}
    plan = {"Authorization": "Bearer sk-ant-oat01-test"}

    assert ask(proxy, "/v1/messages", body, **plan).status_code == 200
    assert ask(proxy, "/v1/messages", body).status_code == 429


def test_each_user_has_its_own(provider, start):
    """One that has spent all stops nobody else; who names no user has none."""
    provider.answer = lambda sock, _: sock.sendall(reply())
    budgets = stop(0.001, whom="user")
    proxy = start(provider.url, budget=budgets)

    def statuses(**headers: str) -> list[int]:
        told = []
        for _ in range(3):
            told.append(ask(proxy, **headers).status_code)
            until(lambda: state(proxy.lab, *budgets).held_usd == 0)
        return told

    assert statuses(X_Lectr_User="jane") == [200, 429, 429]
    assert statuses(X_Lectr_User="joe") == [200, 429, 429]
    assert statuses() == [200, 200, 200]
    now = state(proxy.lab, *budgets)
    assert (now.sums, now.requests) == (2, 2)


def test_the_state_holds_no_name(provider, start):
    """Of a user, a run, a feature or a key: sums are found by keyed hashes."""
    provider.answer = lambda sock, _: sock.sendall(reply())
    named = {"X_Lectr_User": "canary-user", "X_Lectr_Session": "canary-session"}
    named |= {"X_Lectr_Feature": "canary-feature"}
    each = tuple(
        BudgetSettings(usd=5, per=per, whom=whom, action="stop")
        for per, whom in [("day", "user"), ("run", "all"), ("week", "feature")]
    )
    one = stop(5, whom={"user": "canary-user"}) + stop(5, whom="key")
    proxy = start(provider.url, budget=each + one)

    assert ask(proxy, **named).status_code == 200

    until(lambda: all(state(proxy.lab, b).requests for b in (*each, *one)))
    for path in (proxy.lab / "state" / "budgets").iterdir():
        data = path.name.encode() + path.read_bytes()
        for word in (b"canary", b"lc_key", b"sk-provider", b"acme"):
            assert word not in data
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_deleted_state_does_not_begin_at_nothing(provider, start):
    """The log knows what was spent; before the first request it is read."""
    provider.answer = lambda sock, _: sock.sendall(reply())
    budgets = stop(0.002)
    first = start(provider.url, budget=budgets)
    for _ in range(3):
        assert ask(first).status_code == 200
    first.events(3)
    shutil.rmtree(first.lab / "state" / "budgets")

    second = start(provider.url, budget=budgets)

    assert ask(second).status_code == 429
    now = state(second.lab, *budgets)
    assert now.spent_usd == pytest.approx(3 * COST_USD)
    assert (now.requests, now.read_log) == (3, True)


def test_a_state_that_cannot_be_used_stops_nothing(provider, start):
    """It is said, and requests go on."""
    provider.answer = lambda sock, _: sock.sendall(reply())
    lab = start(provider.url).lab
    (lab / "state" / "budgets").write_text("no folder")
    proxy = start(provider.url, budget=stop(1e-9))

    assert ask(proxy).status_code == 200
    [warning] = httpx.get(f"{proxy.url}/health").json()["warnings"]
    assert warning.startswith("Budgets are not counted")


@pytest.mark.parametrize("damage", ["truncate", "scribble", "remove", "folder"])
def test_a_state_that_is_damaged_under_way_stops_nothing(provider, start, damage):
    """Requests go on; within seconds it is made anew, with what the log knows."""
    provider.answer = lambda sock, _: sock.sendall(reply())
    budgets = stop(5)
    proxy = start(provider.url, budget=budgets)
    assert ask(proxy).status_code == 200
    until(lambda: state(proxy.lab, *budgets).requests == 1)
    proxy.events(1)
    for path in (proxy.lab / "state" / "budgets").glob("*.spent"):
        if damage == "folder":
            shutil.rmtree(path.parent)
        elif damage == "truncate":
            path.write_bytes(b"")
        elif damage == "scribble":
            path.write_bytes(b"x" * 100)
        else:
            path.unlink()

    for nth in range(40):
        assert ask(proxy).status_code == 200, nth
        time.sleep(0.04)

    until(lambda: state(proxy.lab, *budgets).read_log)
    now = state(proxy.lab, *budgets)
    # What ran at that moment may be in the log and in the sums.
    assert 38 <= now.requests <= 46


def test_whoever_sits_on_the_lock_holds_up_nobody(provider, start):
    """Nothing is refused, and what was not written is, once the lock is free."""
    provider.answer = lambda sock, _: sock.sendall(reply())
    budgets = stop(0.0007)
    proxy = start(provider.url, budget=budgets)
    with (proxy.lab / "state" / "budgets" / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        began_s = time.monotonic()
        assert [ask(proxy).status_code for _ in range(5)] == [200] * 5
        assert time.monotonic() - began_s < 5
    health = httpx.get(f"{proxy.url}/health").json()
    assert health["budgets_not_counted"] >= 5
    until(lambda: state(proxy.lab, *budgets).requests == 5)

    assert ask(proxy).status_code == 429
    assert state(proxy.lab, *budgets).requests == 5


@pytest.fixture
def processes(tmp_path):
    """Start proxies on one lab, each in a process of its own."""
    with ExitStack() as stack:

        def start_one(provider_url: str, **changes: Any) -> RunningProxy:
            settings = settings_for(provider_url, tmp_path / "lab", port=0, **changes)
            child = Child(Order(settings=settings, session=Session(KEY, org="acme")))
            stack.callback(child.stop)
            running = RunningProxy(child.base_url, tmp_path / "lab")
            running.pid = child.pid
            return running

        yield start_one


@pytest.mark.slow
def test_a_thousand_at_once_do_not_pass_it(provider, processes):
    """Two proxies on one lab, and answers that come when they like: with true bounds the
    sum stays below, and nearly all of it can be spent."""

    def answer(sock: socket.socket, _: Any) -> None:
        time.sleep(0.001)
        sock.sendall(reply({"prompt_tokens": 20, "completion_tokens": 997}))

    provider.answer = answer
    budgets = stop(0.06)  # a hundred bounds of $0.0006 and a little
    proxies = [processes(provider.url, budget=budgets) for _ in range(2)]

    with ThreadPoolExecutor(30) as pool:
        replies = list(pool.map(lambda nth: ask(proxies[nth % 2]), range(1000)))

    statuses = [told.status_code for told in replies]
    assert set(statuses) == {200, 429}
    until(lambda: state(proxies[0].lab, *budgets).held_usd == 0)
    now = state(proxies[0].lab, *budgets)
    for proxy in proxies:
        health = CLIENT.get(f"{proxy.url}/health").json()
        assert health["budgets_not_counted"] == 0
    assert now.spent_usd <= 0.06
    assert now.requests == statuses.count(200) == len(provider.received)
    assert now.spent_usd == pytest.approx(now.requests * (3e-6 + 997 * 0.6e-6))
    assert now.spent_usd > 0.05


def test_what_a_killed_proxy_had_set_aside_counts_until_it_is_released(
    provider, processes
):
    """And nobody else's does: a second proxy on the lab goes on."""
    waiting = threading.Event()

    def answer(sock: socket.socket, _: Any) -> None:
        waiting.wait(60)
        sock.sendall(reply())

    provider.answer = answer
    budgets = stop(0.0014)
    killed, other = (processes(provider.url, budget=budgets) for _ in range(2))
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(ask, killed)
        until(lambda: state(other.lab, *budgets).held_usd > 0)
        os.kill(killed.pid, signal.SIGKILL)
        with pytest.raises(httpx.TransportError):
            one.result()
        until(lambda: state(other.lab, *budgets).lost_usd > 0)
        two = pool.submit(ask, other)
        until(lambda: state(other.lab, *budgets).held_usd > 0)
        assert ask(other).status_code == 429

        given = release(LabFolder(other.lab), meters(other.lab, *budgets))
        waiting.set()

        assert given["all requests, a day, stop"] == pytest.approx(0.00061, rel=0.1)
        assert two.result().status_code == 200
    until(lambda: state(other.lab, *budgets).held_usd == 0)
    assert ask(other).status_code == 200
    now = state(other.lab, *budgets)
    assert (now.lost_usd, now.refused) == (0, 1)


def test_a_window_begins_anew(provider, tmp_path):
    """At midnight of its zone; what began before it counts before."""
    provider.answer = lambda sock, _: sock.sendall(reply())
    before, after = (
        datetime(2026, 10, 24, hour, minute, tzinfo=UTC)
        for hour, minute in [(21, 59), (22, 1)]  # midnight of Berlin's longest day
    )
    budgets = stop(0.001, tz="Europe/Berlin")
    clock = SettableClock(before)
    settings = settings_for(provider.url, tmp_path / "lab", budget=budgets)
    app = build(settings, session=Session(KEY, org="acme"), clock=clock)
    with in_thread(app, limits=settings.limits) as url:
        proxy = RunningProxy(url, tmp_path / "lab")
        assert ask(proxy).status_code == 200
        until(lambda: ask(proxy).status_code == 429)
        clock.now = after
        assert ask(proxy).status_code == 200


class SettableClock(SystemClock):
    """The time of day is what a test says."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def utc_now(self) -> datetime:
        return self.now


def test_a_shadow_costs_as_well(provider, start, monkeypatch):
    """It is counted, and one that has no room is not sent."""
    monkeypatch.setenv("OWN_KEY", "sk-test-own")
    provider.answer = lambda sock, request: sock.sendall(
        reply(model=json.loads(request.body)["model"])
    )
    openai = ProviderSettings(
        base_url=f"{provider.url}/openai/v1", operator_key_env="OWN_KEY"
    )
    shadow = ShadowSettings(model="gpt-4o", provider="openai", share=1.0)
    budgets = stop(0.0125)
    proxy = start(
        provider.url, budget=budgets, shadow=shadow, providers={"openai": openai}
    )

    assert ask(proxy).status_code == 200
    until(lambda: state(proxy.lab, *budgets).requests == 2)
    until(lambda: state(proxy.lab, *budgets).held_usd == 0)
    spent_usd = state(proxy.lab, *budgets).spent_usd
    assert spent_usd == pytest.approx(COST_USD + 20 * 2.5e-6 + 0.01)
    assert ask(proxy).status_code == 200

    def shadows() -> dict[str, int]:
        return CLIENT.get(f"{proxy.url}/health").json()["shadows"]

    until(lambda: shadows()["over_budget"] == 1)
    assert len(provider.received) == 3


def test_each_of_several_answers_is_set_aside(provider, start):
    """As many as are asked for at once."""
    provider.answer = lambda sock, _: sock.sendall(reply())
    proxy = start(provider.url, budget=stop(0.002))

    assert ask(proxy, body=BODY | {"n": 4}).status_code == 429
    assert ask(proxy, body=BODY | {"n": 3}).status_code == 200


def test_without_a_budget_nothing_of_it_is_loaded():
    """Neither prices nor sums; and nobody asks on a request's path."""
    code = (
        "import sys, tempfile; from lectr_lab.config.settings import Settings; "
        "from lectr_lab.launch import build; build(Settings(lab=tempfile.mkdtemp())); "
        "print([m for m in sys.modules if 'genai' in m or m.endswith('gates.budgets')])"
    )
    told = subprocess.check_output([sys.executable, "-c", code], text=True)

    assert told == "[]\n"


def test_a_request_is_counted_in_microseconds(tmp_path):
    """20 on a machine of its own; five times that on one that is busy."""
    lab = LabFolder.create(tmp_path / "lab")
    budgets = Budgets(lab, meters(lab.root, *stop(1e6)), Prices())
    budgets._pay_soon = lambda: None
    pairs = [asked_and_answered() for _ in range(500)]

    def all_of_them() -> None:
        for exchange, event in pairs:
            assert budgets.admit(exchange) is None
            budgets.ended(event)

    assert cpu_s(all_of_them) / len(pairs) < 100e-6
    budgets.stop()


def test_one_that_cannot_be_counted_leaves_the_others(tmp_path, monkeypatch):
    """They are counted many at once; it is said how many were not."""
    lab, budget = LabFolder.create(tmp_path / "lab"), stop(1)
    prices = Prices()
    budgets = Budgets(lab, meters(lab.root, *budget), prices)
    budgets._pay_soon = lambda: None
    pairs = [asked_and_answered() for _ in range(3)]
    broken, cost_pusd = pairs[1][1], prices.cost_pusd
    monkeypatch.setattr(
        prices, "cost_pusd", lambda e: 1 // 0 if e is broken else cost_pusd(e)
    )
    for exchange, _ in pairs:
        assert budgets.admit(exchange) is None
    for _, event in pairs:
        budgets.ended(event)

    budgets.stop()

    assert state(lab.root, *budget).requests == 2
    assert budgets.about()["budgets_not_counted"] == 1


def test_what_is_over_makes_room_for_the_next(tmp_path):
    """At once, though it is counted with others where many come."""
    other, lab = (LabFolder.create(tmp_path / name) for name in ("other", "lab"))
    prices = Prices()
    wide = Budgets(other, meters(other.root, *stop(1)), prices)
    assert wide.admit(asked_and_answered()[0]) is None
    bound_usd = state(other.root, *stop(1)).held_usd
    wide.stop()
    budgets = Budgets(lab, meters(lab.root, *stop(1.5 * bound_usd)), prices)
    budgets._pay_soon = lambda: None
    for exchange, event in (asked_and_answered() for _ in range(2)):
        assert budgets.admit(exchange) is None
        assert budgets.admit(asked_and_answered()[0]) is not None
        budgets.ended(event)
    budgets.stop()


def asked_and_answered() -> tuple[Exchange, Event]:
    now = datetime.now(UTC)
    exchange = Exchange(
        event_id=os.urandom(16),
        started_at=now,
        started_s=0.0,
        raw_path=b"/v1/chat/completions",
        client_headers=ClientHeaders(),
        key=KeyEntry(key_id="k", org="acme", digest=b"", created_at=now),
    )
    exchange.received(RequestFacts(model="gpt-4o-mini", max_output_tokens=9), 80, 0.0)
    target = ResolvedProvider("openai", "model")
    exchange.ruled(target, target, "gpt-4o-mini", None, None)
    event = exchange.ended("ok", 1.0)
    counts = {"input_tokens": 20, "output_tokens": 9, "token_source": "provider"}
    return exchange, msgspec.structs.replace(event, **counts)
