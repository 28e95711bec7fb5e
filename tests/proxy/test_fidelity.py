"""The response is the provider's: bytes, headers, framing and cuts, on both engines."""

import csv
import gzip
import socket
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lectr_lab.tape.cassette import Interaction, read_cassette

SHARED = Path(__file__).parents[2].parent / "shared" / "cassettes"
FRAMINGS = ("chunked", "length", "close")
CHAT = b"/v1/chat/completions"
BODY = b'{"model": "gpt-4o"}'
FRAMING_HEADERS = (b"content-length", b"transfer-encoding", b"connection")


class Got(NamedTuple):
    """A reply as a raw client reads it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def ask(proxy, method=b"POST", target=CHAT, headers=(), body=BODY) -> Got:
    """One request over a socket of its own, and everything that came back."""
    keys = [(n.encode(), v.encode()) for n, v in proxy.keys().items()]
    sent = [(b"host", b"x"), (b"connection", b"close"), *keys, *headers]
    if body:
        sent.append((b"content-length", b"%d" % len(body)))
    head = b"".join(b"%s: %s\r\n" % header for header in sent)
    port = int(proxy.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(b"%s %s HTTP/1.1\r\n%s\r\n%s" % (method, target, head, body))
        with sock.makefile("rb") as file:
            return parsed(file.read())


def parsed(raw: bytes) -> Got:
    """Status, header pairs and the body without its framing."""
    head, _, body = raw.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    pairs = [line.split(b": ", 1) for line in lines]
    headers = [(name.lower(), value) for name, value in pairs]
    if (b"transfer-encoding", b"chunked") in headers:
        body = unchunked(body)
    return Got(int(status.split()[1]), headers, body)


def unchunked(raw: bytes) -> bytes:
    """The body in chunks; a missing last chunk fails."""
    body = b""
    while True:
        size, _, raw = raw.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            assert raw == b"\r\n"
            return body
        body, raw = body + raw[:length], raw[length + 2 :]


def answer(provider, one: Got, framing: str, cuts: list[int]) -> None:
    """Reply with these words, the body cut at these places, in this framing."""
    pieces = [one.body[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
    lines = [h for h in one.headers if h[0].lower() not in FRAMING_HEADERS]
    lines.append((b"Connection", b"close"))
    if framing == "chunked":
        lines.append((b"Transfer-Encoding", b"chunked"))
        pieces = [b"%x\r\n%s\r\n" % (len(p), p) for p in pieces if p] + [b"0\r\n\r\n"]
    elif framing == "length":
        lines.append((b"Content-Length", b"%d" % len(one.body)))
    head = b"".join(b"%s: %s\r\n" % line for line in lines)

    def send(sock, _):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(b"HTTP/1.1 %d Reason\r\n%s\r\n" % (one.status, head))
        for piece in pieces:
            sock.sendall(piece)
        sock.close()

    provider.answer = send


def by_name(headers) -> dict[bytes, list[bytes]]:
    """Values of each name, in order, less the framing of the hop."""
    found: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        if name.lower() not in FRAMING_HEADERS:
            found.setdefault(name.lower(), []).append(value)
    return found


def check(proxy, one: Got, *, target=CHAT) -> None:
    """What comes out is what went in."""
    got = ask(proxy, target=target)

    assert got.status == one.status
    assert got.body == one.body
    assert by_name(got.headers) == by_name(one.headers)


@pytest.fixture(scope="module")
def recordings(shared) -> list[Got]:
    """Every reply of the recordings in vcrpy's own form."""
    with (SHARED / "INDEX.tsv").open(encoding="utf-8") as file:
        paths = [row["path"] for row in csv.DictReader(file, delimiter="\t")]
    files = [SHARED / path for path in paths if not path.startswith("parsed_body/")]
    found = [reply(one) for file in files for one in read_cassette(file)]
    assert len(found) >= 79
    return found


def reply(one: Interaction) -> Got:
    return Got(one.status, list(one.response_headers), one.body)


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_small_recording_cut_everywhere_passes_unchanged(
    standing, recordings, framing
):
    """Each byte is a piece of its own, so that it is cut at every position."""
    provider, proxy = standing
    small = [one for one in recordings if len(one.body) <= 700]
    assert len(small) > 20
    for one in small:
        answer(provider, one, framing, list(range(1, len(one.body))))
        check(proxy, one)


@pytest.mark.parametrize("framing", FRAMINGS)
def test_every_recording_passes_in_every_framing(standing, recordings, framing):
    """Chunked, by length, or until the connection ends."""
    provider, proxy = standing
    for one in recordings:
        answer(provider, one, framing, [len(one.body) // 2])
        check(proxy, one)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_large_recording_may_be_cut_anywhere(standing, recordings, data):
    """Positions of hypothesis's choice."""
    provider, proxy = standing
    large = [one for one in recordings if len(one.body) > 700]
    one = data.draw(st.sampled_from(large))
    positions = st.integers(1, len(one.body) - 1)
    cuts = data.draw(st.lists(positions, max_size=20, unique=True).map(sorted))
    answer(provider, one, data.draw(st.sampled_from(FRAMINGS)), cuts)

    check(proxy, one)


def test_repeated_headers_keep_their_order(standing):
    """Of one name in two cases, too; and nothing is added, least of all a date."""
    provider, proxy = standing
    headers = [
        (b"Set-Cookie", b"b=2; Path=/"),
        (b"Vary", b"Origin"),
        (b"set-cookie", b"a=1"),
        (b"VARY", b"X-Origin"),
        (b"Set-Cookie", b"b=3"),
        (b"X-Quoted", b'"a, b"'),
        (b"X-Latin", b"caf\xe9"),
    ]
    one = Got(200, headers, b"{}")
    answer(provider, one, "length", [])

    got = ask(proxy)

    names = Counter(name for name, _ in got.headers)
    assert by_name(got.headers) == by_name(headers)
    assert by_name(got.headers)[b"set-cookie"] == [b"b=2; Path=/", b"a=1", b"b=3"]
    assert not {b"date", b"server"} & set(names)


def test_a_compressed_stream_is_passed_on_compressed(standing):
    """The bytes of a gzip member, cut inside it."""
    provider, proxy = standing
    body = gzip.compress(b'data: {"choices": []}\n\n' * 50 + b"data: [DONE]\n\n")
    headers = [(b"content-type", b"text/event-stream"), (b"content-encoding", b"gzip")]
    one = Got(200, headers, body)
    answer(provider, one, "chunked", list(range(1, len(body))))

    check(proxy, one)


@pytest.mark.parametrize(
    ("method", "status", "kept"),
    [
        (b"HEAD", 200, [b"30"]),
        (b"GET", 304, []),
        (b"DELETE", 204, []),
    ],
)
def test_a_reply_without_a_body_has_none(standing, method, status, kept):
    """HEAD keeps the length that GET would have; the next request is not mixed up."""
    provider, proxy = standing
    length = b"" if status == 204 else b"content-length: 30\r\n"
    raw = b"HTTP/1.1 %d X\r\netag: e\r\n%s\r\n" % (status, length)
    provider.answer = lambda sock, _: sock.sendall(raw)

    for _ in range(3):
        got = ask(proxy, method, b"/v1/models", body=b"")

        assert (got.status, got.body) == (status, b"")
        assert [v for n, v in got.headers if n == b"content-length"] == kept
        assert (b"etag", b"e") in got.headers


def test_interim_replies_and_trailers_are_consumed(standing):
    """100, 103 and a trailer leave no trace, also on a connection that is used again."""
    provider, proxy = standing
    raw = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
        b"HTTP/1.1 200 OK\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n"
        b"3;ext=1\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n"
    )
    provider.answer = lambda sock, _: sock.sendall(raw)

    for _ in range(3):
        got = ask(proxy)

        assert (got.status, got.body) == (200, b"abc")
        assert by_name(got.headers) == {}


def test_a_length_beside_chunks_does_not_count(standing):
    """RFC 9112, 6.3: either the chunks are the body, or the reply is refused."""
    provider, proxy = standing
    provider.reply(
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n"
        b"connection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    )

    got = ask(proxy)

    assert (got.status, got.body) == (200, b"hello") or got.status == 503


def test_two_hundred_headers_and_a_long_one_come_through(standing):
    """Of a reply; a request may have a hundred."""
    provider, proxy = standing
    many = [(b"x-%d" % number, b"v%d" % number) for number in range(200)]
    one = Got(200, [*many, (b"x-long", b"v" * 60_000)], b"{}")
    answer(provider, one, "length", [])

    got = ask(proxy, headers=many[:90])

    assert by_name(got.headers) == by_name(one.headers)
    sent = provider.received[-1].headers
    assert [h for h in sent if h[0].startswith("x-")] == [
        (n.decode(), v.decode()) for n, v in many[:90]
    ]


def test_a_reply_header_that_is_not_http_costs_itself_alone(standing):
    """A control character cannot be written by our server; the reply goes on."""
    provider, proxy = standing
    provider.reply(
        b"HTTP/1.1 200 OK\r\nx-bad: a\x01b\r\nx-good: 1\r\ncontent-length: 3\r\n\r\nabc"
    )

    got = ask(proxy)

    assert (got.status, got.body) == (200, b"abc")
    assert by_name(got.headers) == {b"x-good": [b"1"]}


@pytest.mark.parametrize(
    "target",
    [
        b"/v1/files/a%2Fb%2fc",
        b"/v1/a/../b/./c",
        b"/v1/a/%2e%2E/x",
        b"/v1//chat//completions",
        b"/v1/models/ft:gpt@x:80?",
        b"/v1/x?",
        b"/v1/x??",
        b"/v1/x?a=%20&b=[1]&&c&=d?e/f",
        b'/v1/a|b^c"d\\e',
        b"/v1/models/",
    ],
)
def test_a_path_goes_out_as_it_came(standing, target):
    """Not decoded, not tidied, with its query, or a question mark and none."""
    provider, proxy = standing
    answer(provider, Got(200, [], b"{}"), "length", [])

    ask(proxy, b"GET", target, body=b"")

    path = target[len(b"/v1") :].decode()
    assert provider.received[-1].line == f"GET /openai/v1{path} HTTP/1.1"


@pytest.mark.parametrize("path", [b"/v1/models", b"/v1/nobody/knows", b"/openai/v1/x"])
@pytest.mark.parametrize("method", [b"GET", b"POST", b"PUT", b"PATCH", b"DELETE"])
def test_unknown_paths_and_methods_pass_through(standing, method, path):
    """What the proxy does not know, a provider may."""
    provider, proxy = standing
    answer(provider, Got(418, [(b"x-a", b"1")], b"no JSON"), "length", [])
    body = b"" if method == b"GET" else b"\x00\xff"

    got = ask(proxy, method, path, body=body)

    assert (got.status, got.body) == (418, b"no JSON")
    assert provider.received[-1].line.startswith(method.decode())
    assert provider.received[-1].body == body


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    body=st.binary(min_size=1, max_size=3000),
    values=st.lists(
        st.binary(max_size=30).map(
            lambda raw: bytes(c for c in raw if c > 31 and c != 127).strip()
        ),
        max_size=5,
    ),
)
def test_a_request_reaches_the_provider_unchanged(standing, body, values):
    """Any bytes as its body; any values, repeated, in order, whatever their encoding."""
    provider, proxy = standing
    answer(provider, Got(200, [], b"{}"), "length", [])
    mine = [(b"x-mine", value) for value in values]

    ask(proxy, headers=[(b"x-lectr-provider", b"openai"), *mine], body=body)

    received = provider.received[-1]
    lines = received.head.split(b"\r\n")[1:]
    seen = [ln.split(b":", 1)[1].strip() for ln in lines if ln.startswith(b"x-mine")]
    assert received.body == body
    assert seen == values


def test_three_megabytes_reach_the_provider(standing):
    """Nothing is warned of, nothing is lost."""
    provider, proxy = standing
    answer(provider, Got(200, [], b"{}"), "length", [])
    body = b'{"model": "gpt-4o", "x": "' + b"0123456789" * 300_000 + b'"}'

    got = ask(proxy, body=body)

    assert got.status == 200
    assert provider.received[-1].body == body


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("status", [200, 204, 404])
def test_a_client_of_http_1_0_gets_no_chunks(standing, framing, status):
    """It does not know them: a body of unknown length ends with the connection."""
    provider, proxy = standing
    one = Got(status, [(b"x-a", b"1")], b"" if status == 204 else b"two\r\nlines")
    answer(provider, one, framing, [3] if one.body else [])
    keys = b"".join(
        b"%s: %s\r\n" % (n.encode(), v.encode()) for n, v in proxy.keys().items()
    )
    port = int(proxy.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(b"GET /v1/models HTTP/1.0\r\n%s\r\n" % keys)
        with sock.makefile("rb") as file:
            head, _, body = file.read().partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"transfer-encoding" not in head
    assert b"x-a: 1" in head
    assert body == one.body
