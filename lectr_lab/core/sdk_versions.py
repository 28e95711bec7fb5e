"""SDKs too old for the variable that carries X-Lectr-Key. `sdk_versions.toml` has them."""

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec

_AGENT = re.compile(
    r"[A-Za-z]*(OpenAI|Anthropic|Groq)/(Python|JS) (\d{1,6}(?:\.\d{1,6}){0,3})"
)


class Sdk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One SDK: from which version on its client reads the variable."""

    agent: str
    package: str
    variable: str
    reads_from: str
    in_code: str
    source: str
    checked: date


def too_old(user_agent: str) -> str | None:
    """What to do where an SDK cannot have read the variable; None for any other client.

    Args:
        user_agent: the header's value.

    >>> too_old("AsyncOpenAI/Python 2.8.0")[:56]
    'openai 2.8.0 for Python does not read OPENAI_CUSTOM_HEAD'
    >>> too_old("OpenAI/Python 3.57.0") is None
    True
    """
    found = _AGENT.match(user_agent)
    sdk = sdks().get(f"{found[1]}/{found[2]}") if found else None
    if found is None or sdk is None or _numbers(found[3]) >= _numbers(sdk.reads_from):
        return None
    language = "Python" if found[2] == "Python" else "Node"
    return (
        f"{sdk.package} {found[3]} for {language} does not read {sdk.variable}, which "
        f"carries X-Lectr-Key: versions from {sdk.reads_from} on do. Update it, or give "
        f"the header in code: {sdk.in_code}."
    )


@cache
def sdks() -> Mapping[str, Sdk]:
    """The rows of the file by their agent."""
    text = files("lectr_lab.core").joinpath("sdk_versions.toml").read_text("utf-8")
    rows = (msgspec.convert(table, Sdk) for table in tomllib.loads(text)["sdk"])
    return {row.agent: row for row in rows}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
