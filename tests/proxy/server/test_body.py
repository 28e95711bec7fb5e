"""A request's body is read whole, or not at all."""

import asyncio

import pytest

from lectr_lab.proxy.server.body import ClientGone, TooLarge, read_body


def read(
    parts: list[bytes], limit_bytes: int, *, ends: bool = True, length=None
) -> bytes:
    """Read a body that arrives in these parts."""
    messages = [
        {"type": "http.request", "body": part, "more_body": not ends or left > 0}
        for left, part in zip(range(len(parts) - 1, -1, -1), parts, strict=True)
    ]
    messages.append({"type": "http.disconnect"})
    headers = [] if length is None else [(b"content-length", length)]

    async def receive():
        return messages.pop(0)

    return asyncio.run(read_body({"headers": headers}, receive, limit_bytes))


@pytest.mark.parametrize("parts", [[b""], [b"abc"], [b"a", b"", b"bc"]])
def test_the_parts_are_the_body(parts):
    """In their order, up to the limit."""
    assert read(parts, 3) == b"".join(parts)


@pytest.mark.parametrize("parts", [[b"abcd"], [b"ab", b"cd"]])
def test_a_byte_over_the_limit_is_too_large(parts):
    """Counted while reading."""
    with pytest.raises(TooLarge):
        read(parts, 3)


def test_a_declared_length_is_believed(parts=(b"a",)):
    """Before anything is read."""
    with pytest.raises(TooLarge):
        read(list(parts), 3, length=b"4")


def test_half_a_body_is_none():
    """The client left."""
    with pytest.raises(ClientGone):
        read([b"a"], 3, ends=False)
