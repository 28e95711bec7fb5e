"""A reply that somebody kept, read as the proxy reads one: by the same reader."""

from typing import Any

import msgspec

from lectr_lab.core.llm_api.reply import ReplyReader

_BY_OBJECT = {
    "chat.completion": "chat",
    "text_completion": "completions",
    "response": "responses",
    "message": "messages",
    "list": "embeddings",
}


def reply_facts(operation: str, body: Any) -> dict[str, Any]:
    """The facts of a reply, by column; without those that it does not say.

    >>> usage = {"prompt_tokens": 3, "completion_tokens": 1}
    >>> found = reply_facts("chat", {"model": "gpt-4o", "choices": [], "usage": usage})
    >>> found["model_actual"], found["input_tokens"], found["token_source"]
    ('gpt-4o', 3, 'provider')
    """
    reader = ReplyReader(operation, 200, "application/json", "")
    reader.feed(msgspec.json.encode(body))
    found = reader.finish()
    names = (f for f in found.__struct_fields__ if f != "error_in_stream")
    said = ((name, getattr(found, name)) for name in names)
    facts = {name: value for name, value in said if value is not None}
    if not facts.pop("facts_truncated"):
        return facts
    return facts | {"facts_truncated": True}


def operation_of(body: Any) -> str | None:
    """What kind of reply a body is, by what it says of itself.

    >>> operation_of({"object": "response"}), operation_of({"type": "message"})
    ('responses', 'messages')
    >>> operation_of({"results": [{"flagged": False}]}), operation_of([])
    ('moderations', None)
    """
    if not isinstance(body, dict):
        return None
    said = body.get("object") or body.get("type")
    if said in _BY_OBJECT:
        return _BY_OBJECT[said]
    return "moderations" if "results" in body else None
