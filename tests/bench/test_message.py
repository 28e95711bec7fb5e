"""Where a message ends."""

import pytest

from lectr_lab.bench.message import body_end

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n"


@pytest.mark.parametrize(
    "message",
    [
        HEAD + b"\r\n",
        HEAD + b"content-length: 0\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nX: y\r\n\r\nhello",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ],
)
def test_a_message_ends_at_its_last_byte(message):
    """And at none before."""
    assert body_end(message) == len(message)
    assert all(body_end(message[:n]) is None for n in range(len(message)))


def test_what_follows_is_the_next_message():
    """Of two requests, the first is whole."""
    first = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"

    assert body_end(first + b"POST / HT") == len(first)
