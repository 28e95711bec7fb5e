"""The proxy that a test holds."""

import pytest

from lectr_lab.resources import shipped_cassettes
from lectr_lab.tape.cassette import read_cassette
from lectr_lab.testing.replay import replay

ERRORS = shipped_cassettes() / "llama" / "errors.yaml"


@pytest.mark.parametrize("sdk", ["openai", "anthropic", "groq"])
def test_ready_clients_arrive(sdk):
    """Each SDK's own error for what is not on the tape, and an event of it."""
    with replay(ERRORS) as proxy:
        client = getattr(proxy, sdk)(feature="f", task="generation", max_retries=0)
        with pytest.raises(Exception, match="No recording answers GET models"):
            client.models.list()
        [event] = proxy.events().iter_rows(named=True)

    assert (event["feature"], event["task"]) == ("f", "generation")
    assert (event["status"], event["path"].split("/")[-1]) == (501, "models")


@pytest.mark.anyio
@pytest.mark.parametrize("sdk", ["openai", "anthropic", "groq"])
async def test_ready_async_clients_arrive(sdk):
    """As the others do."""
    with replay(ERRORS) as proxy:
        make = getattr(proxy, f"async_{sdk}")
        async with make(feature="f", task="generation", max_retries=0) as client:
            with pytest.raises(Exception, match="No recording answers GET models"):
                await client.models.list()
        [event] = proxy.events().iter_rows(named=True)

    assert (event["feature"], event["task"], event["status"]) == (
        "f",
        "generation",
        501,
    )


def test_figures_are_the_recordings():
    """To the microsecond."""
    one = read_cassette(ERRORS)[0]
    with replay(ERRORS) as proxy:
        client = proxy.openai(max_retries=0)
        with pytest.raises(Exception, match="400"):
            client.post("/chat/completions", content=one.request_body, cast_to=object)
        [event] = proxy.events().iter_rows(named=True)

    assert event["total_ms"] == one.chunks[-1].at_ms
    assert event["ttfb_ms"] == one.head_ms
    assert event["overhead_ms"] == 0.0


def test_a_key_is_not_shown():
    """Whoever prints the fixture prints an address."""
    with replay(ERRORS) as proxy:
        assert proxy.base_url in repr(proxy)
        assert proxy.key not in repr(proxy)
