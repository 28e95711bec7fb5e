"""The coding agents: how each is started, with its own settings against the network."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clients.beside import Client, Door, Start

ACCOUNT = "account-of-the-suite"

ANTHROPIC_KEY = "sk-ant-api03-made-up"
PLAN_TOKEN = "sk-ant-oat01-made-up"
OPENAI_KEY = "sk-proj-made-up"

_IN_2100 = 4_102_444_800

_CODEX = """
model = "gpt-5.5"
model_provider = "suite"
check_for_update_on_startup = false
sandbox_mode = "danger-full-access"
chatgpt_base_url = "{elsewhere}/chatgpt"

[features]
apps = false
plugins = false
remote_plugin = false
multi_agent_v2 = true

[analytics]
enabled = false

[feedback]
enabled = false

[model_providers.suite]
name = "{name}"
base_url = "{base_url}"
wire_api = "responses"
{more}
"""


def claude_code(
    packages: Path, prompt: str, credential: dict[str, str], *options: str
) -> Client:
    """`claude -p`, with a credential in the variable that it is read from."""
    program = packages / "node_modules/@anthropic-ai/claude-code/cli-wrapper.cjs"
    command = ["node", str(program), "-p", prompt, "--model", "claude-sonnet-4-5"]

    def start(door: Door, home: Path) -> Start:
        headers = "\n".join(f"{name}: {value}" for name, value in door.headers.items())
        own = {
            "ANTHROPIC_BASE_URL": door.anthropic,
            "ANTHROPIC_CUSTOM_HEADERS": headers,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_TELEMETRY": "1",
        }
        return Start([*command, *options], own | credential)

    return start


def codex(
    packages: Path, prompt: str, *, login: bool = False, more: str = ""
) -> Client:
    """`codex exec`, with an API key or with a ChatGPT login forged here.

    It compresses what it sends where it has a login and its provider is named OpenAI.
    """
    program = packages / "node_modules/@openai/codex/bin/codex.js"
    command = ["node", str(program), "exec", "--skip-git-repo-check", prompt]
    credential = "requires_openai_auth = true" if login else 'env_key = "SUITE_KEY"'

    def start(door: Door, home: Path) -> Start:
        folder = home / ".codex"
        folder.mkdir()
        feature = {n: v for n, v in door.headers.items() if n != "X-Lectr-Key"}
        ours = f"http_headers = {_inline(feature)}\n"
        if door.headers:
            ours += 'env_http_headers = { "X-Lectr-Key" = "SUITE_LECTR_KEY" }\n'
        config = _CODEX.format(
            name="OpenAI" if login else "Suite",
            base_url=door.openai,
            elsewhere=door.elsewhere,
            more=f"{credential}\n{ours}\n{more}",
        )
        (folder / "config.toml").write_text(config, "utf-8")
        if login:
            (folder / "auth.json").write_text(json.dumps(_login()), "utf-8")
        own = {"SUITE_LECTR_KEY": door.headers.get("X-Lectr-Key", "")}
        return Start(command, own if login else own | {"SUITE_KEY": OPENAI_KEY})

    return start


def _inline(table: dict[str, str]) -> str:
    return "{ " + ", ".join(f'"{n}" = "{v}"' for n, v in table.items()) + " }"


def _login() -> dict[str, Any]:
    """What a ChatGPT login leaves in `auth.json`: nobody signed it."""
    now = datetime.now(UTC)
    account = {"chatgpt_plan_type": "plus", "chatgpt_account_id": ACCOUNT}
    claims = {"exp": _IN_2100, "https://api.openai.com/auth": account}
    token = _unsigned(claims)
    tokens = {
        "id_token": token,
        "access_token": token,
        "refresh_token": "made-up",
        "account_id": ACCOUNT,
    }
    return {
        "auth_mode": "chatgpt",
        "OPENAI_API_KEY": None,
        "tokens": tokens,
        "last_refresh": f"{now:%Y-%m-%dT%H:%M:%SZ}",
    }


def _unsigned(claims: dict[str, Any]) -> str:
    """A JSON web token without a signature."""
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
    return ".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=").decode()
        for part in (*parts, b"none")
    )
