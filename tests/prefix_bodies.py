"""Bodies of conversations, in each API's form."""

import json
from typing import Any

KEY = b"k" * 32
APIS = ("chat", "messages", "responses", "generate_content")


def body(
    api: str,
    *said: str,
    system: str = "You are a careful assistant.",
    tools: tuple[str, ...] = ("read", "write"),
    **more: Any,
) -> bytes:
    """A request's body: the user speaks first, then they take turns."""
    turns = [
        ("user" if i % 2 == 0 else "assistant", text) for i, text in enumerate(said)
    ]
    parts = _FORMS[api](turns, system, tools)
    return json.dumps({"model": "m", **parts, **more}).encode()


def _chat(turns, system, tools):
    head = [{"role": "system", "content": system}] if system else []
    messages = [{"role": role, "content": text} for role, text in turns]
    functions = [{"type": "function", "function": {"name": name}} for name in tools]
    return {"messages": head + messages, "tools": functions}


def _messages(turns, system, tools):
    messages = [{"role": role, "content": text} for role, text in turns]
    named = [{"name": name, "input_schema": {}} for name in tools]
    return {"system": system, "messages": messages, "tools": named}


def _responses(turns, system, tools):
    kinds = {"user": "input_text", "assistant": "output_text"}
    items = [
        {"type": "message", "role": r, "content": [{"type": kinds[r], "text": text}]}
        for r, text in turns
    ]
    named = [{"type": "function", "name": name} for name in tools]
    return {"instructions": system, "input": items, "tools": named}


def _gemini(turns, system, tools):
    roles = {"user": "user", "assistant": "model"}
    contents = [{"role": roles[r], "parts": [{"text": text}]} for r, text in turns]
    named = [{"functionDeclarations": [{"name": name}]} for name in tools]
    said = {"parts": [{"text": system}]}
    return {"systemInstruction": said, "contents": contents, "tools": named}


_FORMS = {
    "chat": _chat,
    "messages": _messages,
    "responses": _responses,
    "generate_content": _gemini,
}
