"""What somebody without a key may cost: little time, little memory, an answer that says
why."""

import contextlib
import json
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import httpx
import msgspec
import pytest
from cpu_time import cpu_s

from lectr_lab.bench.process import cpu_s as cpu_s_of
from lectr_lab.bench.process import rss_mb
from lectr_lab.config.limit_settings import LimitSettings
from lectr_lab.launch import Child, Order, Session
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


@pytest.mark.parametrize("unit", ENCODED)
@pytest.mark.parametrize("place", [b"/v1/%s", b"/%s", b"/v1/orgs/%s"])
def test_a_path_costs_the_same_for_each_byte(unit, place):
    """However it is written: eight times the bytes are not 64 times the work."""

    def read(size: int, enough_s: float = 0.0) -> float:
        path = place % (unit * size)[:size]
        work = lambda: [_is_for_a_provider(path) for _ in range(20)]
        return cpu_s(work, enough_s=enough_s)

    bound_s = 24 * read(8 * KB) + 0.002
    assert read(64 * KB, bound_s) < bound_s


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


# What each byte costs, in a process of its own


class Standing(NamedTuple):
    """A proxy that is a process, and what its key is."""

    pid: int
    url: str
    keys: bytes

    def connect(self) -> socket.socket:
        port = int(self.url.rsplit(":", 1)[1])
        return socket.create_connection(("127.0.0.1", port), timeout=60)


@pytest.fixture(scope="module")
def big_provider() -> Iterator[tuple[str, dict[str, bytes]]]:
    """Answers every request with `reply` of what it yields."""
    said = {"reply": b""}

    def talk(sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            while data := sock.recv(65536):
                head, _, body = data.partition(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].split()
                left = int(length[0]) - len(body) if length else 0
                while left > 0:
                    left -= len(sock.recv(1_000_000))
                sock.sendall(said["reply"])

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                threading.Thread(target=talk, args=(sock,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", said
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def process(big_provider, tmp_path_factory) -> Iterator[Standing]:
    """The proxy that this module measures."""
    from lectr_lab.config.settings import Settings

    lab = str(tmp_path_factory.mktemp("strangers") / "lab")
    upstream = f"{big_provider[0]}/v1"
    order = Order(settings=Settings(lab=lab, port=0, upstream=upstream))
    session = Session("lc_key_for-a-stranger", org="acme")
    child = Child(msgspec.structs.replace(order, session=session))
    lines = f"x-lectr-key: {session.key}\r\nauthorization: Bearer sk-provider\r\n"
    yield Standing(child.pid, child.base_url, lines.encode())
    child.stop()


def reply_of(size: int) -> bytes:
    body = b'{"a":"' + b"a" * size + b'"}'
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


def read_reply(sock: socket.socket) -> None:
    got = b""
    while b"\r\n\r\n" not in got:
        data = sock.recv(65536)
        assert data, got
        got += data
    head, _, body = got.partition(b"\r\n\r\n")
    left = int(head.lower().partition(b"content-length: ")[2].split()[0]) - len(body)
    while left > 0:
        left -= len(sock.recv(1_000_000))


def cpu_each_s(process: Standing, raw: bytes, count: int) -> float:
    """The processor time of one request and its reply, the least of three tries."""

    def once() -> float:
        with process.connect() as sock:
            began_s = cpu_s_of([process.pid])
            for _ in range(count):
                sock.sendall(raw)
                read_reply(sock)
            return (cpu_s_of([process.pid]) - began_s) / count

    return min(once() for _ in range(3))


def filled(unit: bytes, size: int) -> bytes:
    return (unit * (size // len(unit) + 1))[:size]


def of_path(unit: bytes, size: int) -> bytes:
    return b"GET /v1/%b HTTP/1.1\r\nhost: x\r\n" % filled(unit, size)


def of_query(unit: bytes, size: int) -> bytes:
    return b"GET /v1/x?%b HTTP/1.1\r\nhost: x\r\n" % filled(unit, size)


def of_value(unit: bytes, size: int) -> bytes:
    return LINE + b"x: a%b\r\n" % filled(unit, size)


def of_name(unit: bytes, size: int) -> bytes:
    return LINE + filled(unit, size) + b": 1\r\n"


def of_fields(unit: bytes, size: int) -> bytes:
    return LINE + unit * (size // 650)


MANY_TIMES = b"%" + b"25" * 5000  # a percent sign, encoded again and again
HEADS = [(of_path, unit, 500) for unit in [*ENCODED, b"a", MANY_TIMES]]
HEADS += [(of_query, unit, 500) for unit in [b"a", b"%25", b"&", b"key=1&", b"?"]]
HEADS += [(of_value, unit, 3700) for unit in [b"a", b",", b"\xff", b"a b", b"=;"]]
HEADS += [(of_name, b"x", 3700), (of_fields, b"x: 1\r\n", 3700)]
_NO_WORSE = 32  # for 16 times the bytes: twice the time for each


@pytest.mark.slow
@pytest.mark.parametrize("knows", [False, True], ids=["a stranger", "a key"])
@pytest.mark.parametrize(("written", "unit", "size"), HEADS)
def test_each_byte_of_a_head_costs_the_same(
    process, big_provider, written, unit, size, knows
):
    """At its limit and at a sixteenth of it, whoever sends it, up to the provider."""
    big_provider[1]["reply"] = reply_of(0)
    last = (process.keys if knows else b"") + b"\r\n"

    few_s, many_s = (
        cpu_each_s(process, written(unit, n) + last, 8) for n in (size, 16 * size)
    )

    # A few requests may end between two ticks of the clock.
    assert many_s < _NO_WORSE * max(few_s, 0.0001), (few_s, many_s)


def as_length(size: int) -> bytes:
    return b"content-length: %d\r\n\r\n" % size + b"a" * size


def in_chunks(piece: bytes) -> Callable[[int], bytes]:
    def of(size: int) -> bytes:
        chunk = b"%x\r\n%b\r\n" % (len(piece), piece)
        chunks = chunk * (size // len(chunk))
        return b"transfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"

    return of


@pytest.mark.slow
@pytest.mark.parametrize(
    ("written", "size"),
    [
        pytest.param(as_length, 200_000, id="of a length"),
        pytest.param(in_chunks(b"a" * 10_000), 200_000, id="in chunks"),
        pytest.param(in_chunks(b"a"), 20_000, id="in chunks of a byte"),
        pytest.param(in_chunks(b"\r\n\r\n" * 1000), 40_000, id="of empty lines"),
    ],
)
def test_each_byte_of_a_body_costs_the_same(process, big_provider, written, size):
    """However it is framed."""
    big_provider[1]["reply"] = reply_of(0)
    head = b"POST /v1/x HTTP/1.1\r\nhost: x\r\n" + process.keys

    few_s, many_s = (
        cpu_each_s(process, head + written(n), 3) for n in (size, 16 * size)
    )

    assert many_s < _NO_WORSE * few_s, (few_s, many_s)


@pytest.mark.slow
def test_each_byte_of_a_reply_costs_the_same(process, big_provider):
    """Up to megabytes."""
    asked = b"GET /v1/x HTTP/1.1\r\nhost: x\r\n" + process.keys + b"\r\n"

    def cost_s(size: int) -> float:
        big_provider[1]["reply"] = reply_of(size)
        return cpu_each_s(process, asked, 3)

    few_s, many_s = cost_s(200_000), cost_s(3_200_000)

    assert many_s < _NO_WORSE * few_s, (few_s, many_s)


# What each connection holds


def settled_kb(process: Standing) -> float:
    """The memory of it, once it no longer changes."""
    httpx.get(f"{process.url}/health", timeout=60)
    last, same, until_s = 0.0, 0, time.monotonic() + 30
    while same < 4 and time.monotonic() < until_s:
        time.sleep(0.1)
        now = rss_mb([process.pid])
        last, same = now, (same + 1 if abs(now - last) < 0.1 else 0)
    return last * KB


def send_all_that_goes(socks: list[socket.socket], data: bytes) -> None:
    """Until none of them takes any more for a second."""
    left = {sock: memoryview(data) for sock in socks}
    for sock in socks:
        sock.setblocking(False)
    while left and (ready := select.select([], list(left), [], 1.0)[1]):
        for sock in ready:
            try:
                left[sock] = left[sock][sock.send(left[sock]) :]
            except OSError:
                left[sock] = memoryview(b"")
            if not left[sock]:
                del left[sock]


MODELS = LINE + b"\r\n"
POSTED = b"POST /v1/x HTTP/1.1\r\nhost: x\r\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "connections", "limit_kb"),
    [
        pytest.param(b"", 400, 8, id="nothing"),
        pytest.param(MODELS, 400, 8, id="a request, then nothing"),
        pytest.param(LINE + FIELD * 60 + b"x: a", 200, 256, id="half a head"),
        pytest.param(LINE + b"x: 1\r\n" * 97, 200, 256, id="fields"),
        pytest.param(LINE + b"x: " + b"a" * 65_000, 200, 256, id="half a field"),
        pytest.param(MODELS * 60_000, 60, 256, id="requests without end"),
        pytest.param(
            POSTED + b"content-length: 9000000\r\n\r\n" + b"a" * 9_000_000,
            60,
            256,
            id="a body",
        ),
    ],
)
def test_a_stranger_holds_little(process, data, connections, limit_kb):
    """8 KB where it is idle, 256 KB whatever it sends, whether it reads or not."""

    def held_kb(count: int) -> float:
        before_kb = settled_kb(process)
        with contextlib.ExitStack() as stack:
            socks = [stack.enter_context(process.connect()) for _ in range(count)]
            send_all_that_goes(socks, data)
            return settled_kb(process) - before_kb

    held_kb(20)  # what is needed once

    assert held_kb(connections) < limit_kb * connections


# How many there may be


@pytest.fixture
def with_512_files(provider, tmp_path) -> Iterator[Standing]:
    """A proxy whose shell allows it no more."""
    from lectr_lab.config.settings import Settings

    settings = Settings(
        lab=str(tmp_path / "lab"), port=0, upstream=f"{provider.url}/v1"
    )
    session = Session("lc_key_for-a-few", org="acme")
    run = [sys.executable, "-m", "lectr_lab.launch"]
    with subprocess.Popen(
        ["sh", "-c", 'ulimit -n 512; exec "$@"', "sh", *run],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        order = Order(settings=settings, session=session)
        child.stdin.write(msgspec.json.encode(order) + b"\n")
        child.stdin.flush()
        url = json.loads(child.stdout.readline())["base_url"]
        lines = f"x-lectr-key: {session.key}\r\nauthorization: Bearer sk-provider\r\n"
        yield Standing(child.pid, url, lines.encode())
        child.stdin.close()
        child.wait(60)


@pytest.mark.slow
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(LINE, id="half a head"),
        pytest.param(MODELS, id="a request"),
        pytest.param(POSTED + b"content-length: 9\r\n\r\n", id="half a body"),
    ],
)
def test_who_waits_keeps_nobody_out(with_512_files, data):
    """600 strangers on 512 files: the first to wait make room, and a request is served."""
    proxy, asked = with_512_files, POSTED + with_512_files.keys + b"\r\n"
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(proxy.connect()) for _ in range(600)]
        for sock in socks:
            with contextlib.suppress(OSError):
                sock.sendall(data)
        open_now, until_s = 600, time.monotonic() + 60
        while open_now > 224 and time.monotonic() < until_s:
            open_now = sum(not has_ended(sock) for sock in socks)
            time.sleep(0.05)

        def status() -> bytes:
            with proxy.connect() as sock:
                sock.sendall(asked)
                return sock.recv(100)[:12]

        while status() != b"HTTP/1.1 200" and time.monotonic() < until_s:
            time.sleep(0.05)  # half a body is waited for, for a moment
        assert {status() for _ in range(20)} == {b"HTTP/1.1 200"}
        assert open_now <= 224


def has_ended(sock: socket.socket) -> bool:
    """The other side has closed it; what it said before is thrown away."""
    sock.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        try:
            while sock.recv(65536):
                pass
        except ConnectionError:
            pass
        return True
    return False


# Who leaves, and who is slow


@pytest.mark.parametrize("behind", [0, 1, 700])
def test_who_pipelines_and_leaves_is_noticed(provider, proxy, behind):
    """Its call is cancelled before the provider has said a word, and is no fault."""
    asked, hung_up = threading.Event(), threading.Event()

    def answer(sock, _):
        asked.set()
        if sock.recv(1) == b"":
            hung_up.set()

    provider.answer = answer
    keys = "".join(f"{name}: {value}\r\n" for name, value in proxy.keys().items())
    request = LINE + keys.encode() + b"\r\n"
    with connect(proxy) as sock:
        sock.sendall(request * (1 + behind))
        assert asked.wait(30)

    assert hung_up.wait(30)
    assert proxy.event()["outcome"] == "client_disconnect"
    health = httpx.get(f"{proxy.url}/health", timeout=30).json()
    assert "internal_errors" not in health or not health["internal_errors"]


def test_half_a_body_is_refused_by_its_name(provider, start):
    """408 to the client, an event of it, and the provider is not asked."""
    proxy = start(provider.url, limits=LimitSettings(body_timeout_s=0.3))
    keys = "".join(f"{name}: {value}\r\n" for name, value in proxy.keys().items())
    head = POSTED + keys.encode() + b"content-length: 9\r\n\r\n"

    got = send(proxy, head + b"half")

    assert (
        json.loads(got.partition(b"\r\n\r\n")[2])["error"]["code"] == "request_timeout"
    )
    event = proxy.event()
    assert (event["outcome"], event["status"]) == ("refused", 408)
    assert (event["error_type"], event["error_source"]) == ("request_timeout", "client")
    assert provider.received == []
