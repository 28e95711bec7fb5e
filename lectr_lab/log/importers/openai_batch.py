"""The output file of a batch of OpenAI's: a line for each request, with its reply.

Azure's and other compatible batches have the same form. Of a reply come along counts and
names; its text and `custom_id` do not.
Source: https://platform.openai.com/docs/guides/batch, as excerpts of it on 2026-11-30.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lectr_lab.log.importers.batches import NO_ROW, NOT_ANSWERED, Times, result, rows_of
from lectr_lab.log.importers.fields import Choices, Item, Left, Rows
from lectr_lab.log.importers.records import within

QUESTIONS = "requests of a batch's input file; its output file has the results"


def openai_batch_rows(source: Path, choices: Choices) -> Rows:
    """The answered requests of a batch, or of a folder of output files (`*.jsonl`).

    Raises:
        LogError: a file is empty, or cannot be unpacked.
        OSError: it cannot be read.
    """
    return rows_of(source, choices, _item)


def _item(line: Any, times: Times) -> Iterator[Item]:
    response = within(line, "response")
    if within(line, "url") and within(line, "method"):
        yield Left(QUESTIONS)
    elif not isinstance(line, dict) or not ("response" in line or "error" in line):
        yield Left(NO_ROW)
    elif within(response, "status_code") != 200:
        yield Left(NOT_ANSWERED)
    else:
        body = within(response, "body")
        own = line.get("id") or within(body, "id") or within(response, "request_id")
        if own:
            yield from result(str(own), "openai", body, times)
        else:
            yield Left(NO_ROW)
