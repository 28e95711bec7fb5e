"""What a log needs beside its proxy, from cells: other tools' records, and upkeep."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from lectr_lab.config.settings import lab_here, settings_beside
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.importers import importing
from lectr_lab.log.upkeep import compact as merging
from lectr_lab.log.upkeep.compact import CompactReport
from lectr_lab.log.upkeep.doctor import examine
from lectr_lab.log.upkeep.doctor import mend as put_right
from lectr_lab.log.upkeep.journal_doctor import Finding
from lectr_lab.log.upkeep.retain import RetainReport, retain

MB = 1_000_000


class Upkeep(NamedTuple):
    """What `compact` did: the days that it deleted, and those that it merged."""

    deleted: RetainReport
    merged: CompactReport


def import_log(
    source: Path | str,
    *,
    kind: str,
    org: str = "default",
    lab: Path | str | None = None,
    columns: Mapping[str, str] | None = None,
    epoch: datetime | None = None,
) -> importing.ImportReport:
    """Import calls from LiteLLM spend logs, OpenTelemetry spans or any CSV or Parquet.

    Counts and names come along; prompts, answers and keys do not. Importing a file
    again adds only what is new.

    Args:
        source: the exported file: JSON or CSV of LiteLLM, OTLP JSON, CSV or Parquet.
        kind: what kind of export it is: litellm, otel or table.
        org: the organisation that the calls belong to.
        lab: the lab folder, made where it is missing; without it, the one that
            lectr.toml names, else `./lab`.
        columns: for a table: our column → theirs, `theirs*factor`, or `=a constant`.
        epoch: for a table whose times are seconds since then, not since 1970.

    Returns:
        How many calls were read; of these added, known already, and without a time.

    Raises:
        LogError: the file cannot be read, or is of another kind.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "calls.csv").write_text("when,sent\\n2026-11-02T09:00:00Z,812\\n")
    >>> ours = {"started_at": "when", "input_tokens": "sent", "outcome": "=ok"}
    >>> import_log(folder / "calls.csv", kind="table", lab=folder / "lab", columns=ours)
    ImportReport(read=1, added=1, known=0, undated=0)
    """
    if epoch is not None and epoch.tzinfo is None:
        epoch = epoch.replace(tzinfo=UTC)
    return importing.import_log(
        Path(source),
        LabFolder(_named(lab)),
        kind=kind,
        org=org,
        columns=columns,
        epoch=epoch,
    )


def compact(
    lab: Path | str | None = None,
    *,
    keep_days: int | None = None,
    keep_mb: int | None = None,
    keep_request_ids: bool = False,
) -> Upkeep:
    """Merge each closed day's files into few, and delete old days if asked to.

    Safe while the proxy runs. The provider's id of a call that ended well is dropped;
    `keep_request_ids = true` in the lectr.toml beside the lab folder keeps all.

    Args:
        lab: the lab folder; without it, the one that lectr.toml names, else `./lab`.
        keep_days: delete days that are older than that many days.
        keep_mb: delete the oldest days until the log has at most that many megabytes.
        keep_request_ids: keep all ids, as keep_request_ids in lectr.toml does.

    Returns:
        What was deleted, and what was merged.

    Raises:
        LogError: there is no such lab, or a bound is below 0.

    >>> import tempfile
    >>> compact(LabFolder.create(Path(tempfile.mkdtemp()) / "lab").root).merged.days
    0
    """
    folder = LabFolder.used(_named(lab))
    own = settings_beside(folder.root, os.environ)
    max_bytes = None if keep_mb is None else keep_mb * MB
    return Upkeep(
        deleted=retain(folder, max_age_days=keep_days, max_bytes=max_bytes),
        merged=merging.compact(
            folder, keep_request_ids=keep_request_ids or own.keep_request_ids
        ),
    )


def doctor(lab: Path | str | None = None, *, mend: bool = False) -> list[Finding]:
    """Look at every file of a lab folder: what is wrong, which file, how to mend it.

    Nothing is changed without `mend`, and nothing that holds events is ever deleted.
    Safe while the proxy runs.

    Args:
        lab: the lab folder; without it, the one that lectr.toml names, else `./lab`.
        mend: put right what can be put right without losing anything.

    Returns:
        What is wrong, the worst first; after `mend`, what still is.

    Raises:
        LogError: there is no such lab.

    >>> import tempfile
    >>> doctor(LabFolder.create(Path(tempfile.mkdtemp()) / "lab").root)
    []
    """
    folder = LabFolder.used(_named(lab))
    found = examine(folder)
    if not mend:
        return found
    put_right(folder, found)
    return examine(folder)


def _named(lab: Path | str | None) -> Path:
    return lab_here(os.environ) if lab is None else Path(lab)
