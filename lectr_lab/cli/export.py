"""`lectr-lab export`: the log as OpenTelemetry spans."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from lectr_lab.cli.options import LabOrUrl
from lectr_lab.core.errors import ConfigError, LogError
from lectr_lab.core.printable import printable

_MB = 1024 * 1024


def export(
    lab: LabOrUrl = None,
    *,
    out: Path,
    since: str | None = None,
    until: str | None = None,
    org: list[str] | None = None,
    feature: list[str] | None = None,
    provider: list[str] | None = None,
    model: list[str] | None = None,
    task: list[str] | None = None,
    tz: str = "UTC",
    max_file_mb: Annotated[float, Parameter(name="--max-file-mb")] = 128,
) -> None:
    """Export the log as OpenTelemetry spans: OTLP JSON lines, by the GenAI conventions.

    Counts and names; no prompt, answer or key is in a log. `lectr-lab import --kind
    otel` reads the files back as the same log, and so do OpenTelemetry's collectors.

    Example: lectr-lab export lab --out spans --since 2026-11-01..2026-11-07

    Args:
        lab: the lab folder (default: the one lectr.toml names, else ./lab); or a prefix
            that labs are shipped to, such as s3://bucket/prefix.
        out: the folder for the files: a day (UTC) each, or more where it is long. Those
            of an earlier export of the same days are replaced.
        since: 24h, 7d, 2026-11-01, or a period such as 2026-11-01..2026-11-07.
        until: the last day, or a moment such as 2026-11-01T12:00.
        org: only this organisation; may be given again for more.
        feature: only this feature; "untagged" is what named none.
        provider: only this provider.
        model: only this model.
        task: only this task.
        tz: the time zone of days without one, such as Europe/Berlin.
        max_file_mb: how long a file may become before another one is begun.
    """
    from lectr_lab.analysis.export import export_log
    from lectr_lab.cli.progress import progress
    from lectr_lab.config.settings import lab_here
    from lectr_lab.log.exporters.otel_names import otel_names

    if not 0 < max_file_mb < 1e9:
        raise ConfigError("--max-file-mb is a number above 0, such as 128.")
    lab = lab or lab_here(os.environ)
    which = {"org": org, "feature": feature, "provider": provider, "model": model}
    with progress("Exporting", "rows") as step:
        done = export_log(
            lab,
            out,
            most_bytes=round(max_file_mb * _MB),
            on_rows=step,
            **which,
            task=task,
            since=since,
            until=until,
            tz=tz,
        )
    if not done.spans:
        told = f"No request in {printable(lab)} fits what was asked: nothing written."
        if any((*which.values(), task, since, until)):
            raise LogError(told)
        print(told)
        return
    files = "1 file" if len(done.files) == 1 else f"{len(done.files):,} files"
    print(
        f"Wrote {done.spans:,} spans to {files} in {printable(out)}, as of the semantic "
        f"conventions {otel_names().version}."
    )
