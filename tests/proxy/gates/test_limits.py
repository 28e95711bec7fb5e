"""Requests a minute, streams at once, body size: counted, and refused as SDKs expect."""

import secrets
import threading
import time
from datetime import UTC, datetime

import httpx
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.config.settings import OrgSettings, Settings
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.headers import ClientHeaders
from lectr_lab.core.keys import KeyEntry
from lectr_lab.core.llm_api.request import RequestFacts
from lectr_lab.proxy.gates.gate import Gates
from lectr_lab.proxy.gates.limits import limits, max_body_bytes

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def gates_of(now_s=lambda: 0.0, **own) -> Gates:
    return Gates(*limits({"acme": OrgSettings(**own)}, now_s))


def exchange(org="acme", *, stream: bool | None = True) -> Exchange:
    """A request as gates see it."""
    one = Exchange(
        event_id=secrets.token_bytes(16),
        started_at=datetime.now(UTC),
        started_s=0.0,
        raw_path=b"/v1/chat/completions",
        client_headers=ClientHeaders(),
        key=KeyEntry(key_id="k", org=org, digest="", created_at=datetime.now(UTC)),
    )
    one.received(RequestFacts(stream=stream), 0, 0.0)
    return one


def ask(proxy, **body) -> httpx.Response:
    with proxy.client() as client:
        return client.post("/v1/chat/completions", json={"model": "gpt-4o"} | body)


def sdk(proxy, **options) -> openai.OpenAI:
    headers = {"X-Lectr-Key": proxy.keys()["X-Lectr-Key"]}
    return openai.OpenAI(
        api_key="sk-provider",
        base_url=f"{proxy.url}/v1",
        default_headers=headers,
        **options,
    )


@given(
    limit=st.integers(1, 5),
    waits_s=st.lists(st.integers(0, 160).map(lambda n: n / 4), max_size=60),
)
def test_no_minute_holds_more_than_the_limit(limit, waits_s):
    """Wherever the minute begins; and who waits as long as told is admitted."""
    clock_s, admitted_s = 0.0, []
    gates = gates_of(lambda: clock_s, requests_per_minute=limit)
    for wait_s in waits_s:
        clock_s += wait_s
        refusal = gates.admit_head(exchange())
        if refusal is not None:
            assert refusal.retry_after_s is not None and refusal.retry_after_s >= 1
            clock_s += refusal.retry_after_s
            assert gates.admit_head(exchange()) is None
        admitted_s.append(clock_s)

    for first, later in zip(admitted_s, admitted_s[limit:], strict=False):
        assert later - first >= 60


def test_what_is_not_configured_is_not_limited():
    """Another organisation, and one without limits."""
    gates = gates_of(requests_per_minute=1, concurrent_streams=1)

    assert gates.admit_head(exchange()) is None
    assert gates.admit_head(exchange()) is not None
    for _ in range(100):
        assert gates.admit_head(exchange("other")) is None
        assert gates.admit(exchange("other")) is None
    assert limits({"acme": OrgSettings()}, lambda: 0.0) == ()


def test_a_stream_gives_its_place_back():
    """However it ends; and a request that is no stream needs none."""
    gates = gates_of(concurrent_streams=1)
    first, second = exchange(), exchange()

    assert gates.admit(first) is None
    refusal = gates.admit(second)
    assert refusal is not None
    assert (refusal.code, refusal.retry_after_s) == ("concurrent_streams_exceeded", 1)
    assert gates.admit(exchange(stream=None)) is None
    gates.ended(second.ended("refused", 1.0))
    assert gates.admit(exchange()) is not None, "who was refused had no place"
    gates.ended(first.ended("client_disconnect", 1.0))
    assert gates.admit(exchange()) is None


def test_a_body_limit_is_the_organisations_own():
    """Else the proxy's."""
    settings = Settings(orgs={"acme": OrgSettings(max_body_bytes=5)})

    assert max_body_bytes(settings, "acme") == 5
    assert max_body_bytes(settings, "other") == Settings().max_body_bytes


def test_one_request_too_many_is_refused_before_its_body_is_read(provider, start):
    """429 with retry-after; an event; the provider does not hear of it."""
    proxy = start(provider.url, orgs={"acme": OrgSettings(requests_per_minute=1)})

    assert ask(proxy).status_code == 200
    refused = ask(proxy)

    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert len(provider.received) == 1
    event = proxy.events(2)[1]
    assert (event["status"], event["outcome"]) == (429, "refused")
    assert event["error_type"] == "rate_limit_exceeded"


def test_the_openai_sdk_raises_its_own_error(provider, start):
    """RateLimitError, with our code."""
    proxy = start(provider.url, orgs={"acme": OrgSettings(requests_per_minute=1)})

    with sdk(proxy, max_retries=0) as client:
        client.models.list()
        with pytest.raises(openai.RateLimitError) as error:
            client.models.list()

    assert error.value.code == "rate_limit_exceeded"


def test_one_stream_too_many_is_refused_until_one_ends(provider, start):
    """The SDK waits as told, tries again, and gets through."""
    proxy = start(provider.url, orgs={"acme": OrgSettings(concurrent_streams=1)})
    go_on = threading.Event()

    def answer(sock, _):
        sock.sendall(CHUNKED + b"e\r\ndata: [DONE]\n\n\r\n")
        go_on.wait(5)
        sock.sendall(b"0\r\n\r\n")

    provider.answer = answer
    body = {"model": "gpt-4o", "stream": True}
    with (
        proxy.client() as client,
        client.stream("POST", "/v1/chat/completions", json=body) as first,
        sdk(proxy) as openai_client,
    ):
        assert first.status_code == 200
        assert ask(proxy, stream=True).status_code == 429
        threading.Timer(0.3, go_on.set).start()
        started = time.monotonic()
        openai_client.chat.completions.create(messages=[], **body).close()
        assert time.monotonic() - started >= 0.9  # retry-after: 1
        first.read()


def test_a_client_that_leaves_frees_its_place(provider, start):
    """Its stream is over, whatever the provider still has to say."""
    proxy = start(provider.url, orgs={"acme": OrgSettings(concurrent_streams=1)})
    provider.answer = lambda sock, _: (
        sock.sendall(CHUNKED + b"1\r\n.\r\n"),
        sock.recv(1),
    )
    body = {"model": "gpt-4o", "stream": True}
    for _ in range(3):
        with (
            proxy.client() as client,
            client.stream("POST", "/v1/chat/completions", json=body) as reply,
        ):
            assert reply.status_code == 200
        time.sleep(0.1)


def test_a_body_over_the_organisations_limit_is_refused(provider, start):
    """413, though the proxy's own limit is far above."""
    proxy = start(provider.url, orgs={"acme": OrgSettings(max_body_bytes=100)})

    assert ask(proxy).status_code == 200
    assert ask(proxy, user="x" * 100).status_code == 413
