"""Stock SDKs pointed at a proxy."""

import subprocess

import pytest

from lectr_lab.clients import Clients, environment, shell_lines
from lectr_lab.core.masked_key import Key

SDKS = {
    "openai": ("OpenAI", "http://127.0.0.1:7/v1"),
    "anthropic": ("Anthropic", "http://127.0.0.1:7"),
    "groq": ("Groq", "http://127.0.0.1:7"),
}


@pytest.mark.parametrize("sdk", SDKS)
@pytest.mark.parametrize("door", ["", "async_"])
def test_a_client_is_the_sdks_own_and_comes_here(sdk, door, monkeypatch):
    """Tagged, with the provider's key of the environment, where that SDK asks."""
    module = pytest.importorskip(sdk)
    monkeypatch.setenv(f"{sdk.upper()}_API_KEY", "from the environment")
    kind, url = SDKS[sdk]

    make = getattr(Clients("http://127.0.0.1:7", "lc_key_x"), door + sdk)
    client = make("f", task="extraction", session="s", user="u", max_retries=5)

    assert type(client) is getattr(module, f"Async{kind}" if door else kind)
    assert str(client.base_url).rstrip("/") == url
    assert client.default_headers["X-Lectr-Key"] == "lc_key_x"
    assert client.default_headers["X-Lectr-Feature"] == "f"
    assert client.default_headers["X-Lectr-Task"] == "extraction"
    assert client.default_headers["X-Lectr-Session"] == "s"
    assert client.default_headers["X-Lectr-User"] == "u"
    assert (client.api_key, client.max_retries) == ("from the environment", 5)


def test_what_is_given_goes_before_what_is_settled():
    """A key, a URL and headers of the caller's own."""
    pytest.importorskip("openai")
    clients = Clients("http://127.0.0.1:7", "lc_key_x")
    own = {"X-Lectr-Key": "lc_key_y", "X-Mine": "1"}

    client = clients.openai(api_key="mine", base_url="http://x", default_headers=own)

    assert (client.api_key, client.base_url.host) == ("mine", "x")
    assert client.default_headers["X-Mine"] == "1"
    assert client.default_headers["X-Lectr-Key"] == "lc_key_y"


def test_a_masked_key_is_whole_in_the_environment():
    """Programs get the key itself, however it shows itself."""
    found = Clients("http://127.0.0.1:7", Key("lc_key_x")).environment

    assert found["OPENAI_CUSTOM_HEADERS"].endswith("X-Lectr-Key: lc_key_x")


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


def test_what_a_shell_is_told_is_what_sdks_read():
    """The same addresses as a program is given; bash takes every line as it is."""
    script = shell_lines("http://127.0.0.1:7") + "\nenv -0"
    bash = ["bash", "-c", script]

    done = subprocess.run(
        bash, env={"LECTR_KEY": "lc_key_x"}, capture_output=True, check=True, text=True
    )

    told = dict(line.split("=", 1) for line in done.stdout.split("\0") if "=" in line)
    given = environment("http://127.0.0.1:7", "lc_key_x", {})
    for name in ("OPENAI", "ANTHROPIC"):
        for suffix in ("BASE_URL", "CUSTOM_HEADERS"):
            assert told[f"{name}_{suffix}"] == given[f"{name}_{suffix}"]
    assert told["GOOGLE_GEMINI_BASE_URL"] == "http://127.0.0.1:7"
    assert told["GEMINI_CLI_CUSTOM_HEADERS"] == "X-Lectr-Key: lc_key_x"
    assert max(len(line) for line in script.splitlines()) <= 78
