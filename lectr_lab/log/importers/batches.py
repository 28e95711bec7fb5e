"""What a file of a batch's results has of each request, whoever's it is."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lectr_lab.log.importers.fields import Choices, Imported, Item, Left, Rows, Said
from lectr_lab.log.importers.replies import operation_of, reply_facts
from lectr_lab.log.importers.source import files_in, json_values

NOT_ANSWERED = "requests that failed, expired or were cancelled: they are not billed"
NO_ROW = "what is no result of a batch"
FILE_TIME = "results without a time of their own: taken to be of the file's, unless --at says another"


class Times:
    """When a result was made that does not say it: `--at`, else the file's own time."""

    def __init__(self, source: Path, choices: Choices) -> None:
        self._at = choices.at
        self._file = source

    def when(self, own: Any) -> tuple[Any, bool]:
        """A time, and whether it is the file's."""
        if own is not None:
            return own, False
        if self._at is not None:
            return self._at, False
        seconds = self._file.stat().st_mtime
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=0), True


def rows_of(
    source: Path, choices: Choices, item: Callable[[Any, Times], Iterator[Item]]
) -> Rows:
    """The items of each line of a batch's results, or of a folder of them (`*.jsonl`).

    Raises:
        LogError: a file is empty, or cannot be unpacked.
        OSError: it cannot be read.
    """

    def items() -> Iterator[Item]:
        for file in files_in(source, "*.jsonl", "*.jsonl.gz"):
            times = Times(file, choices)
            for line in json_values(file).values:
                yield from item(line, times)

    return Rows(0, items())


def result(source_id: str, provider: str, body: Any, times: Times) -> Iterator[Item]:
    """The item of one answered request, at the price of batches."""
    operation = operation_of(body)
    if operation is None:
        yield Left(NO_ROW)
        return
    facts = reply_facts(operation, body)
    at, is_files = times.when(body.get("created_at") or body.get("created"))
    if is_files:
        yield Said(FILE_TIME)
    yield Imported(
        source_id,
        facts
        | {
            "started_at": at,
            "provider": provider,
            "operation": operation,
            "model_requested": facts.get("model_actual"),
            "status": 200,
            "outcome": "ok",
            "service_tier": "batch",
        },
    )
