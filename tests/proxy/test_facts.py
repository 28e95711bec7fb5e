"""Large and odd bodies, read beside the proxy: none of them holds up another."""

import asyncio
import gzip
import json
import os
import signal
import threading
import time
import zlib
from contextlib import asynccontextmanager
from functools import partial

import brotli
import httpx
import pytest
import zstandard

from lectr_lab.core.llm_api.request import read_request
from lectr_lab.core.llm_api.splice import with_model
from lectr_lab.proxy import facts as facts_module
from lectr_lab.proxy.facts import FactsReader
from lectr_lab.proxy.worker import process

MB = 1024 * 1024
PATIENCE_S = 60.0
LARGE = json.dumps(
    {
        "user": {"model": "gpt-4o"},
        "messages": [{"role": "user", "content": "word " * MB}],
        "stream": False,
        "model": "gpt-4o",
    }
).encode()
ODD = b'{"messages":[%s1],"model":"claude-x"}' % (b"1," * (4 * MB))
PACKERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": partial(brotli.compress, quality=1),
    "zstd": zstandard.ZstdCompressor().compress,
}


@asynccontextmanager
async def reading():
    reader = FactsReader()
    try:
        yield reader
    finally:
        await reader.stop()


def run(test):
    return asyncio.run(asyncio.wait_for(test, 240))


def asked(body, operation="chat", content_encoding=""):
    async def ask():
        async with reading() as reader:
            return await reader.request(body, operation, content_encoding)

    return run(ask())


@pytest.mark.parametrize("body", [LARGE, ODD[:MB] + b'1],"model":"m"}', ODD])
def test_a_large_body_says_what_it_says(body):
    """All facts, where there is time to read them."""
    found = asked(body).facts

    assert found == read_request(body, "chat")
    assert not found.facts_truncated


def test_where_the_model_is_written_is_found_beside_the_proxy():
    """A rule then splices it without a look at the rest."""
    found = asked(LARGE)

    assert found.model_place is not None
    assert with_model(LARGE, "gpt-4o", "b", found.model_place) == with_model(
        LARGE, "gpt-4o", "b"
    )


TEXT = " ".join(map(str, range(200_000)))  # shrinks to a fifth
LONG = json.dumps({"messages": [{"content": TEXT}], "model": "m"}).encode()


@pytest.mark.parametrize("body", [b'{"model":"m","stream":true}', LONG, b"[]"])
@pytest.mark.parametrize("encoding", ["gzip", "zstd", "br", "deflate", "gzip, zstd"])
def test_a_compressed_body_says_what_the_plain_one_does(encoding, body):
    """Small or large; but where its model is written, it is not to be changed."""
    found = asked(packed(body, encoding), "chat", encoding)

    assert found == (read_request(body, "chat"), None)


@pytest.mark.parametrize("program", ["/no/such/program", ""])
@pytest.mark.parametrize("encoding", ["gzip", "gzip, zstd"])
def test_what_cannot_be_undone_says_nothing(monkeypatch, program, encoding):
    """A bomb, an unknown encoding, what ends too early: with a worker or without."""
    if program:
        monkeypatch.setattr(process.sys, "executable", program)
    bomb, cut = packed(bytes(64 * MB), encoding), packed(LONG, encoding)[:-20]

    for body in (bomb, cut, b"no such thing" * 5000):
        assert asked(body, "chat", encoding) == (None, None)
    assert asked(LONG, "chat", "compress") == (None, None)


def test_the_proxys_own_time_for_a_bomb_is_small():
    """It is undone beside it: nothing but the sending is done here."""
    bomb = packed(bytes(32 * MB), "gzip, br")
    began_s = time.process_time()
    asked(bomb, "chat", "gzip, br")

    assert time.process_time() - began_s < 2


def packed(body, encoding):
    """A body in one encoding or two."""
    for name in encoding.split(", "):
        body = PACKERS[name](body)
    return body


def test_what_takes_too_long_is_left_out(monkeypatch):
    """The request goes on with the names that decide where to."""
    monkeypatch.setattr(facts_module, "_JOB_S", 0.01)

    found = asked(ODD).facts

    assert found.facts_truncated
    assert (found.model, found.stream, found.message_count) == ("claude-x", False, None)


@pytest.mark.parametrize("program", ["/no/such/program", "false"])
def test_without_a_worker_the_names_are_read_all_the_same(monkeypatch, program):
    """To ask the wrong provider would show it a key."""
    monkeypatch.setattr(process.sys, "executable", program)

    found = asked(ODD)

    assert found.facts.facts_truncated
    assert found.facts.model == "claude-x"
    assert found.model_place is None


def test_a_hung_worker_holds_up_nobody_else(monkeypatch):
    """While a large body waits for its facts, a small one has them."""

    async def test():
        async with reading() as reader:
            first = await reader.request(LARGE, "chat")
            assert first.facts is not None
            os.kill(reader._rest._process.pid, signal.SIGSTOP)
            monkeypatch.setattr(facts_module, "REQUEST_WITHIN_S", 2.0)
            hung = asyncio.create_task(reader.request(LARGE, "chat"))
            await asyncio.sleep(0)
            small = await reader.request(b'{"model":"m"}', "chat")
            assert (small.facts.model, hung.done()) == ("m", False)
            found = (await hung).facts
            assert found.facts_truncated
            assert found.model == "gpt-4o"

    run(test())


HOSTILE = {
    "messages": ODD,
    "parts": b'{"model":"m","messages":[{"content":[%s{}]}]}' % (b"{}," * (3 * MB)),
    "invalid": b'{"model":"m","x":[NaN],"messages":[%s{}]}' % (b"{}," * (2 * MB)),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_the_proxys_own_time_for_a_hostile_body_is_small(body):
    """A quarter of what reading it takes at most; it is nearer to a sixtieth."""

    def cpu_s(read):
        began_s = time.process_time()
        read()
        return time.process_time() - began_s

    here_s = cpu_s(lambda: read_request(body, "chat"))
    beside_s = cpu_s(lambda: asked(body))

    assert beside_s < here_s / 4


# --- through the proxy


def json_reply(body, coding=b"", kind=b"application/json"):
    head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n%s"
    lines = head % (kind, len(body), coding) + b"connection: close\r\n\r\n"
    return lines + body


def ask(proxy, body=b'{"model":"gpt-4o"}'):
    with proxy.client() as client:
        path = "/v1/chat/completions"
        return client.post(path, content=body, timeout=PATIENCE_S).content


@pytest.mark.parametrize("size", [1, 100_000])
@pytest.mark.parametrize("encoding", [*PACKERS, "deflate, br"])
def test_a_compressed_request_is_passed_on_and_read(provider, proxy, encoding, size):
    """To the byte, to whom its model names, and the row has all that it says."""
    asks = {"model": "claude-x", "messages": [{"role": "user", "content": "x" * size}]}
    body = packed(json.dumps(asks).encode(), encoding)

    with proxy.client(Content_Encoding=encoding) as client:
        client.post("/v1/chat/completions", content=body, timeout=PATIENCE_S)

    [received], event = provider.received, proxy.event()
    assert received.body == body
    assert dict(received.headers)["content-encoding"] == encoding
    assert "/anthropic/" in received.line
    assert (event["model_requested"], event["stream"]) == ("claude-x", False)
    assert (event["prompt_chars"], event["request_bytes"]) == (size, len(body))
    assert (event["request_read"], event["facts_truncated"]) == (True, False)


@pytest.mark.parametrize(
    ("encoding", "body", "read"),
    [
        ("compress", b'{"model":"gpt-4o"}', False),
        ("gzip", gzip.compress(b'{"model":"gpt-4o"}', mtime=0)[:-12], False),
        ("zstd", b'{"model":"gpt-4o"}', False),
        ("identity", b'{"model":"gpt-4o"}', True),
        ("identity", b'["gpt-4o"]', False),
        ("identity", b"--boundary", False),
        ("identity", b"", None),
    ],
)
def test_what_cannot_be_read_is_passed_on_and_said(
    provider, proxy, encoding, body, read
):
    """No JSON, no object, no such encoding; without a body there is nothing to say."""
    with proxy.client(Content_Encoding=encoding) as client:
        reply = client.post("/v1/chat/completions", content=body)

    event = proxy.event()
    assert (reply.status_code, provider.received[0].body) == (200, body)
    assert event["request_read"] is read
    assert event["model_requested"] == ("gpt-4o" if read else None)


def test_a_large_request_and_reply_are_whole_rows(provider, proxy):
    """Passed on to the byte, and all of it read."""
    said = {"model": "m", "usage": {"prompt_tokens": 7, "completion_tokens": 3}}
    said["choices"] = [{"message": {"content": "x" * MB}, "finish_reason": "stop"}]
    body = json.dumps(said).encode()
    provider.reply(json_reply(body))

    assert ask(proxy, LARGE) == body

    event = proxy.event()
    assert provider.received[0].body == LARGE
    assert (event["prompt_chars"], event["output_chars"]) == (5 * MB, MB)
    assert (event["input_tokens"], event["finish_reason"]) == (7, "stop")
    assert event["facts_truncated"] is False


def test_a_hostile_request_goes_on_without_its_facts(provider, proxy, monkeypatch):
    """To the provider that its model names, and the row says what it is."""
    monkeypatch.setattr(facts_module, "REQUEST_WITHIN_S", 0.01)

    ask(proxy, ODD)

    event = proxy.event()
    assert provider.received[0].body == ODD
    assert (event["provider"], event["model_requested"]) == ("anthropic", "claude-x")
    assert (event["message_count"], event["facts_truncated"]) == (None, True)


def test_a_hostile_reply_reaches_its_client_whole(provider, proxy, monkeypatch):
    """Its counts are unknown, and that is said."""
    monkeypatch.setattr(facts_module, "REPLY_WITHIN_S", 0.01)
    body = b'{"usage":{"prompt_tokens":1},"choices":[%s1]}' % (b"1," * (3 * MB))
    provider.reply(json_reply(body))

    assert ask(proxy) == body

    event = proxy.event()
    assert (event["input_tokens"], event["facts_truncated"]) == (None, True)
    assert (event["outcome"], event["response_bytes"]) == ("ok", len(body))


def test_a_stream_whose_last_event_is_large_has_its_usage(provider, proxy):
    """`response.completed` repeats the whole answer, pictures too."""
    output = [{"type": "image_generation_call", "result": "QUJD" * 200_000}]
    response = {"status": "completed", "output": output, "model": "gpt-x"}
    response["usage"] = {"input_tokens": 5, "output_tokens": 6}
    done = {"type": "response.completed", "response": response}
    delta = {"type": "response.output_text.delta", "delta": "Hi"}
    body = b"".join(b"data: %s\n\n" % json.dumps(e).encode() for e in (delta, done))
    provider.reply(json_reply(body, kind=b"text/event-stream"))
    with proxy.client() as client:
        sent = {"model": "gpt-x", "stream": True}
        assert client.post("/v1/responses", json=sent).content == body

    event = proxy.event()

    assert (event["input_tokens"], event["output_chars"]) == (5, 2)
    assert (event["finish_reason"], event["facts_truncated"]) == ("completed", False)


def test_a_bomb_does_not_hold_up_a_small_request(provider, proxy):
    """1.5 KB that would be 200 MB of events: both are answered, one is truncated."""
    event = b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'
    bomb = brotli.compress(event * (200 * MB // len(event)), quality=5)
    coding = b"content-encoding: br\r\n"
    provider.reply(json_reply(bomb, coding, b"text/event-stream"))
    url = f"{proxy.url}/v1/chat/completions"
    with httpx.stream("POST", url, json={}, headers=proxy.keys()) as reply:
        got = b"".join(reply.iter_raw())

    assert got == bomb
    assert proxy.event()["facts_truncated"] is True


@pytest.mark.parametrize("body", [b"", b"--boundary\r\n" + bytes(9 * MB)])
def test_what_is_no_json_is_not_read_beside_the_proxy(provider, proxy, body):
    """No process for an upload."""
    with proxy.client() as client:
        client.post("/v1/files", content=body, timeout=PATIENCE_S)

    event = proxy.event()

    assert event["facts_truncated"] is False
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("lectr-worker")]
