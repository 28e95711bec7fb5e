"""The kinds of file that can be imported: a row each, and a module each that reads it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from lectr_lab.log.importers.anthropic_batch import anthropic_batch_rows
from lectr_lab.log.importers.claude_code import claude_code_rows
from lectr_lab.log.importers.codex import codex_rows
from lectr_lab.log.importers.fields import Choices, Rows
from lectr_lab.log.importers.helicone import helicone_rows
from lectr_lab.log.importers.langfuse import langfuse_rows
from lectr_lab.log.importers.litellm import litellm_rows
from lectr_lab.log.importers.openai_batch import openai_batch_rows
from lectr_lab.log.importers.openrouter import openrouter_rows
from lectr_lab.log.importers.otel import otel_rows
from lectr_lab.log.importers.table import table_rows


class Reader(NamedTuple):
    """A kind of file: what it is, what it should hold, and how it is read.

    `shape` says where its shape is known from: a real file, or documents. `history` is
    true of transcripts, which copy what other files of theirs have.
    """

    what: str
    noun: str
    shape: str
    rows: Callable[[Path, Choices], Rows]
    history: bool = False


READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "litellm": Reader(
            "LiteLLM's spend logs, JSON, CSV or Parquet",
            "LiteLLM spend logs",
            "its schema and code (1.109) and rows in its issues, 2026-11-30",
            litellm_rows,
        ),
        "otel": Reader(
            "OpenTelemetry spans, and log records of Claude Code and Codex, OTLP JSON, a "
            "file or a folder",
            "spans of model calls",
            "files of OpenTelemetry's own collector and SDKs; names of attributes from "
            "each convention's documents, 2026-11-30",
            otel_rows,
        ),
        "langfuse": Reader(
            "Langfuse's observations, of its blob storage, API or UI",
            "generations of Langfuse's",
            "its field reference and API reference, 2026-11-30",
            langfuse_rows,
        ),
        "helicone": Reader(
            "Helicone's requests, of its export tool or API",
            "requests of Helicone's",
            "its API reference and code, 2026-11-30",
            helicone_rows,
        ),
        "openrouter": Reader(
            "OpenRouter's activity, call by call",
            "calls of OpenRouter's activity",
            "headers of real exports in other projects' tests, and its API reference, "
            "2026-11-30",
            openrouter_rows,
        ),
        "openai-batch": Reader(
            "output files of OpenAI's batches",
            "answered requests of a batch",
            "its guide to batches, 2026-11-30",
            openai_batch_rows,
        ),
        "anthropic-batch": Reader(
            "results of Anthropic's batches",
            "answered requests of a batch",
            "its guide to batches, 2026-11-30",
            anthropic_batch_rows,
        ),
        "claude-code": Reader(
            "transcripts of Claude Code, a file or ~/.claude/projects",
            "answers of a model",
            "transcripts of 2.1.197, made by `tests/clients/test_transcripts.py`, and issues "
            "of ccusage, 2026-11-30",
            claude_code_rows,
            history=True,
        ),
        "codex": Reader(
            "transcripts of Codex, a file or ~/.codex/sessions",
            "calls of a model",
            "transcripts of 0.171.0, made by `tests/clients/test_transcripts.py`, and issues "
            "of ccusage and others, 2026-11-30",
            codex_rows,
            history=True,
        ),
        "table": Reader(
            "any CSV, Parquet, JSON or JSON lines",
            "rows",
            "the file's own names of columns",
            table_rows,
        ),
    }
)
"""By what `kind` calls them."""
