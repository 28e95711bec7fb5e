"""`lectr-lab report --compare`: what changed between two spans, and what made it."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lectr_lab.cli.busy import busy
from lectr_lab.cli.csv_text import csv_text
from lectr_lab.cli.markdown import markdown_table, plain
from lectr_lab.cli.say import say, say_json
from lectr_lab.cli.width import wide_console

if TYPE_CHECKING:
    from lectr_lab.analysis.compare.result import Comparison
    from lectr_lab.analysis.log import AnyLog


def print_comparison(
    log: "AnyLog",
    before: str,
    after: str | tuple[str, str] | None,
    by: list[str],
    format: Literal["table", "json", "csv", "md"],
    *,
    tz: str,
    lab: Path | str,
) -> None:
    """Compare two spans of a log, and print what changed.

    Raises:
        LabError: a column that the log does not have, or words that are no span.
    """
    from rich.console import Console

    from lectr_lab.analysis.compare import compare
    from lectr_lab.analysis.scan import own_prices

    with busy(Console(stderr=True)):
        found = compare(log, before, after, by=by, tz=tz, prices=own_prices(lab))
    if format == "json":
        say_json(found.to_dict())
    elif format == "csv":
        print(csv_text(found.frame()))
    elif format == "md":
        print(as_markdown(found))
    else:
        say(found.text(wide_console().width))


def as_markdown(found: "Comparison") -> str:
    """A table of Markdown, and the sentences below it."""
    table = markdown_table(found.shown())
    return "\n\n".join([table, plain("\n".join([found.in_short(), *found.notes]))])
