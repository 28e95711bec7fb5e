"""The words that an event's columns may hold, where those are a list."""

from typing import Literal

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
