"""Who is refused before its body is read gets its answer, and the next one is its own."""

import pytest

HEAD = b"POST /refused HTTP/1.1\r\nhost: x\r\n%b\r\n"
NEXT = b"GET /next HTTP/1.1\r\nhost: x\r\n\r\n"
LENGTH = b"content-length: %d\r\n"


@pytest.mark.parametrize("cut", [0, 1, 500])
def test_a_small_body_is_read_and_the_connection_goes_on(
    serve, until, cut, monkeypatch
):
    """Whether it is there with the head or comes behind it, a moment later."""
    monkeypatch.setattr("lectr_lab.proxy.server.unread._MOMENT_S", 30.0)
    sock, body = serve()(), b"a" * 1000
    sock.sendall(HEAD % (LENGTH % 1000) + body[:cut])
    sock.sendall(body[cut:] + NEXT)

    got = until(sock, b"</next 0>")

    assert got.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close" not in got
    assert got.endswith(b"</next 0>")


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(LENGTH % 100, id="a small one that does not come"),
        pytest.param(LENGTH % 10_000_000, id="a large one"),
        pytest.param(b"transfer-encoding: chunked\r\n", id="of unknown length"),
        pytest.param(LENGTH % 100 + b"expect: 100-continue\r\n", id="on request"),
    ],
)
def test_a_request_is_never_eaten_as_a_body(serve, all_of, lines):
    """The connection ends with the refusal, and says so; what follows is not answered."""
    sock = serve()()
    sock.sendall(HEAD % lines)

    got = all_of(sock)

    assert got.startswith(b"HTTP/1.1 401 ")
    assert b"\r\nconnection: close" in got
    assert got.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
def test_a_refusal_outlives_the_body_that_nobody_reads(serve, all_of, version):
    """To close on it at once would be a reset, and the answer lost."""
    dial = serve()
    for _ in range(5):
        sock = dial()
        sock.sendall(HEAD.replace(b"1.1", version) % (LENGTH % 3_000_000))
        sock.sendall(b"a" * 3_000_000)

        got = all_of(sock)

        assert got.startswith(b"HTTP/1.1 401 ")
        assert got.endswith(b"}")
