"""Records one request of each kind that a real engine answers: `llama-shapes/`.

    python cassettes/record_shapes.py <llama-server> <file.gguf>

The same engine, proxy and recorder as `record_demo.py`; see PROVENANCE.md.
"""

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from record_demo import HERE, KEY, engine, recorded

MODEL = "gemma-3-270m-q4_k_m"
SHAPES = HERE / "llama-shapes"
SAY_HI = [{"role": "user", "content": "Say hello."}]
ANSWER = {
    "type": "object",
    "properties": {"answer": {"type": "string", "maxLength": 20}},
    "required": ["answer"],
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "a", "schema": ANSWER}}
ASKED = [
    {"role": "user", "content": "What is the capital of France?"},
    {"role": "assistant", "content": '{"answer": "Paris"}'},
    {"role": "user", "content": "What is the capital of Italy?"},
]
STREAM = {"stream": True, "stream_options": {"include_usage": True}}


def main(server: str, file: str) -> None:
    """Record each kind; for embeddings the server is started anew."""
    with engine(server, file, MODEL):
        with recorded(SHAPES / "chat.yaml") as base_url:
            for body in (
                {"messages": ASKED, "max_tokens": 40, "response_format": FORMAT},
                {"messages": SAY_HI, "max_tokens": 8, "logprobs": True},
                {"messages": SAY_HI, "max_tokens": 8, "stream": True},
            ):
                ask(base_url, "/chat/completions", body)
        with recorded(SHAPES / "other-paths.yaml") as base_url:
            ask(base_url, "/models", None)
            ask(base_url, "/completions", {"prompt": "Once upon", "max_tokens": 8})
            ask(base_url, "/messages", {"messages": SAY_HI, "max_tokens": 8})
            ask(base_url, "/messages", {"messages": SAY_HI, "max_tokens": 8} | STREAM)
            ask(base_url, "/responses", {"input": "Say hello.", "max_output_tokens": 8})
        with recorded(SHAPES / "faults.yaml") as base_url:
            ask(base_url, "/chat/completions", b'{"model": "' + MODEL.encode())
            leave(base_url)
    with (
        engine(server, file, MODEL, "--embeddings", "--pooling", "mean"),
        recorded(SHAPES / "embeddings.yaml") as base_url,
    ):
        texts = ["A cat sleeps.", "A dog sleeps."]
        ask(base_url, "/embeddings", {"input": texts, "encoding_format": "base64"})


def ask(base_url: str, path: str, body: dict[str, Any] | bytes | None) -> None:
    """Send one request and read the whole answer."""
    headers = {
        "X-Lectr-Key": KEY,
        "X-Lectr-Provider": "openai",
        "Content-Type": "application/json",
    }
    if isinstance(body, dict):
        body = json.dumps({"model": MODEL, "temperature": 0, "seed": 7} | body).encode()
    method = "GET" if body is None else "POST"
    reply = httpx.request(
        method, base_url + path, content=body, headers=headers, timeout=120
    )
    print(path, reply.status_code, len(reply.content), reply.text[:160])


def leave(base_url: str) -> None:
    """Ask for a long stream and go away after three pieces of it."""
    body = {"model": MODEL, "messages": SAY_HI, "max_tokens": 400, "stream": True}
    body |= {"temperature": 0, "ignore_eos": True}
    with (
        suppress(httpx.HTTPError),
        httpx.stream(
            "POST",
            f"{base_url}/chat/completions",
            json=body,
            headers={"X-Lectr-Key": KEY},
            timeout=120,
        ) as reply,
    ):
        for number, _ in enumerate(reply.iter_raw()):
            if number == 2:
                return


if __name__ == "__main__":
    SHAPES.mkdir(exist_ok=True)
    main(sys.argv[1], str(Path(sys.argv[2]).resolve()))
