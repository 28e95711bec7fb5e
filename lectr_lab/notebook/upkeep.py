"""What a log needs beside its proxy, from cells: other tools' records, and upkeep."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from lectr_lab.analysis.cells.kept import count_closed
from lectr_lab.config.settings import lab_here, settings_beside
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.importers import importing
from lectr_lab.log.importers.fields import Cached, Choices
from lectr_lab.log.importers.preview import Preview
from lectr_lab.log.importers.report import ImportReport
from lectr_lab.log.upkeep import compact as merging
from lectr_lab.log.upkeep.compact import CompactReport
from lectr_lab.log.upkeep.doctor import examine
from lectr_lab.log.upkeep.doctor import mend as put_right
from lectr_lab.log.upkeep.journal_doctor import Finding
from lectr_lab.log.upkeep.retain import RetainReport, retain
from lectr_lab.waiting import waiting

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
    id_column: str | None = None,
    cached: Cached | None = None,
    epoch: datetime | None = None,
    at: datetime | None = None,
    feature: str | None = None,
    plan: bool = False,
    source_name: str | None = None,
    preview: bool = False,
) -> ImportReport | Preview:
    """Import calls that another tool recorded: gateways, traces, batches, transcripts of
    coding agents, or any table.

    Counts and names come along; prompts, answers and keys do not, and ids of users only
    as a keyed hash. Importing a file again, a longer version of it, or the same with
    another map adds what is new and replaces what changed.

    Args:
        source: the exported file, or a folder of them.
        kind: what kind of export it is: litellm, otel, langfuse, helicone, openrouter,
            openai-batch, anthropic-batch, claude-code, codex or table.
        org: the organisation that the calls belong to.
        lab: the lab folder, made where it is missing; without it, the one that
            lectr.toml names, else `./lab`.
        columns: for a table: our column → theirs, `theirs*factor`, a sum `a+b`, or
            `=a constant`; columns with a name that is known are found without.
        id_column: for a table: the column with each row's own id.
        cached: whether its counts of input leave out what a cache gave or took,
            "apart", or hold it, "included"; the log's own hold it.
        epoch: for a table whose times are seconds since then, not since 1970.
        at: when calls were made that do not say it, such as a batch's.
        feature: the feature of calls that name none.
        plan: a plan covered these calls: they are not billed.
        source_name: what the source is called, within which its ids are its own.
        preview: say what was understood, and write nothing.

    Returns:
        How many calls were read; of these added, put in the place of older rows, and
        known already; what was left out, and what has to be told. A `Preview` instead,
        where one was asked for.

    Raises:
        LogError: the file cannot be read, is of another kind, or holds no call.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "calls.csv").write_text("when,sent\\n2026-11-02T09:00:00Z,812\\n")
    >>> ours = {"started_at": "when", "input_tokens": "sent", "outcome": "=ok"}
    >>> done = import_log(
    ...     folder / "calls.csv", kind="table", lab=folder / "lab", columns=ours
    ... )
    >>> done.read, done.added
    (1, 1)
    """
    folder = LabFolder(_named(lab))
    choices = Choices(
        columns=columns or {},
        epoch=_in_utc(epoch),
        cached=cached,
        id_column=id_column,
        at=_in_utc(at),
        name=source_name,
        feature=feature,
        plan_pays=plan,
    )
    do = importing.preview_log if preview else importing.import_log
    with waiting("Importing") as step:
        return do(
            Path(source),
            folder,
            kind=kind,
            org=org,
            choices=choices,
            environ=os.environ,
            on_rows=step,
        )


@waiting("Compacting the log")
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
    done = Upkeep(
        deleted=retain(folder, max_age_days=keep_days, max_bytes=max_bytes),
        merged=merging.compact(
            folder, keep_request_ids=keep_request_ids or own.keep_request_ids
        ),
    )
    count_closed(folder)
    return done


@waiting("Looking at every file")
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


def _in_utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def _named(lab: Path | str | None) -> Path:
    return lab_here(os.environ) if lab is None else Path(lab)
