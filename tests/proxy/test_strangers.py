"""What somebody without a key may cost: little time, little memory, an answer that says
why."""

import contextlib
import json
import socket
import time
from collections.abc import Callable

import httpx
import pytest

from lectr_lab.proxy.app import _is_for_a_provider

KB = 1024


def connect(proxy) -> socket.socket:
    port = int(proxy.url.rsplit(":", 1)[1])
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def all_of(sock: socket.socket) -> bytes:
    """Everything until the other side closes."""
    got = b""
    while data := sock.recv(65536):
        got += data
    return got


def send(proxy, *pieces: bytes) -> bytes:
    """What comes back for these bytes, which may be too many to be taken."""
    with connect(proxy) as sock:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                sock.sendall(piece)
        return all_of(sock)


def code_of(raw: bytes) -> str:
    """The code of a refusal, which is whole and the last on its connection."""
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"\r\nx-should-retry: false\r\n" in head
    assert b"\r\nconnection: close" in head
    assert f"content-length: {len(body)}".encode() in head
    return json.loads(body)["error"]["code"]


def waits_ms(proxy, pieces: list[bytes]) -> float:
    """The longest that others wait while this is answered."""
    with connect(proxy) as sock, httpx.Client() as other:
        other.get(f"{proxy.url}/health")  # connected
        for piece in pieces:
            sock.sendall(piece)
        began = time.perf_counter()
        other.get(f"{proxy.url}/health")
        return (time.perf_counter() - began) * 1000


ENCODED = [b"%25", b"%2525", b"%", b"/..", b"/", b"%2e%2e/", b"orgs/", b"%c3%a9"]


def cpu_s(work: Callable[[], object]) -> float:
    """The processor time of it, the least of several tries."""

    def once() -> float:
        began = time.process_time()
        for _ in range(20):
            work()
        return time.process_time() - began

    return min(once() for _ in range(5))


@pytest.mark.parametrize("unit", ENCODED)
@pytest.mark.parametrize("place", [b"/v1/%s", b"/%s", b"/v1/orgs/%s"])
def test_a_path_costs_the_same_for_each_byte(unit, place):
    """However it is written: eight times the bytes are not 64 times the work."""

    def read(size: int) -> float:
        path = place % (unit * size)[:size]
        return cpu_s(lambda: _is_for_a_provider(path))

    assert read(64 * KB) < 24 * read(8 * KB) + 0.001


@pytest.mark.parametrize("unit", ENCODED)
@pytest.mark.parametrize("place", [b"/v1/%s", b"/v1/orgs/%s", b"/v1/x?%s"])
def test_a_target_however_it_is_written_is_refused_at_once(proxy, unit, place):
    """At its longest, many on one connection; nobody else waits for it."""
    target = place % (unit * 8000)[: 8 * KB - 100]
    lines = b"GET %s HTTP/1.1\r\nhost: x\r\n\r\n" % target

    assert waits_ms(proxy, [lines] * 20) < 1000
    closing = lines.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
    assert send(proxy, closing).startswith((b"HTTP/1.1 401 ", b"HTTP/1.1 404 "))


@pytest.mark.parametrize("size", [8 * KB + 1, 32 * KB, 63 * KB, 1000 * KB])
@pytest.mark.parametrize("unit", [b"a", b"%25"])
def test_a_request_line_has_a_limit(proxy, size, unit):
    """414, whether it ends or not."""
    target = b"/" + (unit * size)[: size - 1]

    assert code_of(send(proxy, b"GET " + target)) == "request_line_too_long"
    whole = b"GET %s HTTP/1.1\r\nhost: x\r\n\r\n" % target
    assert code_of(send(proxy, whole)) == "request_line_too_long"


FIELD = b"x-filler: " + b"a" * 500 + b"\r\n"
LINE = b"GET /v1/models HTTP/1.1\r\nhost: x\r\n"
CHUNKED = (  # whoever has no key is refused before the body is read
    b"POST /v1/x HTTP/1.1\r\nhost: x\r\nx-lectr-key: KEY\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([LINE, *[FIELD] * 10_000], id="fields without end"),
        pytest.param([LINE, b"x: ", *[b"a" * 100] * 10_000], id="a value, slowly"),
        pytest.param([LINE, b"x: " + b"a" * 5_000_000], id="a value without end"),
        pytest.param([LINE, *[b"a" * 100] * 10_000], id="a name without end"),
        pytest.param([LINE + FIELD * 200 + b"\r\n"], id="a whole head"),
        pytest.param([CHUNKED, b"1\r\na\r\n0\r\n", *[FIELD] * 10_000], id="trailers"),
        pytest.param(
            [CHUNKED, b"1;", *[b"a" * 100] * 10_000], id="a chunk's extension"
        ),
    ],
)
def test_a_head_has_a_limit(proxy, pieces):
    """431 after 64 KB, whatever it is made of; nobody else waits for it."""
    key = proxy.keys()["X-Lectr-Key"].encode()
    pieces = [piece.replace(b"KEY", key) for piece in pieces]

    assert waits_ms(proxy, pieces[:600]) < 1000
    *_, last = send(proxy, *pieces).split(b"HTTP/1.1 ")
    assert last.startswith(b"431 ")
    assert code_of(last) == "head_too_large"


def test_a_head_within_the_limits_is_read(provider, proxy):
    """54 KB of fields and a target of 8,000 bytes reach the provider."""
    target = f"/v1/{'a' * 7_990}"

    with proxy.client(X_Filler="a" * 54 * KB) as client:
        assert client.get(target).status_code == 200

    [received] = provider.received
    assert received.line == f"GET /openai{target} HTTP/1.1"
    assert dict(received.headers)["x-filler"] == "a" * 54 * KB


def test_a_body_of_any_length_is_no_head(provider, proxy):
    """On one connection, in any pieces, heads behind it included."""
    body = b"a" * 3_000_000
    with proxy.client() as client:
        for _ in range(3):
            reply = client.post("/v1/chat/completions", content=body)
            assert reply.status_code == 200

    assert [r.body for r in provider.received] == [body] * 3


def test_what_is_no_http_is_a_400_of_ours(proxy):
    """In the shape of every refusal."""
    assert code_of(send(proxy, b"this is no HTTP\r\n\r\n")) == "bad_request"


def test_a_reply_under_way_is_finished_before_nonsense_is_refused(provider, proxy):
    """What a client sends behind its request harms that request's reply not at all."""

    def answer(sock, _):
        time.sleep(0.2)
        sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

    provider.answer = answer
    keys = "".join(f"{name}: {value}\r\n" for name, value in proxy.keys().items())
    asked = f"GET /v1/models HTTP/1.1\r\nhost: x\r\n{keys}\r\n".encode()

    got = send(proxy, asked, b"nonsense\r\n\r\n")

    reply, _, refusal = got.partition(b"{}")
    assert reply.startswith(b"HTTP/1.1 200 OK")
    assert refusal.startswith(b"HTTP/1.1 400 Bad Request")
    assert code_of(refusal) == "bad_request"


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_a_refusal_leaves_in_one_write(proxy, method):
    """There are clients that read an error's text only where it comes with its head."""
    line = b"%s /v1/models HTTP/1.1\r\nhost: x\r\n\r\n" % method.encode()
    for _ in range(20):
        with connect(proxy) as sock:
            sock.sendall(line)
            head, _, body = sock.recv(65536).partition(b"\r\n\r\n")

            assert head.startswith(b"HTTP/1.1 401 ")
            length = (
                0 if method == "HEAD" else int(head.split(b"length: ")[1].split()[0])
            )
            assert len(body) == length
