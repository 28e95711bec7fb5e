"""Gemini's own API."""

import json
import re
from typing import Any

from clients.fake_provider.samples import sample
from clients.fake_provider.wire import Answer, Asked, sse, whole

TEXT = "Hello from the fake provider."
USAGE = {
    "promptTokenCount": 321,
    "cachedContentTokenCount": 200,
    "candidatesTokenCount": 40,
    "thoughtsTokenCount": 25,
    "totalTokenCount": 386,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 321}],
}
# The same reply as the log's columns count it: thoughts are output.
COUNTED = {
    "input_tokens": 321,
    "output_tokens": 65,
    "cache_read_tokens": 200,
    "reasoning_tokens": 25,
}
_CALL = re.compile(r"/models/([^:/]+):(\w+)$")
_MODEL = {
    "name": "models/gemini-2.5-flash",
    "supportedGenerationMethods": ["generateContent"],
}


def answer(asked: Asked) -> Answer | None:
    """The reply to a request of Gemini's own API; None: it is none."""
    if asked.seen.method == "GET":
        return whole({"models": [_MODEL]})
    call = _CALL.search(asked.seen.resource)
    if not call:
        return None
    model, verb = call[1], call[2]
    if verb == "countTokens":
        return whole({"totalTokens": 321})
    if verb == "generateContent":
        return whole(_reply(asked, model))
    if verb == "streamGenerateContent":
        replies = [_reply(asked, model, "Hello "), _reply(asked, model, TEXT[6:])]
        replies[0]["candidates"][0].pop("finishReason")
        if "alt=sse" in asked.seen.path:
            return sse(replies, {}, named=False)
        return whole(replies)
    return None


def error(status: int, message: str = "Fake.") -> Answer:
    """A failure in Google's form."""
    kind = {404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}.get(status, "INTERNAL")
    what = {"code": status, "message": message, "status": kind}
    return whole({"error": what}, status)


def _reply(asked: Asked, model: str, text: str = TEXT) -> dict[str, Any]:
    content = {"role": "model", "parts": [_part(asked, text)]}
    candidate = {"content": content, "index": 0, "finishReason": "STOP"}
    return {
        "candidates": [candidate],
        "usageMetadata": USAGE,
        "modelVersion": model,
        "responseId": f"g{asked.number:08d}",
    }


def _part(asked: Asked, text: str) -> dict[str, Any]:
    tool = asked.steering.tool
    if tool:
        return {"functionCall": {"name": tool.name, "args": json.loads(tool.arguments)}}
    form = asked.body.get("generationConfig") or {}
    schema = form.get("responseJsonSchema") or form.get("responseSchema")
    if form.get("responseMimeType") == "application/json" and schema:
        return {"text": json.dumps(sample(schema))}
    return {"text": text}
