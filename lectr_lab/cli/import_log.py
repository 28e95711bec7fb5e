"""`lectr-lab import`: another tool's records become events."""

import os
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from lectr_lab.cli.options import Lab
from lectr_lab.cli.say import say, say_json
from lectr_lab.core.errors import LogError
from lectr_lab.log.importers.preview import Preview, preview_text
from lectr_lab.log.importers.readers import READERS
from lectr_lab.log.importers.report import ImportReport, sentences

if TYPE_CHECKING:
    Kind = str
else:  # --help lists what there is
    _HELP = "; ".join(f"{kind}: {reader.what}" for kind, reader in READERS.items())
    Kind = Annotated[Literal[tuple(READERS)], Parameter(help=f"{_HELP}.")]

Columns = Annotated[
    list[str] | None, Parameter(name=("--columns", "--column"), consume_multiple=True)
]
IdColumn = Annotated[str | None, Parameter(name="--id")]


def import_log(
    source: Path,
    *,
    kind: Kind,
    org: str = "default",
    lab: Lab = None,
    preview: bool = False,
    columns: Columns = None,
    id_column: IdColumn = None,
    cached_apart: bool = False,
    cached_included: bool = False,
    epoch: datetime | None = None,
    at: datetime | None = None,
    feature: str | None = None,
    plan: bool = False,
    source_name: str | None = None,
    json: bool = False,
) -> None:
    """Import the calls that another tool recorded, or a table of them.

    Counts and names come along; prompts, answers and keys do not, and ids of
    users only as a keyed hash. Importing a file again, a longer version of it, or
    the same with another map adds what is new and replaces what changed.

    input_tokens is all input, cached included. Tables that count it apart, as
    Anthropic does, need --cached-apart or a sum: --column input_tokens=a+b+c

    Example: lectr-lab import ~/.claude/projects --kind claude-code

    Example: lectr-lab import calls.csv --kind table --columns started_at=time
    input_tokens=prompt_tokens total_ms=latency_s*1000 outcome==ok

    Args:
        source: the exported file, or a folder of them.
        kind: what it is.
        org: the organisation that the calls belong to.
        lab: the lab folder (default: the one lectr.toml names, else ./lab).
        preview: say what was understood and what would be added; write nothing.
        columns: for a table: our column=theirs, =theirs*factor, =a+b, or ==a constant;
            columns with a name that is known are found without.
        id_column: for a table: the column with each row's own id.
        cached_apart: its input counts leave out what a cache gave or took.
        cached_included: its input counts hold what a cache gave or took.
        epoch: for a table whose times are seconds since then, not since 1970.
        at: when calls were made that do not say it, such as a batch's.
        feature: the feature of calls that name none.
        plan: a plan covered these calls, such as a subscription: they are not billed.
        source_name: what the source is called; two exports with ids of their own that
            may be alike need two names (default: its kind).
        json: for other programs: what was read, added, left out and why.
    """
    from lectr_lab.cli.progress import progress
    from lectr_lab.cli.stated_costs import stated_cost_sentence
    from lectr_lab.config.settings import lab_here
    from lectr_lab.log.folder import LabFolder
    from lectr_lab.log.importers.fields import Choices
    from lectr_lab.log.importers.importing import import_log as import_rows
    from lectr_lab.log.importers.importing import preview_log

    if cached_apart and cached_included:
        raise LogError("--cached-apart and --cached-included contradict each other.")
    lab = lab or lab_here(os.environ)
    choices = Choices(
        columns=_map(columns or []),
        epoch=_in_utc(epoch),
        cached="apart" if cached_apart else "included" if cached_included else None,
        id_column=id_column,
        at=_in_utc(at),
        name=source_name,
        feature=feature,
        plan_pays=plan,
    )
    folder, look_or_take = LabFolder(lab), preview_log if preview else import_rows
    with progress("Importing", "rows") as step:
        done = look_or_take(
            source,
            folder,
            kind=kind,
            org=org,
            choices=choices,
            environ=os.environ,
            on_rows=step,
        )
    if json:
        say_json(_whole(done))
        return
    if isinstance(done, Preview):
        say(preview_text(done))
        return
    say(f"Added {done.added:,} of {done.read:,} calls to {lab} as {org}.")
    for sentence in sentences(done):
        say(sentence)
    if done.added or done.replaced:
        differs = stated_cost_sentence(lab, source_name or kind, org)
        if differs is not None:
            say(differs)


def _whole(done: "ImportReport | Preview") -> dict[str, Any]:
    """All that is known of an import, or of what one would do."""
    report = done if isinstance(done, ImportReport) else done.report
    told = {
        name: dict(value) if isinstance(value, Mapping) else value
        for name, value in report._asdict().items()
    }
    if isinstance(done, ImportReport):
        return told
    names = ("operation", "provider", "model")
    return {
        **told,
        "first": done.first,
        "last": done.last,
        "calls": [
            dict(zip(names, kind, strict=True)) | {"calls": n}
            for kind, n in done.kinds.items()
        ],
        "columns": [
            {"column": column, "filled": n, "sum": total, "example": example}
            for column, (n, total, example) in done.columns.items()
        ],
    }


def _in_utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def _map(columns: list[str]) -> dict[str, str]:
    pairs = list(map(_pair, columns))
    for ours, times in Counter(ours for ours, _ in pairs).items():
        if times > 1:
            raise LogError(f"--columns {ours}=… is there {times} times: one is enough.")
    return dict(pairs)


def _pair(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not (ours and equals):
        raise LogError(f"Write --columns our_column=their_column, not {text!r}.")
    return ours, theirs
