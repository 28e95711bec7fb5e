"""More coding agents as they are, each beside its control. By hand: see long_sdks.py.

python tests/clients/install.py --long
python -m pytest tests/clients/long_agents.py
"""

import json
from pathlib import Path

import pytest

from clients.agents import ANTHROPIC_KEY, OPENAI_KEY
from clients.beside import Client, Door, Start
from clients.expected import checked
from clients.long_sdks import HELLO, KEYS, folder_of

pytestmark = pytest.mark.timeout(900)

SUBAGENT = (
    'ask [[tool:task {"description":"d","prompt":"say hi","subagent_type":"general"}]]'
)


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder of these agents."""
    return folder_of("agents-long")


def opencode(packages: Path, prompt: str, model: str) -> Client:
    """`opencode run`, with one provider configured under its usual name."""
    program = next(p for p in packages.glob("node_modules/opencode-*/bin/opencode"))
    provider, _, name = model.partition("/")
    key = {"anthropic": ANTHROPIC_KEY}.get(provider, OPENAI_KEY)

    def start(door: Door, home: Path) -> Start:
        url = f"{door.anthropic}/v1" if provider == "anthropic" else door.openai
        options = {"baseURL": url, "apiKey": key, "headers": door.headers}
        own = {"options": options, "models": {name: {}}}
        if provider == "suite":
            own["npm"] = "@ai-sdk/openai-compatible"
        config = {"provider": {provider: own}, "share": "disabled", "autoupdate": False}
        command = [str(program), "run", "--model", model, prompt]
        quiet = "AUTOUPDATE MODELS_FETCH DEFAULT_PLUGINS LSP_DOWNLOAD SHARE".split()
        off = {f"OPENCODE_DISABLE_{name}": "1" for name in quiet}
        off["npm_config_offline"] = "true"  # it would install its plugins' types
        return Start(command, off | {"OPENCODE_CONFIG_CONTENT": json.dumps(config)})

    return start


def gemini_cli(packages: Path, prompt: str) -> Client:
    """`gemini -p`, with an API key."""
    program = packages / "node_modules/@google/gemini-cli/bundle/gemini.js"
    command = ["node", str(program), "-p", prompt, "-m", "gemini-2.5-flash"]

    def start(door: Door, home: Path) -> Start:
        folder = home / ".gemini"
        folder.mkdir()
        settings = {
            "general": {"enableAutoUpdate": False, "disableUpdateNag": True},
            "privacy": {"usageStatisticsEnabled": False},
            "telemetry": {"enabled": False},
            "security": {"auth": {"selectedType": "gemini-api-key"}},
        }
        (folder / "settings.json").write_text(json.dumps(settings), "utf-8")
        headers = ", ".join(f"{name}: {value}" for name, value in door.headers.items())
        own = {
            "GOOGLE_GEMINI_BASE_URL": door.gemini,
            "GEMINI_API_KEY": KEYS["gemini"],
            "GEMINI_CLI_CUSTOM_HEADERS": headers,
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
        }
        return Start(command, own)

    return start


@pytest.mark.parametrize(
    "model", ["anthropic/claude-sonnet-4-5", "openai/gpt-5.5", "suite/gpt-4o-mini"]
)
def test_opencode_asks_as_it_does_directly(packages, tmp_path, model):
    """In each of the three dialects."""
    passed = checked(opencode(packages, "say hi", model), tmp_path)

    assert HELLO in passed.run.text


def test_opencode_starts_a_subagent(packages, tmp_path):
    """Whose request names the session of its parent."""
    client = opencode(packages, SUBAGENT, "anthropic/claude-sonnet-4-5")

    passed = checked(client, tmp_path)

    assert any(call.header("x-parent-session-id") for call in passed.calls)


def test_gemini_cli_asks_as_it_does_directly(packages, tmp_path):
    """Over Gemini's own API."""
    passed = checked(gemini_cli(packages, "say hi"), tmp_path)

    assert HELLO in passed.run.text
