"""The words that an event's columns may hold, where those are a list."""

from typing import Literal

MOST_BYTES = 1024
"""Of a word out of a body, such as a model's name; what is longer is cut."""

_CUT = "…"

Kind = Literal["request", "shadow"]
Operation = Literal[
    "chat",
    "completions",
    "embeddings",
    "responses",
    "messages",
    "generate_content",
    "count_tokens",
    "compact",
    "models",
    "files",
    "batches",
    "images",
    "audio",
    "moderations",
    "rerank",
    "other",
]
NOT_CALLS: tuple[Operation, ...] = (
    "count_tokens",
    "models",
    "files",
    "batches",
    "other",
)
"""What asks nothing of a model: views count it apart from calls."""

GATEWAY_CACHE = "gateway_cache"
"""The `service_tier` of what a gateway answered out of its own cache: nobody bills it."""

ProviderSource = Literal["header", "path", "model", "key_prefix", "default"]
Outcome = Literal[
    "ok",
    "provider_error",
    "refused",
    "client_disconnect",
    "upstream_disconnect",
    "timeout",
    "unreachable",
    "error_in_stream",
]
ErrorSource = Literal["proxy", "provider", "client"]
TokenSource = Literal["provider", "tokenizer", "absent"]
ResponseFormat = Literal["text", "json_object", "json_schema"]
Credential = Literal["api_key", "plan", "other", "none"]
TurnKind = Literal["main", "subagent", "side_call", "compaction"]
PrefixBreak = Literal[
    "first", "none", "tools", "system", "history", "model", "parameters"
]


def cut(word: str | None) -> str | None:
    """A word as the log holds it: at most MOST_BYTES of UTF-8, the end marked if cut.

    >>> cut("gpt-4o"), cut("é" * 600)[-3:], len(cut("é" * 600).encode())
    ('gpt-4o', 'éé…', 1023)
    """
    if word is None or len(word) * 4 <= MOST_BYTES:
        return word  # nearly every word
    data = word.encode("utf-8", "replace")
    if len(data) <= MOST_BYTES:
        return word
    return data[: MOST_BYTES - len(_CUT.encode())].decode("utf-8", "ignore") + _CUT
