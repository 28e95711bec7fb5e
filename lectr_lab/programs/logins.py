"""What a program's own files say of how it is logged in: facts for known.toml.

Files are read as they are, and what cannot be read says nothing. No key leaves here.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

_MOST_BYTES = 1_000_000
_TEXT_OR_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*+")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TEXT_OR_LAST_COMMA = re.compile(r'("(?:[^"\\]|\\.)*+")|,(?=\s*+[}\]])')


def facts(command: Sequence[str], environ: Mapping[str, str]) -> frozenset[str]:
    """Everything that conditions in known.toml may ask for.

    Args:
        command: the program's path or name, and its arguments.
        environ: its variables; those that are empty count as not set.

    >>> sorted(facts(["python"], {"A": "1", "B": ""}))
    ['A', 'A=1']
    """
    program = Path(command[0]).name
    found = {name for name, value in environ.items() if value}
    found |= {f"{name}={environ[name]}" for name in found}
    if program in _LOGINS:
        found |= {f"login.{name}" for name in _LOGINS[program](environ, command[1:])}
    return frozenset(found)


def _claude(environ: Mapping[str, str], arguments: Sequence[str]) -> Iterator[str]:
    """`elsewhere`: its settings, which go before variables, name a server."""
    home = _folder(environ, "CLAUDE_CONFIG_DIR", ".claude")
    for folder in (home, Path(".claude")):
        for name in ("settings.json", "settings.local.json"):
            if _members(_json(folder / name), "env").get("ANTHROPIC_BASE_URL"):
                yield "elsewhere"


def _codex(environ: Mapping[str, str], arguments: Sequence[str]) -> Iterator[str]:
    """`chatgpt`: it has that login; `chatgpt_alone`: and no API key; `other_provider`:
    it asks somebody else."""
    home = _folder(environ, "CODEX_HOME", ".codex")
    if any(_asks_another(config) for config in _codex_configs(home, arguments)):
        yield "other_provider"
    auth = _json(home / "auth.json")
    if auth.get("tokens") and not auth.get("OPENAI_API_KEY"):
        yield "chatgpt"
        if not (environ.get("OPENAI_API_KEY") or environ.get("CODEX_API_KEY")):
            yield "chatgpt_alone"


def _codex_configs(home: Path, arguments: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Its settings, and those of the profile that its arguments name."""
    settings = _toml(home / "config.toml")
    yield settings
    named = [settings.get("profile")]
    named += [after for w, after in pairwise(arguments) if w in ("-p", "--profile")]
    named += [w[len("--profile=") :] for w in arguments if w.startswith("--profile=")]
    for profile in filter(None, named):
        yield _members(_members(settings, "profiles"), str(profile))
        yield _toml(home / f"{profile}.config.toml")


def _asks_another(config: dict[str, Any]) -> bool:
    provider = config.get("model_provider", "openai")
    return provider != "openai" or bool(config.get("openai_base_url"))


def _opencode(environ: Mapping[str, str], arguments: Sequence[str]) -> Iterator[str]:
    """`<provider>`: it has a key; `<provider>_elsewhere`: and a server of its own."""
    data = _folder(environ, "XDG_DATA_HOME", ".local/share") / "opencode"
    for name, login in _json(data / "auth.json").items():
        if isinstance(login, dict) and login.get("type") == "api":
            yield name
    for config in _opencode_configs(environ):
        for name, provider in _members(config, "provider").items():
            if _members(provider, "options").get("baseURL"):
                yield f"{name}_elsewhere"


def _opencode_configs(environ: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    here = Path.cwd()
    home = _folder(environ, "XDG_CONFIG_HOME", ".config") / "opencode"
    for folder in (home, *here.parents, here, here / ".opencode"):
        for name in ("config.json", "opencode.json", "opencode.jsonc"):
            if folder == home or name != "config.json":
                yield _json(folder / name)
    if environ.get("OPENCODE_CONFIG"):
        yield _json(Path(environ["OPENCODE_CONFIG"]))
    yield read_json(environ.get("OPENCODE_CONFIG_CONTENT", ""))


def _gemini(environ: Mapping[str, str], arguments: Sequence[str]) -> Iterator[str]:
    """What its settings choose: `key`, or nothing, `unchosen`."""
    settings = _json(_folder(environ, "GEMINI_CLI_HOME", "") / ".gemini/settings.json")
    auth = _members(_members(settings, "security"), "auth")
    chosen = auth.get("selectedType", settings.get("selectedAuthType"))
    if chosen in ("gemini-api-key", "gateway"):
        yield "key"
    elif not chosen:
        yield "unchosen"


_Reader: TypeAlias = Callable[[Mapping[str, str], Sequence[str]], Iterator[str]]
_LOGINS: dict[str, _Reader] = {
    "claude": _claude,
    "codex": _codex,
    "gemini": _gemini,
    "opencode": _opencode,
}


def _folder(environ: Mapping[str, str], variable: str, usual: str) -> Path:
    named = environ.get(variable)
    return Path(named) if named else Path(environ.get("HOME") or "/") / usual


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(path))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _json(path: Path) -> dict[str, Any]:
    return read_json(_text(path))


def read_json(text: str) -> dict[str, Any]:
    """JSON with comments and last commas, as people write it; else nothing.

    >>> read_json('{"a": 1, // one\\n}'), read_json("")
    ({'a': 1}, {})
    """
    try:
        for superfluous in (_TEXT_OR_COMMENT, _TEXT_OR_LAST_COMMA):
            text = superfluous.sub(lambda found: found[1] or "", text)
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _members(value: Any, name: str) -> dict[str, Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _text(path: Path) -> str:
    try:
        if not path.is_file():  # a pipe would be waited for
            return ""
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
