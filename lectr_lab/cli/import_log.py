"""`lectr-lab import`: another tool's records become events."""

import os
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from lectr_lab.core.errors import LogError
from lectr_lab.core.printable import printable
from lectr_lab.log.importers.importing import READERS

if TYPE_CHECKING:
    Kind = str
else:  # --help lists what there is
    _HELP = "; ".join(f"{kind}: {reader.what}" for kind, reader in READERS.items())
    Kind = Annotated[Literal[tuple(READERS)], Parameter(help=f"{_HELP}.")]

Columns = Annotated[list[str] | None, Parameter(consume_multiple=True)]


def import_log(
    source: Path,
    *,
    kind: Kind,
    org: str = "default",
    lab: Path | None = None,
    columns: Columns = None,
    epoch: datetime | None = None,
) -> None:
    """Import the calls that another tool recorded, or a table of them.

    Counts and names come along; prompts, answers and keys do not. Importing a file
    again adds only what is new.

    Example: lectr-lab import calls.csv --kind table --columns started_at=time
    input_tokens=prompt_tokens total_ms=latency_s*1000 outcome==ok

    Args:
        source: the exported file.
        kind: what it is.
        org: the organisation that the calls belong to.
        lab: the lab folder (default: the one lectr.toml names, else ./lab).
        columns: for a table: our column=theirs, =theirs*factor, or ==a constant.
        epoch: for a table whose times are seconds since then, not since 1970.
    """
    from datetime import UTC

    from lectr_lab.cli.progress import progress
    from lectr_lab.config.settings import lab_here
    from lectr_lab.log.folder import LabFolder
    from lectr_lab.log.importers.importing import import_log as import_rows

    lab = lab or lab_here(os.environ)
    if epoch is not None and epoch.tzinfo is None:
        epoch = epoch.replace(tzinfo=UTC)
    with progress("Importing", "rows") as step:
        done = import_rows(
            source,
            LabFolder(lab),
            kind=kind,
            org=org,
            columns=_map(columns or []),
            epoch=epoch,
            on_rows=step,
        )
    print(f"Added {done.added:,} of {done.read:,} calls to {printable(lab)} as {org}.")
    if done.known:
        print(f"{done.known:,} were there already.")
    if done.undated:
        print(f"{done.undated:,} have no time that can be read, and are left out.")


def _map(columns: list[str]) -> dict[str, str]:
    pairs = list(map(_pair, columns))
    for ours, times in Counter(ours for ours, _ in pairs).items():
        if times > 1:
            raise LogError(f"--columns {ours}=… is there {times} times: one is enough.")
    return dict(pairs)


def _pair(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not (ours and equals and theirs):
        raise LogError(f"Write --columns our_column=their_column, not {text!r}.")
    return ours, theirs
