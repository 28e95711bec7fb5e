"""The results of a batch of Anthropic's: a line for each request, with its message.

Of a message come along counts and names; its text and `custom_id` do not. Results name
no time.
Source: https://platform.claude.com/docs/build-with-claude/batch-processing, as
excerpts of it on 2026-11-30.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lectr_lab.log.importers.batches import NO_ROW, NOT_ANSWERED, Times, result, rows_of
from lectr_lab.log.importers.fields import Choices, Item, Left, Rows
from lectr_lab.log.importers.records import within


def anthropic_batch_rows(source: Path, choices: Choices) -> Rows:
    """The answered requests of a batch, or of a folder of result files (`*.jsonl`).

    Raises:
        LogError: a file is empty, or cannot be unpacked.
        OSError: it cannot be read.
    """
    return rows_of(source, choices, _item)


def _item(line: Any, times: Times) -> Iterator[Item]:
    kind = within(line, "result.type")
    message = within(line, "result.message")
    if not isinstance(kind, str):
        yield Left(NO_ROW)
    elif kind != "succeeded":
        yield Left(NOT_ANSWERED)
    elif isinstance(own := within(message, "id"), str):
        yield from result(own, "anthropic", message, times)
    else:
        yield Left(NO_ROW)
