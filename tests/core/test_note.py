"""The note that travels with a request."""

import asyncio

from lectr_lab.core.note import CURRENT, Note


def test_a_request_sees_its_own_note_alone():
    """Requests that run at once do not see each other's."""

    async def request(org: str) -> str:
        CURRENT.set(Note(event_id=b"", org=org))
        await asyncio.sleep(0)
        note = CURRENT.get()
        assert note is not None
        return note.org

    async def both() -> list[str]:
        return await asyncio.gather(request("a"), request("b"))

    assert asyncio.run(both()) == ["a", "b"]
    assert CURRENT.get() is None
