"""Providers, clients and networks that misbehave: each with its outcome on record."""

import asyncio
import contextlib
import gzip
import json
import secrets
import socket
import struct
import threading
import time
import zlib
from pathlib import Path

import brotli
import httpx
import polars as pl
import pytest
import zstandard
from listening import listener

from lectr_lab.config.settings import ProviderSettings, Settings
from lectr_lab.launch import Child, Order, Session
from lectr_lab.log.scan import scan

KEY = "lc_key_for-these-tests-only"
BODY = b'{"model": "gpt-4o"}'
PATH = b"/v1/chat/completions"
MB = 1024 * 1024
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


def rows(proxy, feature: str, count: int = 1) -> list[dict]:
    """The events of the requests that were tagged so, once there are so many."""
    deadline = time.monotonic() + 5
    while True:
        mine = scan(proxy.lab).filter(pl.col("feature") == feature).collect()
        if mine.height >= count or time.monotonic() > deadline:
            assert mine.height == count
            return mine.to_dicts()
        time.sleep(0.02)


def row(proxy, feature: str) -> dict:
    """The only one."""
    return rows(proxy, feature)[0]


def connect(proxy) -> socket.socket:
    port = int(proxy.url.rsplit(":", 1)[1])
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def head(feature: str = "f", *lines: bytes, target: bytes = PATH) -> bytes:
    """The head of a valid request, with these lines more."""
    keys = b"x-lectr-key: %s\r\nauthorization: Bearer sk-provider" % KEY.encode()
    tag = b"x-lectr-feature: " + feature.encode()
    words = [b"POST %s HTTP/1.1" % target, b"host: x", keys, tag, *lines]
    return b"\r\n".join(words) + b"\r\n\r\n"


def length(body: bytes) -> bytes:
    return b"content-length: %d" % len(body)


def all_of(sock: socket.socket) -> bytes:
    """Everything until the other side closes, or resets."""
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while data := sock.recv(65536):
            got += data
    return got


def ask(proxy, feature: str, *lines: bytes, body: bytes = BODY) -> bytes:
    """A whole request on a connection of its own, and all that came back."""
    with connect(proxy) as sock:
        framed = [b"connection: close", length(body), *lines]
        sock.sendall(head(feature, *framed) + body)
        return all_of(sock)


@pytest.fixture
def feature() -> str:
    """A tag that no other request of the module has."""
    return secrets.token_hex(8)


# Providers


def test_a_provider_slow_to_its_first_byte_is_waited_for(standing, feature):
    """And the wait is on record."""
    provider, proxy = standing
    provider.answer = lambda sock, _: time.sleep(0.2) or sock.sendall(OK)

    assert ask(proxy, feature).endswith(b"{}")
    event = row(proxy, feature)
    assert (event["outcome"], event["status"]) == ("ok", 200)
    assert event["ttfb_ms"] >= 200
    assert event["overhead_ms"] < 100


def test_a_provider_silent_mid_stream_is_waited_for_until_the_client_leaves(
    standing, feature
):
    """How long an answer may pause is the client's to say; then the call is cancelled."""
    provider, proxy = standing
    hung_up = threading.Event()

    def answer(sock, _):
        sock.sendall(STREAM + b"connection: close\r\n\r\ndata: {}\n\n")
        if sock.recv(1) == b"":
            hung_up.set()

    provider.answer = answer
    with connect(proxy) as sock:
        sock.sendall(head(feature, length(BODY)) + BODY)
        got = b""
        while b"data: {}" not in got:
            got += sock.recv(65536)
        time.sleep(0.3)
        assert not hung_up.is_set()

    assert hung_up.wait(5)
    event = row(proxy, feature)
    assert (event["outcome"], event["response_bytes"]) == ("client_disconnect", 10)


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(reset, id="reset"),
        pytest.param(lambda sock: sock.close(), id="no last chunk"),
        pytest.param(lambda sock: sock.sendall(b"zz\r\nabc"), id="malformed chunk"),
    ],
)
def test_a_stream_that_breaks_off_is_cut_off(standing, feature, rest):
    """The client has what there was, and no end."""
    provider, proxy = standing

    def answer(sock, _):
        sock.sendall(STREAM + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
        time.sleep(0.1)
        rest(sock)
        sock.close()

    provider.answer = answer

    got = ask(proxy, feature)

    assert got.endswith(b"5\r\nhello\r\n")
    event = row(proxy, feature)
    assert (event["outcome"], event["error_source"]) == (
        "upstream_disconnect",
        "provider",
    )
    assert (event["status"], event["response_bytes"]) == (200, 5)


def test_a_length_that_is_too_long_is_cut_off(standing, feature):
    """Fewer bytes than announced are passed on, and then the connection ends."""
    provider, proxy = standing
    provider.reply(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")

    got = ask(proxy, feature)

    assert b"content-length: 9" in got
    assert got.endswith(b"\r\n\r\nabc")
    assert row(proxy, feature)["outcome"] == "upstream_disconnect"


def test_a_length_that_is_too_short_never_mixes_replies(standing, feature):
    """What follows it is no part of a reply: neither of this one nor of the next."""
    provider, proxy = standing
    provider.answer = lambda sock, _: sock.sendall(
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}GARBAGE"
    )
    first = ask(proxy, feature)
    provider.answer = lambda sock, _: sock.sendall(OK)
    second = ask(proxy, f"{feature}-2")

    assert b"GARBAGE" not in first
    assert first.endswith(b"{}") or b" 503 " in first
    assert second.endswith(b"\r\n\r\n{}")


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01 this is not HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\nabc",
        b"HTTP/1.1 999 Whatever\r\ncontent-length: 3\r\n\r\nabc",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        b"",
    ],
)
def test_what_is_not_http_is_a_503(standing, feature, raw):
    """In OpenAI's shape, with an event, and none of its bytes."""
    provider, proxy = standing
    provider.reply(raw)

    got = ask(proxy, feature)

    assert got.startswith(b"HTTP/1.1 503 ")
    assert b'"code":"provider_unreachable"' in got
    event = row(proxy, feature)
    assert (event["outcome"], event["status"]) == ("upstream_disconnect", 503)


def test_an_error_inside_a_good_stream_is_an_error(standing, feature):
    """Trap 11: passed on as it is, and not counted as success."""
    provider, proxy = standing
    stream = (
        b'data: {"model":"m","choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
        b'event: error\ndata: {"error":{"message":"secret","type":"invalid_request_error",'
        b'"code":"tool_use_failed"}}\n\n'
    )
    provider.reply(STREAM + b"connection: close\r\n\r\n" + stream)

    got = ask(proxy, feature)

    assert b"tool_use_failed" in got
    event = row(proxy, feature)
    assert (event["outcome"], event["status"]) == ("error_in_stream", 200)
    assert (event["error_type"], event["error_source"]) == (
        "tool_use_failed",
        "provider",
    )


def test_html_under_502_is_passed_on(standing, feature):
    """A load balancer's page is the answer, whatever was asked."""
    provider, proxy = standing
    page = b"<html><h1>502 Bad Gateway</h1></html>"
    provider.reply(
        b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\n"
        b"content-length: %d\r\n\r\n%s" % (len(page), page)
    )

    got = ask(proxy, feature)

    assert got.startswith(b"HTTP/1.1 502 ")
    assert got.endswith(page)
    event = row(proxy, feature)
    assert (event["outcome"], event["error_type"]) == ("provider_error", "502")


@contextlib.contextmanager
def child(provider_url: str, lab: Path, **changes):
    """A proxy in a process of its own; what a test needs to look at it."""
    openai = ProviderSettings(base_url=f"{provider_url}/openai/v1")
    settings = Settings(lab=str(lab), port=0, providers={"openai": openai}, **changes)
    running = Child(Order(settings=settings, session=Session(KEY, "acme")))
    try:
        yield running
    finally:
        running.stop()


def peak_mb(running: Child) -> float:
    """The most memory it ever had."""
    status = Path(f"/proc/{running._process.pid}/status").read_text()
    [line] = [ln for ln in status.splitlines() if ln.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


@pytest.mark.parametrize("engine", ["native", "httpx"])
def test_a_hundred_megabytes_pass_in_flat_memory(provider, tmp_path, engine):
    """Though the client reads slowly at first, and the reply claims to be JSON."""
    block, blocks = b"0123456789abcdef" * (MB // 16), 100

    def answer(sock, _):
        sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
        sock.sendall(b"content-length: %d\r\n\r\n" % (blocks * MB))
        for _ in range(blocks):
            sock.sendall(block)

    with child(provider.url, tmp_path / "lab", engine=engine) as proxy:
        keys = {"X-Lectr-Key": KEY, "Authorization": "Bearer k"}
        url = f"{proxy.base_url}/v1/chat/completions"
        httpx.post(url, headers=keys, json={"model": "gpt-4o"})
        before_mb = peak_mb(proxy)
        provider.answer = answer
        got = 0
        with httpx.stream("POST", url, headers=keys, json={"model": "m"}) as reply:
            time.sleep(0.5)
            for data in reply.iter_raw():
                got += len(data)
        grown_mb = peak_mb(proxy) - before_mb

    assert got == blocks * MB
    assert grown_mb < 30


# Clients


def test_a_client_that_leaves_before_the_reply_cancels(standing, feature):
    """The provider's connection is closed, and the row has no status."""
    provider, proxy = standing
    asked, hung_up = threading.Event(), threading.Event()

    def answer(sock, _):
        asked.set()
        if sock.recv(1) == b"":
            hung_up.set()

    provider.answer = answer
    with connect(proxy) as sock:
        sock.sendall(head(feature, length(BODY)) + BODY)
        assert asked.wait(5)

    assert hung_up.wait(5)
    event = row(proxy, feature)
    assert (event["outcome"], event["status"]) == ("client_disconnect", None)


def test_a_client_that_leaves_after_the_last_chunk_is_ok(standing, feature):
    """[DONE] was read; that the connection's end was not waited for is no failure."""
    provider, proxy = standing
    gone = threading.Event()

    def answer(sock, _):
        sock.sendall(STREAM + b"connection: close\r\n\r\n")
        sock.sendall(b'data: {"choices":[]}\n\ndata: [DONE]\n\n')
        gone.wait(5)
        time.sleep(0.2)
        sock.close()

    provider.answer = answer
    with connect(proxy) as sock:
        sock.sendall(head(feature, length(BODY)) + BODY)
        got = b""
        while b"[DONE]\n\n" not in got:
            got += sock.recv(65536)
    gone.set()

    assert row(proxy, feature)["outcome"] == "ok"


def test_a_client_that_closes_with_the_reply_is_ok(standing, feature):
    """A hundred replies, each followed by a close at once: none is a disconnect."""
    provider, proxy = standing
    provider.answer = lambda sock, _: sock.sendall(OK)
    for _ in range(100):
        with connect(proxy) as sock:
            sock.sendall(head(feature, length(BODY), target=b"/v1/x") + BODY)
            got = b""
            while not got.endswith(b"{}"):
                got += sock.recv(65536)

    outcomes = {event["outcome"] for event in rows(proxy, feature, 100)}
    assert outcomes == {"ok"}


def test_a_client_that_sends_slowly_is_waited_for(standing, feature):
    """A head and a body in small pieces are one request."""
    provider, proxy = standing
    provider.answer = lambda sock, _: sock.sendall(OK)
    request = head(feature, b"connection: close", length(BODY)) + BODY
    with connect(proxy) as sock:
        for start in range(0, len(request), 20):
            sock.sendall(request[start : start + 20])
            time.sleep(0.01)
        got = all_of(sock)

    assert got.endswith(b"{}")
    assert provider.received[-1].body == BODY
    assert row(proxy, feature)["outcome"] == "ok"


def test_a_client_that_reads_slowly_gets_everything(standing, feature):
    """The provider is held back meanwhile; no byte is lost."""
    provider, proxy = standing
    body = bytes(range(256)) * (4 * MB // 256)
    provider.reply(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    with connect(proxy) as sock:
        sock.sendall(head(feature, b"connection: close", length(BODY)) + BODY)
        time.sleep(0.3)
        got = all_of(sock)

    assert got.endswith(body)
    assert row(proxy, feature)["response_bytes"] == len(body)


def test_half_a_body_reaches_nobody(standing, feature):
    """The client left before its request was complete."""
    provider, proxy = standing
    asked = len(provider.received)
    with connect(proxy) as sock:
        sock.sendall(head(feature, b"content-length: 500") + BODY)
        time.sleep(0.1)

    event = row(proxy, feature)
    assert (event["outcome"], event["provider"]) == ("client_disconnect", None)
    assert len(provider.received) == asked


def test_pipelined_requests_are_answered_in_order(standing, feature):
    """Each its own reply, and its own row."""
    provider, proxy = standing

    def answer(sock, request):
        name = json.loads(request.body)["n"].encode()
        time.sleep(0.05 if name == b"0" else 0)
        sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n" + name)

    provider.answer = answer
    bodies = [b'{"model": "gpt-4o", "n": "%d"}' % n for n in range(3)]
    requests = [
        head(f"{feature}-{n}", *[b"connection: close"] * (n == 2), length(body)) + body
        for n, body in enumerate(bodies)
    ]
    with connect(proxy) as sock:
        sock.sendall(b"".join(requests))
        got = all_of(sock)

    assert [part[-1:] for part in got.split(b"HTTP/1.1 200 OK")[1:]] == [
        b"0",
        b"1",
        b"2",
    ]
    for number in range(3):
        assert row(proxy, f"{feature}-{number}")["outcome"] == "ok"


def test_one_byte_over_two_megabytes_is_a_413(provider, start):
    """Declared or not; the refusal is read by a client that is still sending."""
    proxy = start(provider.url, max_body_bytes=2 * MB)
    frame = b'{"model": "gpt-4o", "x": "%s"}'
    most = frame % (b"a" * (2 * MB - len(frame % b"")))
    over = most + b" "
    with proxy.client(timeout="1") as client:
        fits = client.post(PATH.decode(), content=most)
        declared = client.post(PATH.decode(), content=over)
        pieces = (over[at : at + 65536] for at in range(0, len(over), 65536))
        undeclared = client.post(PATH.decode(), content=pieces)
        again = client.post(PATH.decode(), content=BODY)

    assert len(most) == 2 * MB
    assert [r.status_code for r in (fits, declared, undeclared, again)] == [
        200,
        413,
        413,
        200,
    ]
    assert declared.json()["error"]["code"] == "request_too_large"
    outcomes = [event["outcome"] for event in proxy.events(4)]
    assert outcomes == ["ok", "refused", "refused", "ok"]
    assert len(provider.received) == 2


@pytest.mark.parametrize(
    "lines",
    [
        [b"content-length: 19", b"transfer-encoding: chunked"],
        [b"content-length: 19", b"content-length: 20"],
        [b"content-length: -1"],
        [b"content-length: 19", b"x-control: a\x01b"],
        [b"content-length: 19", b"x-zero: a\x00b"],
        [b"content-length: 19", b"x bad name: 1"],
    ],
)
def test_a_malformed_request_is_refused_by_the_http_server(standing, feature, lines):
    """400 in plain text, before any word of ours is read: no event, nobody asked."""
    provider, proxy = standing
    asked = len(provider.received)
    with connect(proxy) as sock:
        sock.sendall(head(feature, *lines) + BODY)
        got = all_of(sock)

    assert got.startswith(b"HTTP/1.1 400 ")
    assert len(provider.received) == asked


def test_a_hundred_headers_are_a_request(standing, feature):
    """They all reach the provider: 94, and what a request needs."""
    provider, proxy = standing
    provider.answer = lambda sock, _: sock.sendall(OK)

    ask(proxy, feature, *(b"x-%d: v" % number for number in range(94)))

    names = [name for name, _ in provider.received[-1].headers]
    assert len([name for name in names if name.startswith("x-")]) == 94
    assert row(proxy, feature)["outcome"] == "ok"


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        ("f" * 10_240, b"f" * 10_240),
        ("функция-" * 3, ("функция-" * 3).encode()),
        ("caf\u00e9-" * 3, b"caf\xe9-" * 3),
    ],
)
def test_an_odd_feature_is_stored_and_never_refused(standing, stored, sent):
    """Ten kilobytes, another script, latin-1."""
    provider, proxy = standing
    provider.answer = lambda sock, _: sock.sendall(OK)
    mark = secrets.token_hex(8)
    with connect(proxy) as sock:
        tagged = head("X", b"connection: close", length(BODY))
        sock.sendall(tagged.replace(b"feature: X", b"feature: " + sent + mark.encode()))
        sock.sendall(BODY)
        assert all_of(sock).startswith(b"HTTP/1.1 200 ")

    event = row(proxy, stored + mark)
    assert event["feature_valid"] is (len(stored) < 100)


@pytest.mark.parametrize(
    "body",
    [
        b"no JSON",
        b"[1, 2]",
        b'"text"',
        b"",
        b"\xff\xfe",
        b'{"model": 5}',
        b"{",
        b"null",
    ],
)
def test_a_body_that_names_no_model_is_passed_on(standing, feature, body):
    """Byte for byte: what to say of it is the provider's."""
    provider, proxy = standing
    provider.answer = lambda sock, _: sock.sendall(OK)

    passed = ask(proxy, feature, body=body)

    assert passed.startswith(b"HTTP/1.1 200 ")
    assert provider.received[-1].line == "POST /openai/v1/chat/completions HTTP/1.1"
    assert provider.received[-1].body == body
    event = row(proxy, feature)
    assert (event["outcome"], event["model_requested"]) == ("ok", None)
    assert (event["provider"], event["provider_unknown"]) == ("openai", True)


PACKED = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
    "zstd, gzip": lambda data: gzip.compress(zstandard.compress(data)),
}


@pytest.mark.parametrize("coding", PACKED)
@pytest.mark.parametrize("path", [PATH, b"/v1/responses", b"/v1/messages"])
def test_a_compressed_body_is_passed_on_as_it_came(standing, feature, coding, path):
    """With the header that says how to read it; the reply is counted as ever."""
    provider, proxy = standing
    reply = b'{"model": "m", "usage": {"%s": 2, "%s": 1}}' % (
        (b"prompt_tokens", b"completion_tokens")
        if path == PATH
        else (b"input_tokens", b"output_tokens")
    )
    provider.answer = lambda sock, _: sock.sendall(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n%s" % (len(reply), reply)
    )
    body = PACKED[coding](BODY)
    lines = [b"content-encoding: " + coding.encode(), b"connection: close"]

    with connect(proxy) as sock:
        sock.sendall(head(feature, *lines, length(body), target=path) + body)
        got = all_of(sock)

    assert got.startswith(b"HTTP/1.1 200 ") and got.endswith(reply)
    assert provider.received[-1].body == body
    assert ("content-encoding", coding) in provider.received[-1].headers
    event = row(proxy, feature)
    assert (event["outcome"], event["input_tokens"]) == ("ok", 2)
    assert event["request_bytes"] == len(body)


def test_of_two_models_the_last_counts(standing, feature):
    """As in the providers' own parsers; the bytes stay as they were."""
    provider, proxy = standing
    provider.answer = lambda sock, _: sock.sendall(OK)
    body = b'{"model": "claude-x", "model": "gpt-4o"}'

    ask(proxy, feature, body=body)

    event = row(proxy, feature)
    assert (event["model_requested"], event["provider"]) == ("gpt-4o", "openai")
    assert provider.received[-1].body == body


@pytest.mark.parametrize("levels", [500, 200_000])
def test_deep_nesting_is_passed_on(standing, feature, levels):
    """How deep is too deep is the provider's to say."""
    provider, proxy = standing
    provider.answer = lambda sock, _: sock.sendall(OK)
    deep = b"[" * levels + b"]" * levels
    body = b'{"model": "gpt-4o", "messages": %s}' % deep

    ask(proxy, feature, b"x-lectr-provider: openai", body=body)

    assert provider.received[-1].body == body
    assert row(proxy, feature)["outcome"] == "ok"


WEBSOCKET = [b"connection: Upgrade", b"upgrade: websocket"]
H2C = [b"connection: Upgrade, HTTP2-Settings", b"upgrade: h2c", b"http2-settings: A"]


def test_a_websocket_is_refused_so_that_clients_fall_back(standing, feature):
    """426, with what is spoken here (RFC 9110, 15.5.22); the same connection then takes
    a request in HTTP."""
    provider, proxy = standing
    provider.answer = lambda sock, _: sock.sendall(OK)
    offer = head(feature, *WEBSOCKET, target=b"/v1/responses")
    with connect(proxy) as sock:
        sock.sendall(offer.replace(b"POST", b"GET", 1))
        refused = sock.recv(65536)
        sock.sendall(head(f"{feature}-2", length(BODY)) + BODY)
        answered = sock.recv(65536)

    assert refused.startswith(b"HTTP/1.1 426 ")
    for line in (
        b"upgrade: HTTP/1.1",
        b"connection: upgrade",
        b"x-should-retry: false",
    ):
        assert b"\r\n%s\r\n" % line in refused
    assert b"websocket_unsupported" in refused
    assert answered.startswith(b"HTTP/1.1 200 ")
    assert row(proxy, feature)["error_type"] == "websocket_unsupported"


def chunked(body: bytes) -> bytes:
    return b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"


@pytest.mark.parametrize("piece_bytes", [1, 7, 10_000_000])
@pytest.mark.parametrize("framing", ["length", "chunked", "none"])
def test_an_offer_of_h2c_is_passed_over(standing, feature, piece_bytes, framing):
    """However it is cut: the request is answered in HTTP/1.1, body included, and so is
    what follows on the connection (RFC 9110, 7.8)."""
    provider, proxy = standing
    provider.answer = lambda sock, _: sock.sendall(OK)
    framed = {
        "length": (length(BODY), BODY),
        "chunked": (b"transfer-encoding: chunked", chunked(BODY)),
        "none": (b"x-no: body", b""),
    }
    line, body = framed[framing]
    asked = [
        head(feature, *H2C, line) + body,
        head(f"{feature}-2", *H2C, line) + body,
        head(f"{feature}-3", length(BODY), b"connection: close") + BODY,
    ]
    with connect(proxy) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        whole = b"".join(asked)
        for at in range(0, len(whole), piece_bytes):
            sock.sendall(whole[at : at + piece_bytes])
        got = all_of(sock)

    assert got.count(b"HTTP/1.1 200 OK") == 3
    assert [r.body for r in provider.received[-3:]] == [BODY if body else b""] * 2 + [
        BODY
    ]
    for received in provider.received[-3:]:
        assert not {"upgrade", "http2-settings"} & set(dict(received.headers))
    assert row(proxy, f"{feature}-2")["outcome"] == "ok"


# Many at once, and the end


async def _numbered(reader, writer, everyone: asyncio.Barrier) -> None:
    """A stream of lines that carry the number they were asked for."""
    request = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(len(BODY))  # closing on unread bytes would be a reset
    number = request.split(b"x-number: ")[1].split(b"\r\n")[0]
    writer.write(STREAM + b"connection: close\r\n\r\n")
    await everyone.wait()  # all streams are open at once
    for line in range(20):
        writer.write(b"data: %s %d\n\n" % (number, line))
        await writer.drain()
        await asyncio.sleep(0)
    writer.close()


async def _stream(port: int, number: int) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [b"x-number: %d" % number, b"connection: close", length(BODY)]
    writer.write(head(f"s{number}", *lines) + BODY)
    raw = await reader.read()
    writer.close()
    body = raw.split(b"\r\n\r\n", 1)[1]
    got = b"".join(
        part for part in body.split(b"\r\n")[1::2]
    )  # chunk sizes and chunks take turns; no line of ours holds \r\n
    return got == b"".join(b"data: %d %d\n\n" % (number, n) for n in range(20))


async def _many(proxy_for, count: int) -> list[bool]:
    everyone = asyncio.Barrier(count)
    server = await asyncio.start_server(
        lambda r, w: _numbered(r, w, everyone), "127.0.0.1", 0, backlog=2048
    )
    async with server:
        port = server.sockets[0].getsockname()[1]
        with proxy_for(f"http://127.0.0.1:{port}") as running:
            there = int(running.base_url.rsplit(":", 1)[1])
            async with asyncio.timeout(60):
                return await asyncio.gather(*(_stream(there, n) for n in range(count)))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["native", "httpx"])
def test_a_thousand_streams_at_once_lose_and_mix_nothing(tmp_path, engine):
    """All open at the same time, on one process; each has its row."""
    lab = tmp_path / "lab"

    whole = asyncio.run(_many(lambda url: child(url, lab, engine=engine), 1000))

    assert whole == [True] * 1000
    log = scan(lab).select("feature", "outcome").collect()
    assert log["feature"].n_unique() == 1000
    assert log["outcome"].unique().to_list() == ["ok"]


def test_shutdown_drains_and_flushes(provider, tmp_path):
    """A running stream is finished, new requests are not taken, every row is sealed."""
    may_end = threading.Event()

    def answer(sock, _):
        sock.sendall(STREAM + b"connection: close\r\n\r\ndata: {}\n\n")
        may_end.wait(10)
        sock.sendall(b"data: [DONE]\n\n")
        sock.close()

    provider.answer = answer
    lab = tmp_path / "lab"
    keys = {"X-Lectr-Key": KEY, "Authorization": "Bearer k"}
    with child(provider.url, lab) as proxy:
        url = f"{proxy.base_url}/v1/chat/completions"
        with httpx.stream("POST", url, headers=keys, content=BODY) as reply:
            pieces = reply.iter_raw()
            first = next(pieces)
            inode = listener(proxy.base_url)
            assert inode
            stopping = threading.Thread(target=proxy.stop)
            stopping.start()
            time.sleep(0.5)
            assert proxy.alive
            assert listener(proxy.base_url) != inode
            may_end.set()
            rest = b"".join(pieces)
        stopping.join()

    assert (first, rest) == (b"data: {}\n\n", b"data: [DONE]\n\n")
    assert not proxy.alive
    assert not list((lab / "journal").iterdir())
    [part] = (lab / "log").rglob("*.parquet")
    assert pl.read_parquet(part)["outcome"].to_list() == ["ok"]


def test_what_does_not_end_in_time_is_ended_by_us(provider, start, monkeypatch):
    """The row says so; the provider is let go."""
    monkeypatch.setattr("lectr_lab.proxy.server.run._SHUTDOWN_S", 0.2)
    began = threading.Event()

    def answer(sock, _):
        began.set()
        if sock.recv(1) == b"":
            provider.hung_up.set()

    provider.answer = answer
    proxy = start(provider.url)
    with connect(proxy) as sock:
        sock.sendall(head("late", length(BODY)) + BODY)
        assert began.wait(5)
        stop_all(start)

    assert provider.hung_up.wait(5)
    event = proxy.event()
    assert (event["error_type"], event["error_source"]) == ("proxy_shutdown", "proxy")


def stop_all(start) -> None:
    """End the proxies of the fixture now, not after the test."""
    [cell] = [c for c in start.__closure__ if hasattr(c.cell_contents, "close")]
    cell.cell_contents.close()
