"""Streams that reported no tokens are counted, and only those."""

import gzip
import json
import time
from datetime import UTC, datetime
from typing import get_args

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.config.settings import ProviderSettings, Settings
from lectr_lab.core.event_values import Outcome
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.headers import read_headers
from lectr_lab.core.keys import KeyEntry
from lectr_lab.core.llm_api.request import read_request
from lectr_lab.core.routing.providers import ResolvedProvider
from lectr_lab.launch import Session, build
from lectr_lab.log.scan import scan
from lectr_lab.proxy.observers import token_counter
from lectr_lab.proxy.observers.observer import Observers
from lectr_lab.proxy.server.run import in_thread
from lectr_lab.proxy.worker import process, token_counts
from lectr_lab.testing.recorded_proxy import Box

ASKED = {"model": "gpt-4o", "stream": True}
ASKED["messages"] = [{"role": "user", "content": "Say hello to the world."}]
USAGE = {"prompt_tokens": 900, "completion_tokens": 90, "total_tokens": 990}


def chunk(text: str = "", **more) -> bytes:
    choices = [{"index": 0, "delta": {"content": text}}]
    said = {"model": "gpt-4o-2024-08-06", "choices": choices} | more
    return b"data: %s\n\n" % json.dumps(said).encode()


SILENT = [chunk("Hello, world!"), chunk(" It is a fine day."), b"data: [DONE]\n\n"]
REPORTED = [*SILENT[:2], chunk(choices=[], usage=USAGE), SILENT[2]]


def raw(chunks: list[bytes], *, coding: bytes = b"") -> bytes:
    body = b"".join(chunks)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    if coding:
        body, head = gzip.compress(body), head + b"content-encoding: gzip\r\n"
    return head + b"connection: close\r\n\r\n" + body


def ask(proxy, **fields) -> bytes:
    with proxy.client() as client:
        return client.post("/v1/chat/completions", json=ASKED | fields).content


def counts(event) -> tuple:
    return event["input_tokens"], event["output_tokens"], event["token_source"]


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A busy machine is slow to start a process."""
    monkeypatch.setattr(token_counter, "WITHIN_S", 10.0)


def test_an_event_does_not_wait_long_for_its_count(provider, proxy, monkeypatch):
    """It is to be on disk a second after its reply: late, it passes on uncounted."""
    monkeypatch.setattr(token_counter, "WITHIN_S", 0.05)
    counting = process.Worker._ask
    monkeypatch.setattr(
        process.Worker,
        "_ask",
        lambda self, *job: time.sleep(0.5) or counting(self, *job),
    )
    provider.reply(raw(SILENT))
    ask(proxy)

    assert counts(proxy.event()) == (None, None, "absent")


@pytest.mark.parametrize("coding", [b"", b"gzip"])
def test_a_silent_stream_is_counted(provider, proxy, coding):
    """The client has every byte; the event has the tokenizer's numbers."""
    provider.reply(raw(SILENT, coding=coding))

    assert ask(proxy) == b"".join(SILENT)

    assert counts(proxy.event()) == (6 + 3 + 4, 10, "tokenizer")


def test_a_cut_stream_is_counted_as_far_as_it_was_seen(provider, proxy):
    """What came is what is known."""
    short = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    provider.reply(short + b"content-length: 9999\r\n\r\n" + SILENT[0])
    with pytest.raises(httpx.RemoteProtocolError):
        ask(proxy)

    event = proxy.event()

    assert event["outcome"] == "upstream_disconnect"
    assert counts(event) == (13, 4, "tokenizer")


@pytest.mark.parametrize("options", [None, {"include_usage": True}])
def test_a_providers_numbers_stay(provider, proxy, options):
    """Whether they were asked for or not."""
    provider.reply(raw(REPORTED))
    ask(proxy, stream_options=options)

    assert counts(proxy.event()) == (900, 90, "provider")


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"model": "o3-mini"},
        {"model": "claude-sonnet-4-5"},
        {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
        {"messages": [{"role": "user", "content": "x" * (1024 * 1024 + 1)}]},
    ],
)
def test_what_cannot_be_counted_is_absent(provider, proxy, fields):
    """Neither number: one alone would be priced wrongly."""
    provider.reply(raw([c.replace(b"gpt-4o-2024-08-06", b"") for c in SILENT]))
    ask(proxy, **fields)

    assert counts(proxy.event()) == (None, None, "absent")


def test_a_reply_that_is_too_large_is_absent(provider, proxy):
    """And reaches its client whole."""
    large = [chunk("word " * 250_000), *SILENT]
    provider.reply(raw(large))

    assert ask(proxy) == b"".join(large)
    assert counts(proxy.event()) == (None, None, "absent")


def test_without_the_extra_nothing_is_kept_or_counted(provider, start, monkeypatch):
    """No process, no bytes, no numbers."""
    monkeypatch.setattr(token_counts, "find_spec", lambda _: None)
    monkeypatch.setattr(token_counter, "Kept", None)  # would fail if it were called
    monkeypatch.setattr(process.Worker, "_start", None)
    proxy = start(provider.url)
    provider.reply(raw(SILENT))

    assert ask(proxy) == b"".join(SILENT)
    assert counts(proxy.event()) == (None, None, "absent")


@pytest.mark.parametrize("module", ["this_is_no_module", "this"])
def test_a_process_that_fails_costs_the_count_alone(
    provider, proxy, monkeypatch, module
):
    """The event is there, and the next stream is counted."""
    popen = process.subprocess.Popen
    provider.reply(raw(SILENT))
    with monkeypatch.context() as patch:
        patch.setattr(
            process.subprocess,
            "Popen",
            lambda args, **more: popen([*args[:2], module], **more),
        )
        ask(proxy)
        assert counts(proxy.event()) == (None, None, "absent")
    ask(proxy)

    assert counts(proxy.events(2)[1])[2] == "tokenizer"


def test_stopping_waits_for_the_count(provider, tmp_path):
    """Events that are being counted are in the log when the proxy is gone."""
    provider.reply(raw(SILENT))
    upstream = ProviderSettings(base_url=f"{provider.url}/openai/v1")
    settings = Settings(lab=str(tmp_path), providers={"openai": upstream})
    keys = {"X-Lectr-Key": "lc_key_t", "Authorization": "Bearer sk-provider"}
    with in_thread(build(settings, Session("lc_key_t", org="acme"))) as url:
        httpx.post(f"{url}/v1/chat/completions", json=ASKED, headers=keys)

    row = scan(tmp_path).collect().row(0, named=True)

    assert counts(row) == (13, 10, "tokenizer")


@given(
    outcome=st.sampled_from(get_args(Outcome)),
    tokens=st.tuples(*[st.none() | st.integers(0, 99)] * 2),
    source=st.sampled_from(["provider", "absent"]),
    cut=st.integers(0, 9),
)
def test_a_reported_event_passes_as_it_is(outcome, tokens, source, cut):
    """The law: at once, the same object, however it ended; an absent one may wait."""
    exchange = Exchange(
        event_id=b"e" * 16,
        started_at=datetime.now(UTC),
        started_s=0.0,
        raw_path=b"/v1/chat/completions",
        client_headers=read_headers([]),
        key=KeyEntry(key_id="k", org="acme", digest="", created_at=datetime.now(UTC)),
    )
    body = json.dumps(ASKED).encode()
    exchange.received(read_request(body, "chat"), len(body), 0.0)
    log = Box()
    counter = token_counter.TokenCounter(Observers(log))
    target = ResolvedProvider("openai", "default")
    exchange.ruled(target, target, "gpt-4o", None, None)
    counter.begin(exchange, memoryview(body))
    assert len(exchange.taps) == 1
    exchange.taps[0](SILENT[0][:cut])
    event = msgspec.structs.replace(
        exchange.ended(outcome, 1.0),
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        token_source=source,
        output_chars=5 if source == "provider" else None,
        model_actual="gpt-4o",
    )

    counter.ended(event)

    assert log.events == [event]
    assert log.events[0] is event
