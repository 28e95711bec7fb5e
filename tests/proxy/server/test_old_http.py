"""Replies in HTTP/1.0."""

import pytest

ASK = b"POST / HTTP/1.0\r\ncontent-length: 3\r\n\r\n"


@pytest.mark.parametrize("length", [True, False])
def test_there_are_no_chunks_in_them(serve, all_of, length):
    """A body of unknown length ends with the connection."""

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        headers = [(b"content-length", b"4")] if length else []
        start = {"type": "http.response.start", "status": 200, "headers": headers}
        await send(start)
        for part, more in ((b"ab", True), (b"cd", False)):
            message = {"type": "http.response.body", "body": part, "more_body": more}
            await send(message)

    sock = serve(app)()
    sock.sendall(ASK + b"123")

    head, _, body = all_of(sock).partition(b"\r\n\r\n")

    assert body == b"abcd"
    assert b"chunked" not in head
    assert (b"content-length: 4" in head) is length
