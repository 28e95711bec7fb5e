"""What an engine is, held by the ones there are; and the note of a request."""

import asyncio
import inspect

import pytest

from lectr_lab.config.settings import Settings
from lectr_lab.core.engine import CURRENT_NOTE, Engine, Note, Reply
from lectr_lab.proxy.engine.engines import open_engine


@pytest.mark.parametrize("engine", ["native", "httpx"])
def test_an_engine_takes_what_the_protocol_says(engine):
    """The same names in the same order, so that one can stand for another."""
    import asyncio

    async def parameters() -> list[str]:
        opened = open_engine(Settings(engine=engine))
        found = list(inspect.signature(opened.send).parameters)
        await opened.aclose()
        return found

    said = list(inspect.signature(Engine.send).parameters)[1:]
    assert asyncio.run(parameters()) == said
    assert set(Reply.__annotations__) == {"status", "headers"}


def test_a_request_sees_its_own_note_alone():
    """Requests that run at once do not see each other's."""

    async def request(org: str) -> str:
        CURRENT_NOTE.set(Note(event_id=b"", org=org))
        await asyncio.sleep(0)
        note = CURRENT_NOTE.get()
        assert note is not None
        return note.org

    async def both() -> list[str]:
        return await asyncio.gather(request("a"), request("b"))

    assert asyncio.run(both()) == ["a", "b"]
    assert CURRENT_NOTE.get() is None
