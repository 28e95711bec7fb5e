"""Which program asks, by what it says of itself."""

import re
import tomllib
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.identity.clients import client_of, families
from lectr_lab.core.identity.turns import TELLING_FAMILIES

# User agents as recorded, or as their programs' sources make them.
SEEN = {
    "claude-cli/2.1.332 (external, sdk-cli)": ("claude-code", "2.1.332"),
    "claude-cli/2.1.197 (external, cli)": ("claude-code", "2.1.197"),
    "claude-code/2.1.332": ("claude-code", "2.1.332"),
    "codex_exec/0.171.0 (Debian 12.0.0; x86_64) xterm (codex_exec; 0.171.0)": (
        "codex",
        "0.171.0",
    ),
    "codex_cli_rs/0.144.6 (Debian 12.0.0; x86_64) xterm": ("codex", "0.144.6"),
    "codex_vscode/0.155.0-alpha.3 (Mac OS)": ("codex", "0.155.0-alpha.3"),
    "opencode/1.18.33 ai-sdk/provider-utils/4.0.46 runtime/bun/1.3.14": (
        "opencode",
        "1.18.33",
    ),
    "opencode/1.18.33 (linux 6.18; x64) ai-sdk/provider-utils/4.0.40": (
        "opencode",
        "1.18.33",
    ),
    "GeminiCLI-tui/0.61.0/gemini-3.1-pro-preview (linux; x64; terminal)": (
        "gemini-cli",
        "0.61.0",
    ),
    "GeminiCLI/0.62.0-nightly.20261101.ab12 (darwin)": (
        "gemini-cli",
        "0.62.0-nightly.20261101",
    ),
    "GitHubCopilotChat/0.38.0": ("copilot-chat", "0.38.0"),
    "RooCode/3.40.1": ("roo-code", "3.40.1"),
    "Kilo-Code/4.160.0": ("kilo-code", "4.160.0"),
    "OpenAI/Python 2.54.0": ("openai-python", "2.54.0"),
    "AsyncOpenAI/Python 3.57.0": ("openai-python", "3.57.0"),
    "AsyncAzureOpenAI/Python 2.54.0": ("openai-python", "2.54.0"),
    "OpenAI/Python 1.0.0rc2": ("openai-python", "1.0.0rc2"),
    "OpenAI/JS 6.49.0": ("openai-node", "6.49.0"),
    "OpenAI/Go 3.1.0": ("openai-go", "3.1.0"),
    "OpenAI/2.4.0 (.NET 9.0.0; Linux)": ("openai-dotnet", "2.4.0"),
    "Anthropic/Python 2.14.0": ("anthropic-python", "2.14.0"),
    "AsyncAnthropic/Python 0.125.0": ("anthropic-python", "0.125.0"),
    "Anthropic/JS 1.14.0": ("anthropic-node", "1.14.0"),
    "Groq/Python 1.7.0": ("groq-python", "1.7.0"),
    "google-genai-sdk/3.6.1 gl-python/3.11.7": ("google-genai", "3.6.1"),
    "google-genai-sdk/2.32.0 gl-node/v20.20.2": ("google-genai", "2.32.0"),
    "google-genai-sdk/3.6.1 gl-python/3.11.7 pydantic-ai/2.31.1": (
        "pydantic-ai",
        "2.31.1",
    ),
    "pydantic-ai/2.68.0": ("pydantic-ai", "2.68.0"),
    "langchain-anthropic/1.7.10": ("langchain", "1.7.10"),
    "llama-index/0.14.25": ("llama-index", "0.14.25"),
    "instructor/1.17.0": ("instructor", "1.17.0"),
    "DSPy/3.4.1": ("dspy", "3.4.1"),
    "Agents/Python 0.20.0": ("openai-agents", "0.20.0"),
    "litellm/1.110.2": ("litellm", "1.110.2"),
    "ai/6.0.326 ai-sdk/provider-utils/4.0.66 runtime/node.js/v20.20.2": (
        "vercel-ai-sdk",
        "6.0.326",
    ),
    "ai-sdk/openai/3.0.141 ai-sdk/provider-utils/4.0.66": ("vercel-ai-sdk", "3.0.141"),
    "ai-sdk/openai-compatible/2.0.92 runtime/node.js": ("vercel-ai-sdk", "2.0.92"),
    "mistral-client-python/3.7.0": ("mistral", "3.7.0"),
    "cohere/7.3.1": ("cohere", "7.3.1"),
    "ollama-python/0.6.3 (x86_64 linux) Python/3.11.7": ("ollama", "0.6.3"),
    "Bun/1.4.0": ("bun", "1.4.0"),
    "curl/8.5.0": ("curl", "8.5.0"),
    "python-httpx/0.28.1": ("httpx", "0.28.1"),
    "python-requests/2.32.3": ("requests", "2.32.3"),
    "Python/3.11 aiohttp/3.9.1": ("aiohttp", "3.9.1"),
    "node": ("node", None),
    "": (None, None),
    "Mozilla/5.0 (X11; Linux x86_64)": (None, None),
    "my-opencode/1.0": (None, None),
    "claude-cli/alice": ("claude-code", None),
    "curl/8.5.0-alice": ("curl", "8.5.0"),
    "curl/8.5.0-alphabet": ("curl", "8.5.0"),
}


@pytest.mark.parametrize("user_agent", SEEN)
def test_a_program_is_known_by_its_user_agent(user_agent):
    """Its family, and its version as far as that is one."""
    assert client_of({b"user-agent": user_agent.encode()}) == SEEN[user_agent]


def test_a_borrowed_user_agent_is_told_by_other_headers():
    """Copilot's is the SDK's, whose version is not its own; Cline names itself aside."""
    copilot = {b"x-initiator": b"user", b"x-interaction-type": b"conversation-user"}
    sdk = {b"user-agent": b"OpenAI/JS 5.20.1"}

    assert client_of(sdk | copilot) == ("copilot-cli", None)
    assert client_of(sdk | {b"x-initiator": b"user"}) == ("openai-node", "5.20.1")
    assert client_of(sdk | {b"x-title": b"Cline"}) == ("cline", None)
    assert client_of(sdk | {b"x-title": b"Alice's"}) == ("openai-node", "5.20.1")


@given(st.binary(max_size=700))
def test_no_word_of_a_user_agent_goes_on_record(user_agent):
    """A family is one of ours, and a version begins with a digit and is short."""
    family, version = client_of({b"user-agent": user_agent})

    assert family is None or family in families()
    assert version is None or (version[0].isdigit() and len(version) < 100)


@given(st.sampled_from(list(SEEN)), st.text("abcxyz", min_size=1))
def test_what_stands_behind_a_version_is_nobodys(user_agent, name):
    """A name that is written into it is left out."""
    marked = f"{user_agent}-Q{name}@example.test"

    version = client_of({b"user-agent": marked.encode()}).version

    assert "Q" not in (version or "")


@pytest.mark.parametrize("family", families())
def test_a_family_is_told_by_the_first_of_its_own_signs(family):
    """No row that stands before it takes it away."""
    text = files("lectr_lab.core.identity").joinpath("clients.toml").read_text()
    row = tomllib.loads(text)[family]
    headers = {name.encode(): b"x" for name in row.get("headers", [])}
    # A regular expression's simplest text: what may be left out is, of many the first.
    plain = row["user_agents"][0].replace("(?:$|/)", "/")
    plain = re.sub(r"\(\?[:=].*?\)\??|\[.*?\]\*|2\?", "", plain)
    plain = re.sub(r"\[.*?\]\+", "x", plain)

    told = client_of({b"user-agent": f"{plain}1.2.3 (.NET".encode()} | headers)

    assert told.family == family
    assert told.version in (None, "1.2.3")
    assert row["source"].startswith("https://")


def test_sessions_are_named_by_programs_that_are_known():
    """Whose turns are told by the same names."""
    text = files("lectr_lab.core.identity").joinpath("sessions.toml").read_text()

    assert set(tomllib.loads(text)) | TELLING_FAMILIES <= set(families())
