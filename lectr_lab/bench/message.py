"""Where an HTTP/1.1 message ends: as much of the protocol as both ends here need."""

from functools import lru_cache


def body_end(received: bytes) -> int | None:
    """The length of the message that `received` begins with; None: it goes on.

    Either a content-length or chunks; a message with neither has no body.

    >>> body_end(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
    40
    """
    head_end = received.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    size_bytes = _body_bytes(received[:head_end])
    if size_bytes is None:
        # The whole of a reply is here at some time, and nothing follows it.
        return len(received) if received.endswith(b"\r\n0\r\n\r\n") else None
    end = head_end + 4 + size_bytes
    return end if len(received) >= end else None


@lru_cache(64)  # nearly all heads are alike, and the less both ends take the better
def _body_bytes(head: bytes) -> int | None:
    """How long the body behind a head is; None: it comes in chunks."""
    head = head.lower()
    if b"\r\ntransfer-encoding: chunked" in head:
        return None
    _, found, rest = head.partition(b"\r\ncontent-length:")
    return int(rest.split(b"\r\n")[0]) if found else 0
