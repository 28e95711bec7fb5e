"""What an engine is, held by the ones there are."""

import inspect

import pytest

from lectr_lab.core.engine import Reply, Upstream
from lectr_lab.proxy.settings import Settings
from lectr_lab.proxy.upstream import open_upstream


@pytest.mark.parametrize("engine", ["native", "httpx"])
def test_an_engine_takes_what_the_protocol_says(engine):
    """The same names in the same order, so that one can stand for another."""
    import asyncio

    async def parameters() -> list[str]:
        upstream = open_upstream(Settings(engine=engine))
        found = list(inspect.signature(upstream.send).parameters)
        await upstream.aclose()
        return found

    said = list(inspect.signature(Upstream.send).parameters)[1:]
    assert asyncio.run(parameters()) == said
    assert set(Reply.__annotations__) == {"status", "headers"}
