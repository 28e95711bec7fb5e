"""Writes `simulated/`: answers of the shapes that only paid providers have.

    python cassettes/simulate.py

Nothing here was ever sent by a provider. Each answer has the wire format that the
provider documents; its texts, counts and times are made up. The tape that plays these
files is the provider's simulator: `lectr-lab replay cassettes/simulated`.
"""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from lectr_lab.core.headers import RawHeaders
from lectr_lab.tape.scrub import RecordedCall
from lectr_lab.tape.timing_file import Ended, Timing
from lectr_lab.tape.write import write_cassette

HERE = Path(__file__).parent
HEAD_MS, PIECE_MS = 200.0, 20.0
JSON, EVENTS = "application/json", "text/event-stream; charset=utf-8"
HOSTS = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com/v1",
    "groq": "https://api.groq.com/openai/v1",
    "gemini": "https://generativelanguage.googleapis.com/v1beta/openai",
}
MODELS = {
    "openai": "gpt-4o-mini",
    "anthropic": "claude-3-5-haiku-20241022",
    "groq": "llama-3.1-8b-instant",
    "gemini": "gemini-2.0-flash",
}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": CITY}}


class Shape(msgspec.Struct, frozen=True):
    """One exchange: what is asked, and how it is answered."""

    name: str  # stands in the prompt, so that each request is another
    answer: Any  # a JSON value; a list of events for a stream
    status: int = 200
    headers: dict[str, str] = {}
    asked: dict[str, Any] = {}
    path: str = "/chat/completions"
    ended: Ended = "complete"


def chat(provider: str, message: dict[str, Any], usage: dict[str, Any]) -> Any:
    """A chat completion."""
    reason = "tool_calls" if "tool_calls" in message else "stop"
    choice = {"index": 0, "message": {"role": "assistant"} | message}
    return {
        "id": "chatcmpl-simulated",
        "object": "chat.completion",
        "created": 1,
        "model": MODELS[provider],
        "choices": [choice | {"finish_reason": reason}],
        "usage": usage,
    }


def piece(provider: str, delta: Any, reason: str | None = None, **more: Any) -> Any:
    """A chunk of a chat stream; without a delta, of usage alone."""
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {
        "id": "chatcmpl-simulated",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": MODELS[provider],
        "choices": [] if delta is None else [choice],
    } | more


def counts(prompt: int, completion: int, **more: Any) -> Any:
    """Usage as OpenAI's chat has it."""
    total = {"total_tokens": prompt + completion}
    return {"prompt_tokens": prompt, "completion_tokens": completion} | total | more


def error(kind: str, code: str | None = None) -> Any:
    """OpenAI's error object."""
    said = {"message": "Simulated.", "type": kind, "param": None, "code": code}
    return {"error": said}


def claude_error(kind: str) -> Any:
    """Anthropic's error object, in a reply as in a stream."""
    return {"type": "error", "error": {"type": kind, "message": "Simulated."}}


DETAILS = {
    "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 64, "audio_tokens": 0},
}
CALL = {"name": "get_weather", "arguments": '{"city": "Oslo"}'}
STREAM = {"stream": True}
USAGE = STREAM | {"stream_options": {"include_usage": True}}
HELLO = {"role": "assistant", "content": "Hel"}


def openai() -> list[Shape]:
    """Rate limits, quotas, tools, details of usage, and what can befall a stream."""
    limits = {"x-ratelimit-limit-requests": "500", "x-ratelimit-reset-requests": "2s"}
    call = {"id": "call_1", "type": "function", "function": CALL}
    begun = [piece("openai", HELLO), piece("openai", {"content": "lo"})]
    part = {"index": 0, "id": "call_1", "type": "function"}
    call_events = [
        piece(
            "openai", {"tool_calls": [part | {"function": CALL | {"arguments": ""}}]}
        ),
        piece("openai", {"tool_calls": [{"index": 0, "function": CALL}]}),
        piece("openai", {}, "tool_calls"),
        piece("openai", None, usage=counts(60, 15)),
    ]
    whole = [*begun, piece("openai", {}, "stop")]
    retry = {"retry-after": "2", "retry-after-ms": "2000"} | limits
    over = error("requests", "rate_limit_exceeded")
    quota = error("insufficient_quota", "insufficient_quota")
    told = [*whole, piece("openai", None, usage=counts(2048, 100, **DETAILS))]
    tools = {"tools": [TOOL]}
    return [
        Shape("rate limit", over, 429, retry),
        Shape("quota", quota, 429),
        Shape("server error", error("server_error"), 500),
        Shape("details", chat("openai", HELLO, counts(2048, 100, **DETAILS))),
        Shape(
            "tool", chat("openai", {"tool_calls": [call]}, counts(60, 15)), asked=tools
        ),
        Shape("tool stream", call_events, asked=tools | USAGE),
        Shape("stream with usage", told, asked=USAGE),
        Shape("stream without usage", whole, asked=STREAM),
        Shape("error in stream", [*begun, error("server_error")], asked=USAGE),
        Shape("broken stream", begun, asked=USAGE, ended="broken"),
    ]


def anthropic() -> list[Shape]:
    """Messages with caches of both kinds; 429, 529, and an error inside a stream."""
    cache = {
        "input_tokens": 100,
        "cache_read_input_tokens": 1000,
        "cache_creation_input_tokens": 500,
        "cache_creation": {
            "ephemeral_5m_input_tokens": 300,
            "ephemeral_1h_input_tokens": 200,
        },
    }
    message = {
        "id": "msg_simulated",
        "type": "message",
        "role": "assistant",
        "model": MODELS["anthropic"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": cache | {"output_tokens": 1},
    }
    text = {"type": "text", "text": ""}
    delta = {"type": "text_delta", "text": "Hello"}
    begun = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": text},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0, "delta": delta},
    ]
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    rest = [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 12}},
        {"type": "message_stop"},
    ]
    said = {"content": [text | {"text": "Hello"}], "stop_reason": "end_turn"}
    whole = message | said | {"usage": cache | {"output_tokens": 12}}
    limits = {"anthropic-ratelimit-requests-remaining": "0", "retry-after": "5"}
    path = "/messages"
    return [
        Shape("caches", whole, path=path),
        Shape("stream", [*begun, *rest], asked=STREAM, path=path),
        Shape("rate limit", claude_error("rate_limit_error"), 429, limits, path=path),
        Shape("overloaded", claude_error("overloaded_error"), 529, path=path),
        Shape(
            "error in stream",
            [*begun, claude_error("overloaded_error")],
            asked=STREAM,
            path=path,
        ),
    ]


def groq() -> list[Shape]:
    """Usage with times, also where only `x_groq` has it; a rate limit in fractions."""
    times = {"queue_time": 0.01, "prompt_time": 0.002, "completion_time": 0.05}
    usage = counts(40, 20, **times)
    last = piece("groq", {}, "stop", x_groq={"id": "req_simulated", "usage": usage})
    limits = {"retry-after": "7", "x-ratelimit-reset-tokens": "7.66s"}
    over = error("tokens", "rate_limit_exceeded")
    return [
        Shape("usage", chat("groq", HELLO, usage)),
        Shape("stream", [piece("groq", HELLO), last], asked=STREAM),
        Shape("rate limit", over, 429, limits),
    ]


def gemini() -> list[Shape]:
    """Its OpenAI-compatible door: usage, and Google's own error in a list."""
    said = {"code": 503, "message": "Simulated.", "status": "UNAVAILABLE"}
    return [
        Shape("usage", chat("gemini", HELLO, counts(30, 10))),
        Shape("unavailable", [{"error": said}], 503),
    ]


def recorded(provider: str, shape: Shape) -> tuple[RecordedCall, Timing]:
    """The exchange as a recorder would have kept it."""
    prompt = [{"role": "user", "content": f"simulated: {shape.name}"}]
    asked = {"model": MODELS[provider], "messages": prompt, "max_tokens": 200}
    streamed = "stream" in shape.asked
    chunks = stream(provider, shape) if streamed else [dump(shape.answer)]
    kind = EVENTS if streamed else JSON
    times = [HEAD_MS + PIECE_MS * n for n in range(1, len(chunks) + 1)]
    call = RecordedCall(
        method="POST",
        url=HOSTS[provider] + shape.path,
        request_headers=raw({"content-type": JSON}),
        request_body=dump(asked | shape.asked),
        status=shape.status,
        response_headers=raw({"content-type": kind} | shape.headers),
        chunks=tuple(chunks),
        cut_short=shape.ended != "complete",
    )
    timing = Timing(
        started_ms=0.0,
        head_ms=HEAD_MS,
        chunks=tuple(zip(map(len, chunks), times, strict=True)),
        ended=shape.ended,
        feature="simulated",
        provider=provider,
    )
    return call, timing


def stream(provider: str, shape: Shape) -> list[bytes]:
    """Server-sent events; Anthropic names each, the others end with [DONE]."""
    if provider == "anthropic":
        return [
            b"event: %s\ndata: %s\n\n" % (e["type"].encode(), dump(e))
            for e in shape.answer
        ]
    events = [b"data: %s\n\n" % dump(event) for event in shape.answer]
    ends = shape.ended == "complete" and "error" not in shape.answer[-1]
    return [*events, b"data: [DONE]\n\n"] if ends else events


def dump(value: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


def raw(headers: dict[str, str]) -> RawHeaders:
    """Headers as they are on the wire."""
    return tuple((name.encode(), value.encode()) for name, value in headers.items())


def main(folder: Path) -> None:
    """Write a cassette for each provider."""
    for make in (openai, anthropic, groq, gemini):
        provider = make.__name__
        path = folder / f"{provider}.yaml"
        write_cassette(path, [recorded(provider, shape) for shape in make()])
        for file in (path, path.with_suffix(".side.json")):
            file.chmod(0o644)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "simulated")
