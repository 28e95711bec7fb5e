"""Where an HTTP/1.1 message ends: as much of the protocol as both ends here need."""


def body_end(received: bytes) -> int | None:
    """The length of the message that `received` begins with; None: it goes on.

    Either a content-length or chunks; a message with neither has no body.

    >>> body_end(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
    40
    """
    head_end = received.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    start = head_end + 4
    head = received[:head_end].lower()
    if b"\r\ntransfer-encoding: chunked" in head:
        # The whole of a reply is here at some time, and nothing follows it.
        return len(received) if received.endswith(b"\r\n0\r\n\r\n") else None
    _, found, rest = head.partition(b"\r\ncontent-length:")
    end = start + int(rest.split(b"\r\n")[0]) if found else start
    return end if len(received) >= end else None
