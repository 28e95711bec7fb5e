"""A lab's log in a form that other tools read."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from lectr_lab.analysis.cells.prefix_files import Days
from lectr_lab.analysis.views.select import select
from lectr_lab.analysis.views.selection import selection
from lectr_lab.log.exporters.otlp import MOST_FILE_BYTES, Exported, export_spans
from lectr_lab.log.scan import scan
from lectr_lab.shipping.remote import is_url, scan_remote

_ROWS_AT_ONCE = 20_000


def export_log(
    lab: Path | str,
    out: Path | str,
    *,
    most_bytes: int = MOST_FILE_BYTES,
    on_rows: Callable[[int, int], None] = lambda done, total: None,
    **which: Any,
) -> Exported:
    """Write a lab's log as OpenTelemetry spans, OTLP JSON, by the GenAI conventions.

    Counts and names alone: there is nothing else in a log. Imported again
    (`kind="otel"`), the files are the same log.

    Args:
        lab: a lab folder, in use or not; or a prefix that labs are shipped to.
        out: the folder for `spans-<day>-<number>.jsonl`; see `export_spans`.
        most_bytes: how long a file may become before another one is begun.
        on_rows: told how many rows of how many are written, now and then.
        which: as `select` takes it: `org`, `feature`, `provider`, `model`, `task`,
            `since`, `until`, `tz`.

    Returns:
        How many spans, and the files.

    Raises:
        LogError: there is no such lab folder, or something cannot be written.
        LabError: a time that cannot be read.

    >>> import tempfile
    >>> import lectr_lab as lectr
    >>> from lectr_lab.resources import shipped_traffic
    >>> lectr.export_log(shipped_traffic(), tempfile.mkdtemp()).spans
    16222
    """
    log = select(_rows(lab, which), **which)
    total = log.select(pl.len()).collect().item()
    batches = log.collect_batches(chunk_size=_ROWS_AT_ONCE)
    return export_spans(
        batches,
        Path(out),
        most_bytes=most_bytes,
        on_rows=lambda done: on_rows(done, max(done, total)),
    )


def _rows(lab: Path | str, which: Mapping[str, Any]) -> pl.LazyFrame:
    """The events; of a prefix, from the days that are asked for alone."""
    if isinstance(lab, Path) or not is_url(lab):
        return scan(lab)
    when = {name: which[name] for name in ("since", "until", "tz") if which.get(name)}
    days = Days.of(selection({}, **when).when)
    return scan_remote(lab, days.since, days.until)
