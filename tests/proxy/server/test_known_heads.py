"""A head that came before says what a parser would say of it, and no more is kept."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from lectr_lab.config.limit_settings import LimitSettings
from lectr_lab.proxy.server.crowd import Crowd
from lectr_lab.proxy.server.known_heads import KnownHeads
from lectr_lab.proxy.server.protocol import ServerProtocol
from lectr_lab.proxy.server.run import _config
from tests.proxy.server.test_cycle import Transport

PLAIN = st.sampled_from([b"", b"User-Agent: a\r\n", b"Connection: keep-alive\r\n"])
ODD_LINES = (
    b"Content-Length: %d\r\n",
    b"content-length: %d\r\n",
    b"CONTENT-LENGTH: %d\r\n",
    b"Content-Length:%d\r\n",
    b"Content-Length: %d \r\n",
    b"Content-Length: 0%d\r\n",
    b"Content-Length: +%d\r\n",
    b"Connection: close\r\n",
    b"Expect: 100-continue\r\n",
    b"Upgrade: h2c\r\nConnection: upgrade\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"X-A: b\r\nx-a: c\r\n",
    b"Host: y\r\n",
)
ODD = st.lists(st.sampled_from(ODD_LINES), max_size=1)
LENGTH = st.sampled_from([b"Content-Length: %d\r\n", b"content-length: %d\r\n"])
HEADS = st.builds(
    lambda start, *lines, odd: b"".join([start, *lines, *odd, b"\r\n"]),
    st.sampled_from(
        [
            b"POST /v1/a HTTP/1.1\r\nHost: x\r\n",
            b"\r\nPOST /v1/a%%20b?c=d HTTP/1.1\r\nHost: x\r\n",
            b"POST /a? HTTP/1.1\r\nHost: x\r\n",
            b"POST /v1/a HTTP/1.0\r\nHost: x\r\n",
            b"GET /v1/b HTTP/1.1\r\nhost: x\r\n",
        ]
    ),
    PLAIN,
    LENGTH,
    PLAIN,
    odd=st.one_of(st.just([]), ODD),
)
BODIES = st.sampled_from([b"", b"{}", b"\r\n\r\n", b"x" * 12])


async def seen(pieces: list[bytes], *, vouched: bool):
    """What an application is shown, and what is written to its client."""
    shown = []

    async def app(scope, receive, send):
        client = scope["state"]["lectr_client"]
        if vouched and client.vouch is not None:
            client.vouch()
        body, message = b"", {"more_body": True}
        while message.get("more_body"):
            message = await receive()
            body += message.get("body", b"")
        told = {k: v for k, v in scope.items() if k not in ("state", "asgi")}
        bare = "lectr_bare_query" in scope["state"]
        shown.append((told, bare, body, receive.__self__.keep_alive))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    config = _config(app, None, LimitSettings())
    crowd, transport, written = Crowd(LimitSettings()), Transport(), []
    transport.close()
    for piece in pieces:
        if transport.is_closing():  # what follows comes over another connection
            protocol = ServerProtocol(
                crowd, config=config, server_state=ServerState(), app_state={}
            )
            transport = Transport()
            protocol.connection_made(transport)
        protocol.data_received(piece)
        for _ in range(4):
            await asyncio.sleep(0)
        written.append(transport.written)
    protocol.connection_lost(None)
    return shown, written


@settings(deadline=None)
@given(
    st.lists(HEADS, min_size=1, max_size=2),
    st.lists(st.tuples(st.integers(0, 1), BODIES), min_size=2, max_size=6),
    st.lists(st.integers(0, 600), max_size=3).map(sorted),
    st.booleans(),
)
def test_a_known_head_says_what_a_parser_says(heads, asked, cuts, in_turn):
    """To the application and to the client, however the requests are cut or piled up."""
    requests = []
    for which, body in asked:
        head = heads[which % len(heads)]
        fill = (len(body),) * head.replace(b"%%", b"").count(b"%d")
        requests.append(head % fill + body)
    sent = b"".join(requests)
    pieces = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    if in_turn:
        pieces = requests

    known = asyncio.run(seen(pieces, vouched=True))

    assert known == asyncio.run(seen(pieces, vouched=False))


@pytest.mark.parametrize("line", [b"", *ODD_LINES])
def test_what_is_odd_is_odd_again(line):
    """Over another connection, where the first is closed for it."""
    head = b"POST /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n%b\r\n{}"
    line = line.replace(b"%d", b"2")
    request = head % line

    known = asyncio.run(seen([request] * 2, vouched=True))

    assert known == asyncio.run(seen([request] * 2, vouched=False))


HEAD = b"POST /v1/a HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"


def scope(length: bytes, *more: tuple[bytes, bytes], path: str = "/v1/a"):
    """As a parser says it."""
    return {
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"x"), (b"content-length", length), *more],
    }


def test_a_head_is_known_with_another_length():
    """Whether its body is there, or comes later; another head is not."""
    known = KnownHeads()
    known.add(HEAD % 2, b"/v1/a", scope(b"2"))

    again = known.find(b"..." + HEAD % 12 + b"x" * 13, 3, 3 + len(HEAD % 12) + 12)

    assert again is not None
    assert again.head.headers(again.length) == scope(b"12")["headers"]
    assert again.end == 3 + len(HEAD % 12) + 12
    alone = known.find(HEAD % 12, 0, len(HEAD % 12))
    assert alone is not None
    assert alone.end == alone.body_at + 12
    assert known.find(HEAD % 12, 0, len(HEAD % 12) - 1) is None
    assert known.find(HEAD.replace(b"x", b"y") % 0, 0, len(HEAD % 0)) is None


def test_memory_is_bounded():
    """By how many heads there are, and by how large one is."""
    known = KnownHeads()
    heads = [HEAD.replace(b"/v1/a", b"/v1/%d" % n) % 0 for n in range(1000)]
    large = HEAD.replace(b"x\r", b"x" * 9000 + b"\r") % 0
    for head in (large, *heads):
        known.add(head, b"/v1/a", scope(b"0"))

    found = [known.find(head, 0, len(head)) for head in (large, *heads)]

    assert found[0] is None
    assert 0 < sum(one is not None for one in found) <= 256
