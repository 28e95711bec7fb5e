"""Counts the tokens of silent streams, in a process of its own.

Loading a vocabulary and counting hold the interpreter's lock, for 0.1 s and more: in
the proxy's process every running stream would wait. The texts come over a socket that
has no name, are counted, and are forgotten; nothing is printed, not even a traceback.

Measured on the recorded replies that report usage and are plain text (absolute error of
one row: median, 95 % bootstrap interval, n rows):

| recordings | input tokens | output tokens |
|---|---|---|
| streams of OpenAI | 0 % (0 to 0), n 6 | 0 % (0 to 2), n 6 |
| streams of Azure | 0 %, n 1 | 10 % (one token of ten), n 1 |
| the same APIs' whole replies too | 0 % (0 to 0), largest 7 %, n 15 | 0 % (0 to 0), largest 10 %, n 15 |

All are short: 7 to 57 tokens in, 1 to 43 out. With OpenAI's nearest vocabulary, streams
of two small local models are 10 % (10 to 10) and 9 % (7 to 13) off, n 31, which is as
far as the ratio is, and Gemini's input 233 %, n 2: other vendors' are left to the ratio.

Run by `token_counter.py`: `python -m lectr_lab.proxy.observers.token_worker`, a socket as stdin.
"""

import socket
import struct
import sys
from collections.abc import Callable
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any, NamedTuple

import msgspec

from lectr_lab.core.llm_api.token_texts import answers_of, prompt_of

LENGTH = struct.Struct(">Q")
COUNTS = struct.Struct(">qq")
UNKNOWN = (-1, -1)


class Job(msgspec.Struct, frozen=True, array_like=True):
    """A stream to count: the bytes as they went by."""

    encoding: str
    operation: str
    content_encoding: str
    body: bytes
    chunks: list[bytes]

    def __repr__(self) -> str:
        return "Job(…)"  # no text in anything that is printed


class Counts(NamedTuple):
    """Tokens of one stream."""

    input_tokens: int
    output_tokens: int


def is_installed() -> bool:
    """Whether the `tokenizer` extra is there; nothing is loaded."""
    return find_spec("bpe_openai") is not None


def counts_of(job: Job) -> Counts | None:
    """The tokens of a stream; None where they are not those of its texts.

    Args:
        job: bytes and the vocabulary's name.
    """
    prompt = prompt_of(job.operation, job.body)
    answers = answers_of(job.content_encoding, job.chunks)
    if prompt is None or answers is None:
        return None
    count = _counter(job.encoding)
    return Counts(
        sum(map(count, prompt.texts)) + prompt.framing_tokens, sum(map(count, answers))
    )


@cache
def _counter(encoding: str) -> Callable[[str], int]:
    """Counts a text, special tokens' names as the plain text they are."""
    count = _bindings().tokenizer_for_encoding(encoding).count

    def lenient(text: str) -> int:
        return count(text.encode("utf-8", "replace").decode())  # half a surrogate pair

    return lenient


@cache
def _bindings() -> Any:
    """The library's core alone: the package around it takes 68 MB and 1.6 s more."""
    package = find_spec("bpe_openai")
    assert package is not None  # or nobody would ask
    spec = PathFinder.find_spec(
        "bpe_openai._bindings", package.submodule_search_locations
    )
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Answer each job with two numbers until the proxy is gone."""
    with socket.socket(fileno=sys.stdin.fileno()) as sock:
        decode = msgspec.msgpack.Decoder(Job).decode
        while head := _read(sock, LENGTH.size):
            try:
                counts = counts_of(decode(_read(sock, *LENGTH.unpack(head)))) or UNKNOWN
            except Exception:  # noqa: BLE001 - what it says could hold a text
                counts = UNKNOWN
            sock.sendall(COUNTS.pack(*counts))


def _read(sock: socket.socket, size: int) -> bytes:
    """So many bytes; none where the other end is gone."""
    data = bytearray()
    while len(data) < size:
        more = sock.recv(min(size - len(data), 1 << 20))
        if not more:
            return b""
        data += more
    return bytes(data)


if __name__ == "__main__":
    main()
