"""`lectr-lab import`: another tool's records become events."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from lectr_lab.core.errors import LogError


def import_log(
    source: Path,
    *,
    kind: Literal["litellm", "otel", "table"],
    org: str = "default",
    lab: Path = Path("lab"),
    column: list[str] | None = None,
    start: datetime | None = None,
) -> None:
    """Import calls from LiteLLM spend logs, OpenTelemetry spans or any CSV or Parquet.

    Counts and names come along; prompts, answers and keys do not. Importing a file
    again adds only what is new.

    Example: lectr-lab import calls.csv --kind table --column started_at=time
    --column input_tokens=prompt_tokens --column total_ms=latency_s*1000
    --column outcome==ok

    Args:
        source: the exported file: JSON or CSV of LiteLLM, OTLP JSON, CSV or Parquet.
        kind: what kind of export it is.
        org: the organisation that the calls belong to.
        lab: the lab folder.
        column: for a table: our column=theirs, =theirs*factor, or ==a constant.
        start: for a table whose times are seconds since then.
    """
    from datetime import UTC

    from rich.console import Console

    from lectr_lab.log.folder import LabFolder
    from lectr_lab.log.importing import import_log as import_rows

    if start is not None and start.tzinfo is None:
        start = start.replace(tzinfo=UTC)
    read = 0
    with Console(stderr=True).status("Reading …") as status:

        def on_rows(rows: int) -> None:
            nonlocal read
            read += rows
            status.update(f"Reading … {read:,} rows")

        done = import_rows(
            source,
            LabFolder(lab),
            kind=kind,
            org=org,
            columns=dict(map(_pair, column or [])),
            zero=start,
            on_rows=on_rows,
        )
    print(f"Added {done.added:,} of {done.read:,} calls to {lab} as {org}.")
    if done.known:
        print(f"{done.known:,} were there already.")
    if done.undated:
        print(f"{done.undated:,} have no time that can be read, and are left out.")


def _pair(said: str) -> tuple[str, str]:
    ours, equals, theirs = said.partition("=")
    if not (ours and equals and theirs):
        raise LogError(f"--column {said!r} is not our_column=their_column.")
    return ours, theirs
