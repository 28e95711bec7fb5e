"""Other people's records become events: `import_log`.

Ids are made from the source's own, so importing a file twice, or a longer version of
it, adds only what is new. Rows are written straight as parts of their days.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import polars as pl

from lectr_lab.core.errors import LogError
from lectr_lab.core.ids import event_id
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.importers.fields import Imported, Rows, fitted
from lectr_lab.log.importers.litellm import litellm_rows
from lectr_lab.log.importers.otel import otel_rows
from lectr_lab.log.importers.table import table_rows
from lectr_lab.log.schema import polars_schema
from lectr_lab.log.upkeep.duplicates import add_new

_ROWS_AT_ONCE = 50_000


class Reader(NamedTuple):
    """A kind of file: what it is, for people, and how it is read."""

    what: str
    rows: Callable[[Path, Mapping[str, str], datetime | None], Rows]


READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "litellm": Reader(
            "LiteLLM's spend logs, JSON or CSV", lambda source, *_: litellm_rows(source)
        ),
        "otel": Reader(
            "OpenTelemetry spans, OTLP JSON", lambda source, *_: otel_rows(source)
        ),
        "table": Reader("any CSV or Parquet", table_rows),
    }
)
"""By what `kind` calls them. `columns` and `epoch` are for a table alone."""


class ImportReport(NamedTuple):
    """Rows read; of these added, known already, and without a time to put them at."""

    read: int = 0
    added: int = 0
    known: int = 0
    undated: int = 0


def import_log(
    source: Path,
    lab: LabFolder,
    *,
    kind: str,
    org: str,
    columns: Mapping[str, str] | None = None,
    epoch: datetime | None = None,
    on_rows: Callable[[int, int], None] = lambda done, total: None,
) -> ImportReport:
    """Put the calls that another tool recorded into a lab's log.

    Args:
        source: the exported file.
        lab: a lab folder, in use or not; it is made where it is missing.
        kind: what the file is, one of `READERS`.
        org: the organisation that the events belong to.
        columns: for a table, see `table_rows`.
        epoch: for a table whose times count from somewhere else than 1970.
        on_rows: told how many rows of about how many were taken, now and then.

    Returns:
        What was done. What the source does not say is null, also in columns that
        the proxy always fills.

    Raises:
        LogError: the file cannot be read, or is of another kind.
    """
    if kind not in READERS:
        raise LogError(f"There is no kind {kind!r}. There is: {', '.join(READERS)}.")
    if fitted("org", org) is None:
        raise LogError(f"{org!r} cannot name an organisation: 1 to 100 characters.")
    LabFolder.create(lab.root)
    total = ImportReport()
    try:
        count, rows = READERS[kind].rows(source, columns or {}, epoch)
        rest = iter(rows)
        while batch := list(islice(rest, _ROWS_AT_ONCE)):
            done = _add(lab, kind, org, batch)
            total = ImportReport(*(a + b for a, b in zip(total, done, strict=True)))
            on_rows(total.read, max(count, total.read))
    except LogError:
        raise
    except OSError as error:
        where = error.filename or source
        raise LogError(f"{where}: {error.strerror or error}.") from None
    return total


def _add(lab: LabFolder, kind: str, org: str, batch: list[Imported]) -> ImportReport:
    events = [_event(kind, org, row) for row in batch]
    by_day: dict[date, list[dict[str, Any]]] = {}
    for event in events:
        if event["started_at"] is not None:
            by_day.setdefault(event["started_at"].date(), []).append(event)
    dated = sum(map(len, by_day.values()))
    added = sum(_add_day(lab, day, rows) for day, rows in by_day.items())
    return ImportReport(len(batch), added, dated - added, len(batch) - dated)


def _event(kind: str, org: str, row: Imported) -> dict[str, Any]:
    event = {name: fitted(name, value) for name, value in row.facts.items()}
    at = event.setdefault("started_at", None)
    digest = hashlib.sha256(f"{kind}\n{org}\n{row.source_id}".encode()).digest()
    ms = int(at.timestamp() * 1000) if at is not None else 0
    counted = event.get("input_tokens") is not None
    return event | {
        "event_id": event_id(ms, int.from_bytes(digest[:10])),
        "org": org,
        "kind": "request",
        "token_source": "provider" if counted else "absent",
    }


def _add_day(lab: LabFolder, day: date, events: list[dict[str, Any]]) -> int:
    """Write what the day does not have yet; how many that were."""
    schema = polars_schema()
    rows = pl.DataFrame(
        [
            pl.Series(name, [event.get(name) for event in events], dtype, strict=False)
            for name, dtype in schema.items()
        ]
    ).unique("event_id", maintain_order=True)
    return add_new(lab, day, rows)
