"""SDKs as they are, each beside its control. By hand, for they take minutes:

python tests/clients/install.py --long
python -m pytest tests/clients/long_sdks.py
"""

import json
import os
import shutil
from pathlib import Path

import pytest

from clients.agents import ANTHROPIC_KEY, OPENAI_KEY, PLAN_TOKEN
from clients.beside import Client, Door, Start
from clients.expected import checked
from clients.install import installed

pytestmark = pytest.mark.timeout(900)

ASKS = Path(__file__).parent / "asks"
HELLO = "Hello from the fake provider."
KEYS = {
    "openai": OPENAI_KEY,
    "anthropic": ANTHROPIC_KEY,
    "plan": PLAN_TOKEN,
    "groq": "gsk_made-up",
    "gemini": "AIza-made-up",
}

VENDORS = (
    "openai_chat openai_stream openai_responses openai_retries "
    "anthropic_messages anthropic_stream anthropic_plan anthropic_count "
)
PYTHON = {
    "sdks": VENDORS + "groq_chat pydantic_ai",
    "older-sdks": VENDORS + "instructor_chat",
    "frameworks": "langchain_openai langchain_anthropic openai_agents",
    "gateways": "litellm_openai litellm_anthropic google_genai",
}
NODE = (
    "openai_chat openai_responses openai_retries anthropic vercel_openai "
    "vercel_compatible vercel_anthropic vercel_google google_genai"
)
SAID = {"anthropic_count": "2600", "instructor_chat": "x 7"}


def rows(names: list[tuple[str, str]]) -> list:
    """Each as a test of its own."""
    return [pytest.param(*one, id="-".join(one)) for one in names]


def folder_of(packages: str) -> Path:
    """Where a set is installed."""
    folder = installed(packages)
    if folder is None:
        pytest.skip("needs python tests/clients/install.py --long")
    return folder


def ask(command: list[str]) -> Client:
    """A program of `asks/`, which reads where to ask from its environment."""

    def start(door: Door, home: Path) -> Start:
        told = {
            "SUITE_OPENAI": door.openai,
            "SUITE_ANTHROPIC": door.anthropic,
            "SUITE_GROQ": door.groq,
            "SUITE_GEMINI": door.gemini,
            "SUITE_HEADERS": json.dumps(door.headers),
            "SUITE_KEYS": json.dumps(KEYS),
            # LiteLLM asks GitHub for its prices otherwise.
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        }
        return Start(command, told)

    return start


@pytest.mark.parametrize(
    ("packages", "name"),
    rows([(p, name) for p, names in PYTHON.items() for name in names.split()]),
)
def test_a_python_sdk_asks_as_it_does_directly(tmp_path, packages, name):
    """Same answer, same bytes, and the provider's figures in the log."""
    python = folder_of(packages) / "bin" / "python"

    passed = checked(ask([str(python), str(ASKS / "python_sdks.py"), name]), tmp_path)

    assert passed.run.text.strip() == SAID.get(name, HELLO)


@pytest.mark.parametrize(
    ("packages", "name"), rows([("node", name) for name in NODE.split()])
)
def test_a_node_sdk_asks_as_it_does_directly(tmp_path, packages, name):
    """Same answer, same bytes, and the provider's figures in the log."""
    program = folder_of(packages) / f"asks-{os.getpid()}.mjs"
    shutil.copy(ASKS / "node_sdks.mjs", program)  # its modules are found beside it

    passed = checked(ask(["node", str(program), name]), tmp_path)

    assert passed.run.text.strip() == SAID.get(name, HELLO)
