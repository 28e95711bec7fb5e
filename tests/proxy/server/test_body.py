"""A request's body is read whole, or not at all."""

import asyncio

import pytest

from lectr_lab.proxy.server.bodies import BodiesInFlight, Busy, Held
from lectr_lab.proxy.server.body import (
    LATE,
    ClientGone,
    TooLarge,
    TooLate,
    read_body,
)


def read(
    parts: list[bytes], limit_bytes: int, *, ends: bool = True, length=None, held=None
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

    return asyncio.run(read_body({"headers": headers}, receive, limit_bytes, held))


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


@pytest.mark.parametrize("size", [1, 1000, 64 * 1024, 1024 * 1024])
def test_a_large_body_is_put_together_as_it_came(size):
    """Whatever its pieces are, and blocks are made of them."""
    body = bytes(range(256)) * 12_000
    parts = [body[start : start + size] for start in range(0, 3000 * size, size)]

    assert read(parts, len(body)) == b"".join(parts)


@pytest.mark.parametrize(("parts", "length"), [([b"abc", b"de"], None), ([], b"5")])
def test_there_must_be_room_for_it_beside_the_others(parts, length):
    """Counted as it comes; what is declared is believed."""
    bodies = BodiesInFlight(10)
    with Held(bodies) as other, Held(bodies) as held:
        other.add(6)
        with pytest.raises(Busy):
            read(parts or [b"abcde"], 10, length=length, held=held)
        assert bodies.held_bytes == (6 if length else 9)

    assert bodies.held_bytes == 0


def test_what_is_declared_but_not_sent_holds_nothing():
    """Who declares much and sends little takes no other's room."""
    bodies = BodiesInFlight(10)
    with Held(bodies) as held:
        with pytest.raises(ClientGone):
            read([b"a"], 10, ends=False, length=b"9", held=held)
        assert bodies.held_bytes == 1


def test_a_client_that_sends_no_more_is_late():
    """Our server says so, with a piece that is empty."""
    scope = {"headers": [], "state": {LATE: True}}

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": True}

    with pytest.raises(TooLate):
        asyncio.run(read_body(scope, receive, 3))
