"""OpenAI's Responses."""

import json
import re
import time
from typing import Any

from clients.fake_provider.samples import sample
from clients.fake_provider.steering import ToolCall
from clients.fake_provider.wire import Answer, Asked, sse, whole

TEXT = "Hello from the fake provider."
USAGE = {
    "input_tokens": 1234,
    "input_tokens_details": {"cached_tokens": 1000},
    "output_tokens": 77,
    "output_tokens_details": {"reasoning_tokens": 33},
    "total_tokens": 1311,
}
# The same reply as the log's columns count it.
COUNTED = {
    "input_tokens": 1234,
    "output_tokens": 77,
    "cache_read_tokens": 1000,
    "reasoning_tokens": 33,
}
_HEADERS = {"x-request-id": "req_fake_r1", "openai-processing-ms": "12"}
_AS_ASKED_FOR = {
    "object": "response",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "max_output_tokens": None,
    "parallel_tool_calls": True,
    "reasoning": {"effort": "medium", "summary": None},
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "truncation": "disabled",
    "metadata": {},
    "service_tier": "default",
    "background": False,
}

Item = dict[str, Any]


def answer(asked: Asked) -> Answer:
    """The reply to `/responses`."""
    head = _AS_ASKED_FOR | {
        "id": f"resp_{asked.number:08d}",
        "created_at": int(time.time()),
        "model": asked.body.get("model"),
        "previous_response_id": asked.body.get("previous_response_id"),
        "store": bool(asked.body.get("store")),
    }
    item = _item(asked)
    begun = head | {"status": "in_progress", "output": [], "usage": None}
    ended = head | {"status": "completed", "output": [item], "usage": _usage(asked)}
    if not asked.streams:
        return whole(ended, headers=_HEADERS)
    events = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        *(_told(item) if item["type"] == "message" else _called(item)),
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": ended},
    ]
    numbered = [event | {"sequence_number": i} for i, event in enumerate(events)]
    return sse(numbered, _HEADERS, named=True)


def _usage(asked: Asked) -> Item:
    if asked.counts is None:
        return USAGE
    counted, output = asked.counts["input_tokens"], USAGE["output_tokens"]
    cached = {"cached_tokens": asked.counts["cached_tokens"]}
    total = {"total_tokens": counted + output}
    return USAGE | {"input_tokens": counted, "input_tokens_details": cached} | total


def _item(asked: Asked) -> Item:
    tool = _tool(asked)
    if tool:
        *space, name = tool.name.split("/")  # Codex groups its tools
        return {
            "type": "function_call",
            "id": f"fc_{asked.number:08d}",
            "call_id": f"call_{asked.number:08d}",
            "name": name,
            "arguments": tool.arguments,
            "status": "completed",
            **({"namespace": space[0]} if space else {}),
        }
    form = (asked.body.get("text") or {}).get("format") or {}
    wanted = form.get("type") == "json_schema"
    text = json.dumps(sample(form.get("schema") or {})) if wanted else TEXT
    said = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {
        "type": "message",
        "id": f"msg_{asked.number:08d}",
        "role": "assistant",
        "status": "completed",
        "content": [said],
    }


def _tool(asked: Asked) -> ToolCall | None:
    """The tool that is steered to, or that the request forces."""
    choice = asked.body.get("tool_choice")
    if asked.steering.tool or asked.steering.tool_results:
        return asked.steering.tool
    named = choice.get("name") if isinstance(choice, dict) else None
    if not named and choice != "required":
        return None
    functions = [t for t in asked.body["tools"] if t.get("type") == "function"]
    forced = next(f for f in functions if named in (None, f["name"]))
    arguments = sample(forced.get("parameters") or {})
    return ToolCall(forced["name"], json.dumps(arguments))


def _told(item: Item) -> list[Item]:
    """The events of a message."""
    [part] = item["content"]
    where = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    empty = item | {"content": [], "status": "in_progress"}
    add = "response.content_part.added"
    return [
        {"type": "response.output_item.added", "output_index": 0, "item": empty},
        {"type": add, "part": part | {"text": ""}, **where},
        *(
            {"type": "response.output_text.delta", "delta": w, "logprobs": [], **where}
            for w in re.findall(r"\S+\s*", part["text"])
        ),
        {
            "type": "response.output_text.done",
            "text": part["text"],
            "logprobs": [],
            **where,
        },
        {"type": "response.content_part.done", "part": part, **where},
    ]


def _called(item: Item) -> list[Item]:
    """The events of a tool's call."""
    where, arguments = {"item_id": item["id"], "output_index": 0}, item["arguments"]
    empty = item | {"arguments": "", "status": "in_progress"}
    step = "response.function_call_arguments."
    return [
        {"type": "response.output_item.added", "output_index": 0, "item": empty},
        {"type": step + "delta", "delta": arguments, **where},
        {"type": step + "done", "name": item["name"], "arguments": arguments, **where},
    ]
