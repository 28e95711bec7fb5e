"""Chat completions, as OpenAI and those who speak its dialect answer them."""

import json
import re
import time
from typing import Any

from clients.fake_provider.samples import sample
from clients.fake_provider.steering import ToolCall
from clients.fake_provider.wire import Answer, Asked, sse, whole

TEXT = "Hello from the fake provider."
USAGE = {
    "prompt_tokens": 2048,
    "completion_tokens": 100,
    "total_tokens": 2148,
    "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 64, "audio_tokens": 0},
}
# The same reply as the log's columns count it.
COUNTED = {
    "input_tokens": 2048,
    "output_tokens": 100,
    "cache_read_tokens": 1024,
    "reasoning_tokens": 64,
    "input_audio_tokens": 0,
    "output_audio_tokens": 0,
}
_HEADERS = {"x-request-id": "req_fake_o1", "openai-processing-ms": "12"}
# These count every stream, asked or not.
_ALWAYS_COUNT = {"mistral", "gemini"}


def answer(asked: Asked) -> Answer:
    """The reply to `/chat/completions`."""
    tool = _tool(asked)
    message = {"role": "assistant", "content": None if tool else _text(asked)}
    if tool:
        function = {"name": tool.name, "arguments": tool.arguments}
        call = {"id": f"call_{asked.number:08d}", "type": "function"}
        message["tool_calls"] = [call | {"function": function}]
    finish = "tool_calls" if tool else "stop"
    head = {
        "id": f"chatcmpl-{asked.number:08d}",
        "created": int(time.time()),
        "model": asked.body.get("model"),
        "service_tier": "default",
    }
    if asked.streams:
        return _stream(asked, head, message, finish)
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
    said = {"object": "chat.completion", "choices": [choice], "usage": USAGE}
    return whole(head | said, headers=_HEADERS)


def _tool(asked: Asked) -> ToolCall | None:
    """The tool that is steered to, or that the request forces."""
    choice, tools = asked.body.get("tool_choice"), asked.body.get("tools") or []
    if asked.steering.tool or asked.steering.tool_results:
        return asked.steering.tool
    named = choice.get("function", {}).get("name") if isinstance(choice, dict) else None
    if not named and choice not in ("required", "any"):
        return None
    functions = [t["function"] for t in tools]
    forced = next(f for f in functions if named in (None, f["name"]))
    arguments = sample(forced.get("parameters") or {})
    return ToolCall(forced["name"], json.dumps(arguments))


def _text(asked: Asked) -> str:
    form = asked.body.get("response_format") or {}
    if form.get("type") == "json_schema":
        return json.dumps(sample(form["json_schema"].get("schema") or {}))
    return TEXT


def _stream(
    asked: Asked, head: dict[str, Any], message: dict[str, Any], finish: str
) -> Answer:
    head = head | {"object": "chat.completion.chunk"}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if message["content"] is None:
        [call] = message["tool_calls"]
        deltas.append({"tool_calls": [{"index": 0, **call}]})
    else:
        words = re.findall(r"\S+\s*|\n", message["content"])
        deltas += [{"content": word} for word in words]
    ends: list[str | None] = [None] * len(deltas) + [finish]
    events = [
        head | {"choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
        for delta, end in zip([*deltas, {}], ends, strict=True)
    ]
    wanted = (asked.body.get("stream_options") or {}).get("include_usage")
    if wanted or asked.seen.vendor in _ALWAYS_COUNT:
        events.append(head | {"choices": [], "usage": USAGE})
    return sse(events, _HEADERS, named=False, done=True)
