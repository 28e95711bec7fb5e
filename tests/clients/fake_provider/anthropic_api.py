"""Anthropic's Messages, count_tokens and models."""

import json
import re
from typing import Any

from clients.fake_provider.samples import sample
from clients.fake_provider.wire import Answer, Asked, sse, whole

TEXT = "Hello from the fake provider."
USAGE = {
    "input_tokens": 100,
    "cache_read_input_tokens": 2000,
    "cache_creation_input_tokens": 500,
    "cache_creation": {
        "ephemeral_5m_input_tokens": 300,
        "ephemeral_1h_input_tokens": 200,
    },
    "service_tier": "standard",
    "inference_geo": "global",
}
_AT_THE_END = {
    "input_tokens": 100,
    "cache_read_input_tokens": 2000,
    "cache_creation_input_tokens": 500,
    "output_tokens": 50,
}
# The same reply as the log's columns count it.
COUNTED = {
    "input_tokens": 2600,
    "output_tokens": 50,
    "cache_read_tokens": 2000,
    "cache_write_tokens": 500,
    "cache_write_1h_tokens": 200,
}
_HEADERS = {"request-id": "req_fake_a1", "anthropic-organization-id": "org-fake"}
_MODELS = [
    {
        "type": "model",
        "id": model,
        "display_name": model,
        "created_at": "2026-01-01T00:00:00Z",
    }
    for model in ("claude-sonnet-5", "claude-opus-5")
]
_ERROR_TYPES = {
    401: "authentication_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}

Block = dict[str, Any]


def answer(asked: Asked) -> Answer | None:
    """The reply to a request of Anthropic's own API; None: it is none."""
    if _no_credential(asked):
        return error(401, "invalid x-api-key")
    resource = asked.seen.resource
    if resource.endswith("/messages/count_tokens"):
        return whole({"input_tokens": 2600}, headers=_HEADERS)
    if resource.endswith("/messages"):
        return _messages(asked)
    if resource.endswith("/models"):
        ends = {"first_id": _MODELS[0]["id"], "last_id": _MODELS[-1]["id"]}
        return whole({"data": _MODELS, "has_more": False} | ends, headers=_HEADERS)
    return None


def error(status: int, message: str = "Fake.") -> Answer:
    """A failure in Anthropic's form."""
    what = {"type": _ERROR_TYPES.get(status, "api_error"), "message": message}
    body = {"type": "error", "error": what, "request_id": "req_fake"}
    return whole(body, status, {} if status == 401 else {"retry-after": "1"})


def _no_credential(asked: Asked) -> bool:
    """Plan tokens count in `Authorization` alone: the one thing that is checked."""
    key = asked.seen.header("x-api-key") or ""
    return key.startswith("sk-ant-oat") or not (
        key or asked.seen.header("authorization")
    )


def _messages(asked: Asked) -> Answer:
    blocks, stop = _blocks(asked)
    message = {
        "id": f"msg_{asked.number:08d}",
        "type": "message",
        "role": "assistant",
        "model": asked.body.get("model"),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _usage(asked) | {"output_tokens": 1},
    }
    if asked.streams:
        counts = _AT_THE_END | (asked.counts or {})
        events = _events(message, blocks, stop, counts)
        return sse(events, _HEADERS, named=True)
    said = {
        "content": blocks,
        "stop_reason": stop,
        "usage": _usage(asked) | {"output_tokens": 50},
    }
    return whole(message | said, headers=_HEADERS)


def _usage(asked: Asked) -> Block:
    if asked.counts is None:
        return USAGE
    written = {"ephemeral_5m_input_tokens": asked.counts["cache_creation_input_tokens"]}
    split = {"cache_creation": written | {"ephemeral_1h_input_tokens": 0}}
    return USAGE | asked.counts | split


def _blocks(asked: Asked) -> tuple[list[Block], str]:
    """What the model says, and why it stops."""
    tool, choice = asked.steering.tool, asked.body.get("tool_choice") or {}
    tools = asked.body.get("tools") or []
    if tool:
        return [_tool_use(asked, tool.name, json.loads(tool.arguments))], "tool_use"
    if choice.get("type") in ("any", "tool") and not asked.steering.tool_results:
        named = [t for t in tools if t["name"] == choice.get("name")]
        forced = (named or tools)[0]
        arguments = sample(forced.get("input_schema") or {})
        return [_tool_use(asked, forced["name"], arguments)], "tool_use"
    form = (asked.body.get("output_config") or {}).get("format")
    form = form or asked.body.get("output_format")
    text = json.dumps(sample(form.get("schema") or {})) if form else TEXT
    return [{"type": "text", "text": text}], "end_turn"


def _tool_use(asked: Asked, name: str, arguments: Any) -> Block:
    use = {"type": "tool_use", "id": f"toolu_{asked.number:08d}"}
    return use | {"name": name, "input": arguments}


def _events(
    message: Block, blocks: list[Block], stop: str, counts: Block
) -> list[Block]:
    events: list[Block] = [{"type": "message_start", "message": message}]
    for index, block in enumerate(blocks):
        is_text = block["type"] == "text"
        empty = block | ({"text": ""} if is_text else {"input": {}})
        start = {"type": "content_block_start", "index": index, "content_block": empty}
        deltas = [
            {"type": "content_block_delta", "index": index, "delta": delta}
            for delta in (_text_deltas(block) if is_text else _input_deltas(block))
        ]
        events += [start, *deltas, {"type": "content_block_stop", "index": index}]
    end = {"stop_reason": stop, "stop_sequence": None}
    last = {"type": "message_delta", "delta": end, "usage": counts}
    return [*events, last, {"type": "message_stop"}]


def _text_deltas(block: Block) -> list[Block]:
    words = re.findall(r"\S+\s*", block["text"])
    return [{"type": "text_delta", "text": word} for word in words]


def _input_deltas(block: Block) -> list[Block]:
    return [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
