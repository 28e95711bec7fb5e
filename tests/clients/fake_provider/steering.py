"""Marks in the last text of a request, by which a test says what is answered.

`[[tool:NAME {…}]]` calls a tool; `[[error:529 2]]` fails the first two attempts;
`[[after:3]]` answers when three requests have been asked.
"""

import re
from typing import Any, NamedTuple

_TOOL = re.compile(r"\[\[tool:(\S+) (\{.*?\})\]\]", re.DOTALL)
_ERROR = re.compile(r"\[\[error:(\d+) (\d+)\]\]")
_AFTER = re.compile(r"\[\[after:(\d+)\]\]")
_TOOL_RESULTS = {"function_call_output", "custom_tool_call_output"}


class ToolCall(NamedTuple):
    """A tool to be called, and its arguments as JSON."""

    name: str
    arguments: str


class Steering(NamedTuple):
    """What a request's last text asks for next."""

    text: str = ""
    tool: ToolCall | None = None
    tool_results: int = 0  # that came since that text
    error: tuple[int, int] | None = None  # the status, and how many attempts get it
    after: int = 0  # requests


def steering(body: dict[str, Any]) -> Steering:
    """Read the marks in a request of any dialect: tools are called one after another.

    >>> steering({"input": 'do [[tool:ls {"path": "."}]]'}).tool
    ToolCall(name='ls', arguments='{"path": "."}')
    """
    text, results = _last_text(body)
    text = text.replace('\\"', '"')
    tools = [ToolCall(*found) for found in _TOOL.findall(text)][results:]
    error, after = _ERROR.search(text), _AFTER.search(text)
    return Steering(
        text,
        tool=tools[0] if tools else None,
        tool_results=results,
        error=(int(error[1]), int(error[2])) if error and not results else None,
        after=int(after[1]) if after and not tools else 0,
    )


def _last_text(body: dict[str, Any]) -> tuple[str, int]:
    """The last text of a user's, and the tool results behind it."""
    results = 0
    for field in ("messages", "input", "contents"):
        messages = body.get(field)
        if isinstance(messages, str):
            return messages, 0
        for message in reversed(messages if isinstance(messages, list) else []):
            if _is_tool_result(message):
                results += 1
            elif _is_users(message):
                return _text(message.get("content", message.get("parts"))), results
    return "", results


def _is_users(message: dict[str, Any]) -> bool:
    """Gemini's may name no role; what else of Responses names none is no message."""
    role = message.get("role")
    return role == "user" or (role is None and "parts" in message)


def _is_tool_result(message: dict[str, Any]) -> bool:
    if message.get("type") in _TOOL_RESULTS or message.get("role") == "tool":
        return True
    parts = message.get("content", message.get("parts"))
    return isinstance(parts, list) and any(
        isinstance(p, dict)
        and (p.get("type") == "tool_result" or "functionResponse" in p)
        for p in parts
    )


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = [p.get("text") for p in content or [] if isinstance(p, dict)]
    return "\n".join(text for text in parts if isinstance(text, str))
