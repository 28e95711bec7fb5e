"""`lectr-lab import`: another tool's records become events."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from lectr_lab.core.errors import LogError
from lectr_lab.log.importers.importing import READERS

if TYPE_CHECKING:
    Kind = str
else:  # --help lists what there is
    _HELP = "; ".join(f"{kind}: {reader.what}" for kind, reader in READERS.items())
    Kind = Annotated[Literal[tuple(READERS)], Parameter(help=f"{_HELP}.")]


def import_log(
    source: Path,
    *,
    kind: Kind,
    org: str = "default",
    lab: Path = Path("lab"),
    column: list[str] | None = None,
    start: datetime | None = None,
) -> None:
    """Import the calls that another tool recorded, or a table of them.

    Counts and names come along; prompts, answers and keys do not. Importing a file
    again adds only what is new.

    Example: lectr-lab import calls.csv --kind table --column started_at=time
    --column input_tokens=prompt_tokens --column total_ms=latency_s*1000
    --column outcome==ok

    Args:
        source: the exported file.
        kind: what it is.
        org: the organisation that the calls belong to.
        lab: the lab folder.
        column: for a table: our column=theirs, =theirs*factor, or ==a constant.
        start: for a table whose times are seconds since then.
    """
    from datetime import UTC

    from lectr_lab.cli.progress import progress
    from lectr_lab.log.folder import LabFolder
    from lectr_lab.log.importers.importing import import_log as import_rows

    if start is not None and start.tzinfo is None:
        start = start.replace(tzinfo=UTC)
    with progress("Importing", "rows") as step:
        done = import_rows(
            source,
            LabFolder(lab),
            kind=kind,
            org=org,
            columns=_map(column or []),
            zero=start,
            on_rows=step,
        )
    print(f"Added {done.added:,} of {done.read:,} calls to {lab} as {org}.")
    if done.known:
        print(f"{done.known:,} were there already.")
    if done.undated:
        print(f"{done.undated:,} have no time that can be read, and are left out.")


def _map(column: list[str]) -> dict[str, str]:
    pairs = list(map(_pair, column))
    for ours, times in Counter(ours for ours, _ in pairs).items():
        if times > 1:
            raise LogError(f"--column {ours}=… is there {times} times: one is enough.")
    return dict(pairs)


def _pair(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not (ours and equals and theirs):
        raise LogError(f"Write --column our_column=their_column, not {text!r}.")
    return ours, theirs
