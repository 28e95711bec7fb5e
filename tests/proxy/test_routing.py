"""Rules at real sockets: what is asked, under whose key, and what the event says."""

import gzip
import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lectr_lab.config.operator_keys import OperatorKeys
from lectr_lab.config.settings import AzureSettings, ProviderSettings, Settings
from lectr_lab.core.keys import KeyEntry
from lectr_lab.core.routing.rules import (
    Conditions,
    Rule,
    RuleInput,
    RuleTarget,
    decide,
    in_order,
)
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.scan import scan
from lectr_lab.proxy import routing
from lectr_lab.proxy.app import create_app
from lectr_lab.proxy.observers.outbox import Outbox
from lectr_lab.proxy.server.run import in_thread

CHAT = "/v1/chat/completions"
VENDORS = ("openai", "anthropic", "groq", "gemini", "azure")
MODEL_OF = {
    "openai": "gpt-4o",
    "anthropic": "claude-x",
    "groq": "llama-3.1-8b-instant",
    "gemini": "gemini-2.0-flash",
    "azure": "my-deployment",
}
OPERATOR = {name: f"operator-key-of-{name}-0123456789" for name in VENDORS}
MINI = """
[[rules]]
name = "faq-to-mini"
priority = 1
when = { feature = "faq" }
then = { model = "gpt-4o-mini" }
"""


@pytest.fixture
def ruled(tmp_path, start, vendors, monkeypatch):
    """Start a proxy with these rules before five vendors, the operator's keys at hand."""

    def begin(rules: str, keyed=VENDORS, **changes):
        path = tmp_path / "rules.toml"
        path.write_text(rules)
        for name in VENDORS:
            monkeypatch.setenv(f"OPERATOR_{name.upper()}", OPERATOR[name])
        env = {n: f"OPERATOR_{n.upper()}" if n in keyed else None for n in VENDORS}
        url = {n: f"{vendors[n].url}/v1" for n in VENDORS}
        several = {
            n: ProviderSettings(base_url=url[n], operator_key_env=env[n])
            for n in VENDORS[:4]
        }
        azure = AzureSettings(endpoint=url["azure"], operator_key_env=env["azure"])
        asked = {"providers": several, "azure": azure, "rules": str(path)} | changes
        return start("", **asked)

    return begin


def test_a_rule_changes_the_model_and_nothing_else(ruled, vendors):
    """The body byte for byte but one value, the key the client's, the event in full."""
    proxy = ruled(MINI)
    body = (
        b'{ "messages":[{"content":"\\u00e9 \xc3\xa9"}],\n"model" : "gpt-4o","n":1.0}'
    )

    with proxy.client(X_Lectr_Feature="faq", Cookie="a=b") as client:
        client.post(f"{CHAT}?x=1", content=body)

    [received] = vendors["openai"].received
    event = proxy.event()
    assert received.body == body.replace(b"gpt-4o", b"gpt-4o-mini")
    assert received.line == f"POST {CHAT}?x=1 HTTP/1.1"
    headers = dict(received.headers)
    assert headers["content-length"] == str(len(body) + 5)
    assert headers["authorization"] == "Bearer sk-provider"
    assert headers["cookie"] == "a=b"
    assert (event["model_requested"], event["model_sent"]) == ("gpt-4o", "gpt-4o-mini")
    assert (event["rule"], event["rule_skipped"]) == ("faq-to-mini", None)
    assert (event["provider"], event["provider_requested"]) == ("openai", None)


def test_a_rule_may_ask_who_it_is(ruled, vendors):
    """By the client's family, the session or the user, as the log has them."""
    proxy = ruled(MINI.replace('feature = "faq"', 'client = "codex", session = "n*"'))
    body = {"model": "gpt-4o"}

    for agent, session in (("codex_exec/1.0", "night"), ("codex_exec/1.0", "day")):
        with proxy.client(User_Agent=agent, X_Lectr_Session=session) as client:
            client.post(CHAT, json=body)

    first, second = proxy.events(2)
    assert (first["client"], first["session"]) == ("codex", "night")
    assert (first["rule"], first["model_sent"]) == ("faq-to-mini", "gpt-4o-mini")
    assert (second["rule"], second["model_sent"]) == (None, "gpt-4o")
    assert b"night" not in vendors["openai"].received[0].head


def test_what_no_rule_matches_goes_as_it_came(ruled, vendors):
    """And the event says nothing of rules."""
    proxy = ruled(MINI)

    with proxy.client(X_Lectr_Feature="other") as client:
        client.post(CHAT, content=b'{"model":"gpt-4o"}')

    event = proxy.event()
    assert vendors["openai"].received[0].body == b'{"model":"gpt-4o"}'
    assert event["model_sent"] == "gpt-4o"
    assert (event["rule"], event["rule_skipped"]) == (None, None)


def test_azures_deployment_is_in_the_path_too(ruled, vendors):
    """URL and body name the same model."""
    proxy = ruled(MINI)

    with proxy.client(X_Lectr_Feature="faq", X_Lectr_Provider="azure") as client:
        client.post(CHAT, json={"model": "my-deployment"})

    [received] = vendors["azure"].received
    assert "/openai/deployments/gpt-4o-mini/chat/completions?" in received.line
    assert json.loads(received.body) == {"model": "gpt-4o-mini"}


@pytest.mark.parametrize(
    ("encoding", "skipped"), [("gzip", "compressed_body"), ("br", "no_model")]
)
@pytest.mark.parametrize("then", ['provider = "groq", model = "m"', 'model = "m"'])
def test_a_compressed_body_is_not_changed(ruled, vendors, then, encoding, skipped):
    """Nor shown to another vendor: nobody can say whether a key is in it."""
    rule = f'[[rules]]\nname = "r"\npriority = 1\nthen = {{ {then} }}\n'
    proxy, body = ruled(rule, VENDORS), gzip.compress(b'{"model":"gpt-4o"}')

    with proxy.client(Content_Encoding=encoding) as client:
        assert client.post(CHAT, content=body).status_code == 200

    event = proxy.event()
    assert [r.body for r in vendors["openai"].received] == [body]
    assert not vendors["groq"].received
    assert (event["rule"], event["rule_skipped"]) == (None, skipped)
    assert event["model_sent"] == ("gpt-4o" if encoding == "gzip" else None)


@pytest.mark.parametrize(
    ("body", "then", "keyed", "skipped"),
    [
        (b'{"model":"gpt-4o"}', '{ provider = "groq", model = "m" }', (), "no_operator_key"),
        (b'{"model":"gpt-4o"}', '{ model = "claude-x" }', VENDORS, "model_of_another_provider"),
        (b'{"mod\\u0065l":"gpt-4o"}', '{ model = "m" }', VENDORS, "model_not_found_in_body"),
        (b'{"model":"gpt-4o","k":"sk-provider"}', '{ provider = "groq", model = "m" }', VENDORS, "key_in_body"),
    ],
)  # fmt: skip
def test_what_cannot_be_applied_goes_as_it_came(
    ruled, vendors, body, then, keyed, skipped
):
    """With the client's key, to the vendor it named; the event says why."""
    rule = f'[[rules]]\nname = "r"\npriority = 1\nthen = {then}\n'
    proxy = ruled(rule, keyed)

    with proxy.client() as client:
        assert client.post(CHAT, content=body).status_code == 200

    event = proxy.event()
    assert [r.body for r in vendors["openai"].received] == [body]
    assert not vendors["groq"].received
    assert (event["rule"], event["rule_skipped"]) == (None, skipped)
    assert (event["model_sent"], event["provider"]) == ("gpt-4o", "openai")


def test_a_failure_of_ours_sends_the_request_as_it_came(ruled, vendors, monkeypatch):
    """Whatever breaks in evaluating; it is counted."""
    proxy = ruled(MINI)
    monkeypatch.setattr(routing, "decide", lambda *_: 1 / 0)

    with proxy.client(X_Lectr_Feature="faq") as client:
        assert client.post(CHAT, json={"model": "gpt-4o"}).status_code == 200
        health = client.get("/health").json()

    assert json.loads(vendors["openai"].received[0].body) == {"model": "gpt-4o"}
    assert proxy.event()["rule_skipped"] == "internal_error"
    assert health["rules"]["failures"] == 1


def test_one_server_for_all_gets_no_key_where_the_provider_changes(
    ruled, vendors, provider
):
    """Nor the operator's, which is another server's; it needs none."""
    rule = '[[rules]]\nname = "r"\npriority = 1\nthen = {provider="groq", model="m"}\n'
    proxy = ruled(rule, upstream=f"{provider.url}/v1")

    with proxy.client() as client:
        client.post(CHAT, json={"model": "gpt-4o"})

    [received] = provider.received
    assert "authorization" not in dict(received.headers)
    assert json.loads(received.body) == {"model": "m"}
    event = proxy.event()
    assert (event["provider"], event["provider_requested"]) == ("groq", "openai")
    assert (event["rule"], event["model_sent"]) == ("r", "m")


KEY_HEADERS = {
    "bearer": ("Authorization", "Bearer {}"),
    "bare": ("Authorization", "{}"),
    "x-api-key": ("x-api-key", "{}"),
    "api-key": ("api-key", "{}"),
    "x-goog-api-key": ("x-goog-api-key", "{}"),
}


@pytest.mark.parametrize("reply", ["ok", "redirect", "refused"])
@pytest.mark.parametrize("engine", ["native", "httpx"])
def test_no_key_goes_to_another_vendor(ruled, vendors, reply, engine):
    """Five vendors, each header a key can come in, a rule to each other vendor: what a
    vendor received holds no key but those given for it."""
    rules = "".join(
        f'[[rules]]\nname = "to-{name}"\npriority = 1\n'
        f'when = {{ feature = "{name}" }}\n'
        f'then = {{ provider = "{name}", model = "{MODEL_OF[name]}" }}\n'
        for name in VENDORS
    )
    proxy = ruled(rules, engine=engine)
    for name, other in zip(VENDORS, VENDORS[1:] + VENDORS[:1], strict=True):
        vendors[name].answer = answer(reply, vendors[other].url)
    sent = list(itertools.product(VENDORS, VENDORS, KEY_HEADERS))

    with proxy.client() as client:
        for source, to, style in sent:
            ask(client, source, to, style)

    for name, vendor in vendors.items():
        for received in vendor.received:
            seen = received.head + received.body
            assert b"lc_key_" not in seen
            foreign = [n for n in VENDORS if n != name]
            assert not [n for n in foreign if f"client-key-of-{n}".encode() in seen]
            assert not [n for n in foreign if OPERATOR[n].encode() in seen]
            own = f"client-key-of-{name}".encode() in seen
            assert own != (OPERATOR[name].encode() in seen)
        # Its own clients' requests that stay, and everybody else's by rule.
        assert len(vendor.received) == len(sent) / 5
    events = proxy.events(len(sent))
    changed = [e for e in events if e["rule"] is not None]
    assert len(changed) == len(sent) * 4 / 5
    assert all(e["provider"] == e["rule"].removeprefix("to-") for e in changed)
    assert all(e["provider_requested"] != e["provider"] for e in changed)
    assert {e["credential"] for e in changed} == {"api_key"}  # the operator's


def ask(client, source: str, to: str, style: str) -> None:
    """A request for `source` whose key is everywhere a client might put one."""
    key = f"client-key-of-{source}-{style}-0123456789"
    name, form = KEY_HEADERS[style]
    headers = {
        "X-Lectr-Provider": source,
        "X-Lectr-Feature": to,
        "Authorization": "",
        "Cookie": f"session={key}",
        "User-Agent": f"mine/{key}",
        "OpenAI-Organization": f"org-{key}",
        "x-mine": key,
        name: form.format(key),
    }
    url = f"{CHAT}?key={key}" if to != source else CHAT
    client.post(url, json={"model": MODEL_OF[source]}, headers=headers)


def answer(kind: str, elsewhere: str):
    """A vendor's reply: fine, or one that would like the key sent elsewhere."""
    head = {
        "ok": "200 OK\r\n",
        "redirect": f"307 Elsewhere\r\nlocation: {elsewhere}/v1/chat/completions\r\n",
        "refused": "401 No\r\nwww-authenticate: Bearer\r\n",
    }[kind]
    raw = f"HTTP/1.1 {head}content-length: 2\r\n\r\n{{}}".encode()
    return lambda sock, _: sock.sendall(raw)


def test_the_operators_key_is_not_used_where_the_provider_stays(ruled, vendors):
    """A client pays for what it asked its own vendor."""
    rule = (
        '[[rules]]\nname = "r"\npriority = 1\n'
        'then = { provider = "openai", model = "gpt-4o-mini" }\n'
    )
    proxy = ruled(rule)

    with proxy.client() as client:
        client.post(CHAT, json={"model": "gpt-4o"})
        refused = client.post(
            CHAT, json={"model": "gpt-4o"}, headers={"Authorization": ""}
        )

    [received] = vendors["openai"].received
    assert dict(received.headers)["authorization"] == "Bearer sk-provider"
    assert refused.status_code == 401  # rules change nothing in who is refused


features = st.sampled_from([None, "faq", "chat", "fä q", "f sk-client-1"])
tasks = st.sampled_from([None, "classification", "Odd"])
models = st.sampled_from(["gpt-4o", "gpt-4o-mini", "claude-x", "llama-3", "mine"])
asked_models = models | st.just("m sk-client-1")
paths = st.sampled_from(["chat/completions", "embeddings", "messages", "images/edits"])
maybe_vendor = st.sampled_from([None, *VENDORS])
some_rules = st.lists(
    st.builds(
        Rule,
        name=st.uuids().map(str),
        priority=st.integers(1, 2),
        enabled=st.sampled_from([True, True, False]),
        when=st.builds(
            Conditions,
            feature=st.sampled_from([None, "faq", "untagged", "f*"]),
            task=tasks,
            provider=maybe_vendor,
            model=st.none() | models | st.just("gpt-*"),
        ),
        then=st.builds(
            RuleTarget, model=st.none() | models, provider=maybe_vendor
        ).filter(lambda then: then != RuleTarget()),
    ),
    max_size=4,
)
traffic = st.lists(
    st.tuples(features, tasks, maybe_vendor, asked_models, paths),
    min_size=1,
    max_size=4,
)
KEYED = ("groq", "azure")


class Book(routing.RuleBook):
    """Rules that are given, not read."""

    def __init__(self) -> None:
        super().__init__(None)


@contextmanager
def proxy_with(book, url: str, lab) -> Iterator[tuple[str, list]]:
    """The real application with these rules; yields where it is, and its events."""
    events: list = []

    class Kept(Outbox):
        def ended(self, event) -> None:
            events.append(event)

    own = Settings(
        lab=str(lab),
        providers={
            n: ProviderSettings(
                base_url=f"{url}/{n}/v1", operator_key_env="K" if n in KEYED else None
            )
            for n in VENDORS[:4]
        },
        azure=AzureSettings(endpoint=url, operator_key_env="K"),
    )
    key = KeyEntry(key_id="k", org="acme", digest="", created_at=datetime.now(UTC))
    router = routing.Router(own, book, OperatorKeys(own, {"K": OPERATOR["groq"]}))
    outbox = Kept(LabFolder.create(lab), 10)
    app = create_app(own, outbox, lambda _: key, router=router)
    with in_thread(app) as base_url:
        yield base_url, events


def test_the_live_decision_is_decide_on_the_events_columns(provider, tmp_path):
    """Random rules and traffic through the real application: the log alone tells what
    the rules did, so a simulation over it decides the same."""
    book = Book()
    keys = {"X-Lectr-Key": "lc_key_x", "Authorization": "Bearer sk-client-1"}
    with ExitStack() as stack:
        url, events = stack.enter_context(proxy_with(book, provider.url, tmp_path))
        client = stack.enter_context(httpx.Client(base_url=url, headers=keys))

        @settings(max_examples=60, suppress_health_check=list(HealthCheck))
        @given(some_rules, traffic)
        def holds(rules, requests):
            book.rules = in_order(rules)
            events.clear()
            for feature, task, vendor, model, path in requests:
                said = {"feature": feature, "task": task, "provider": vendor}
                client.post(
                    f"/v1/{path}",
                    json={"model": model},
                    headers={
                        f"X-Lectr-{name}": value.encode()
                        for name, value in said.items()
                        if value
                    },
                )
            until_s = time.monotonic() + 10  # what comes after a reply takes its time
            while len(events) < len(requests) and time.monotonic() < until_s:
                time.sleep(0.002)
            assert len(events) == len(requests)
            for event in events:
                agrees(event, rules)

        holds()


def agrees(event, rules) -> None:
    asked = RuleInput(
        event.feature,
        event.task,
        event.provider_requested or event.provider,
        event.model_requested,
        event.operation,
    )
    decision = decide(in_order(rules), asked, KEYED)
    if event.rule_skipped == "key_in_body":  # the log does not have the body
        assert decision.provider not in (asked.provider, None)
        assert (event.rule, event.model_sent) == (None, event.model_requested)
        return
    assert decision.rule == event.rule
    assert decision.skipped == event.rule_skipped
    assert decision.model == event.model_sent
    assert decision.provider == event.provider


def test_a_reload_drops_no_request(ruled, vendors, tmp_path):
    """Rules change, break and mend under load: every request is answered, by the rules
    before or after."""
    proxy = ruled(MINI)
    rules, stop, statuses = tmp_path / "rules.toml", threading.Event(), []

    def load() -> None:
        with proxy.client(X_Lectr_Feature="faq") as client:
            while not stop.is_set():
                reply = client.post(CHAT, json={"model": "gpt-4o"})
                statuses.append(reply.status_code)

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        with proxy.client() as client:
            for text, problem in (
                (MINI.replace("gpt-4o-mini", "gpt-4o-nano"), None),
                ("[[rules", "not valid TOML"),
                (MINI.replace("gpt-4o-mini", "o4-mini"), None),
            ):
                rules.write_text(text)
                until(client, problem)
            time.sleep(1.2)
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    sent = {json.loads(r.body)["model"] for r in vendors["openai"].received}
    assert set(statuses) == {200}
    assert sent == {"gpt-4o-mini", "gpt-4o-nano", "o4-mini"}
    assert scan(proxy.lab).collect()["rule"].unique().to_list() == ["faq-to-mini"]


def until(client, problem: str | None) -> None:
    """Until the proxy has looked again: it does so once a second."""
    time.sleep(1.2)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        said = client.get("/health").json()["rules"]["problem"]
        if (problem is None and said is None) or (problem and problem in (said or "")):
            return
        time.sleep(0.05)
    raise AssertionError(f"not {problem!r} but {said!r}")
