"""The proxy that a test holds."""

import pytest

from lectr_lab.recorded import environment
from lectr_lab.recording import replay
from lectr_lab.shipped import shipped_cassettes
from lectr_lab.tape.cassette import read_cassette

ERRORS = shipped_cassettes() / "llama" / "errors.yaml"


def test_the_environment_points_every_sdk_here():
    """Each has its own URL; headers and proxies that were set stay."""
    own = {"GROQ_CUSTOM_HEADERS": "X-Mine: 1", "NO_PROXY": "intra"}

    found = environment("http://127.0.0.1:7", "lc_key_x", own)

    assert found["OPENAI_BASE_URL"] == "http://127.0.0.1:7/v1"
    assert found["ANTHROPIC_BASE_URL"] == found["GROQ_BASE_URL"] == "http://127.0.0.1:7"
    assert found["OPENAI_CUSTOM_HEADERS"] == "X-Lectr-Key: lc_key_x"
    assert found["GROQ_CUSTOM_HEADERS"] == "X-Mine: 1\nX-Lectr-Key: lc_key_x"
    assert found["NO_PROXY"] == "intra,127.0.0.1"
    assert "OPENAI_API_KEY" not in found


def test_setting_the_environment_again_adds_nothing():
    """A cell runs again; and the key of the proxy before is not sent beside the new."""
    once = environment("http://127.0.0.1:7", "lc_key_x", {"NO_PROXY": "intra"})

    assert environment("http://127.0.0.1:7", "lc_key_x", once) == once
    next_one = environment("http://127.0.0.1:8", "lc_key_y", once)
    assert "lc_key_x" not in str(next_one)


@pytest.mark.parametrize(
    "own", [{}, {"OPENAI_API_KEY": ""}, {"OPENAI_API_KEY": "mine"}]
)
def test_without_a_provider_any_key_will_do(own):
    """SDKs refuse to start without one; a set one stays."""
    found = environment("http://127.0.0.1:7", "lc_key_x", own, live=False)

    assert found["OPENAI_API_KEY"] == (own.get("OPENAI_API_KEY") or "no-provider-key")


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
