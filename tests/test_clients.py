"""Stock SDKs pointed at a proxy."""

import pytest

from lectr_lab.clients import environment


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
