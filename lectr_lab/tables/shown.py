"""A frame that shows itself: as HTML in a cell, as text in a terminal."""

import sys
from shutil import get_terminal_size
from typing import NamedTuple

import polars as pl

from lectr_lab.tables.arranged import (
    by_weight,
    is_upright,
    said_once,
    upright,
    without_dashes,
)
from lectr_lab.tables.columns import MOST_ROWS, written
from lectr_lab.tables.html import html_table
from lectr_lab.tables.text import aligned, text_table


class Table(NamedTuple):
    """A finished frame with its title; `frame` is the data, to go on with."""

    frame: pl.DataFrame
    title: str = ""
    note: str = ""
    rows: int | None = None  # how many there are, where `frame` has the first of them
    text_rows: int = MOST_ROWS  # in a terminal

    def _repr_html_(self) -> str:
        title, shown, said = self._whose()
        notes = [*self.note.split("\n"), said]
        return html_table(
            shown,
            title=title,
            note=notes,
            script=True,
            exact=self.frame,
            rows=self.rows,
        )

    def __repr__(self) -> str:
        title, shown, said = self._whose()
        kept, left_out = without_dashes(written(shown.head(self.text_rows)))
        names = [column.name for column in kept]
        total = shown.height if self.rows is None else self.rows
        width = get_terminal_size().columns if sys.stdout.isatty() else None
        if is_upright(kept, shown.height):
            body = aligned(upright(kept), width)
        else:
            body = text_table(shown, width=width, most_rows=self.text_rows, only=names)
        if total > shown.height and shown.height <= self.text_rows:
            body += f"\n… and {total - shown.height:,} more"
        return "\n".join(
            part for part in (title, body, self.note, said, left_out) if part
        )

    def _whose(self) -> tuple[str, pl.DataFrame, str]:
        """The title, what is shown, and what all rows have alike.

        One org's name stands in the title, or below, and not in every row.
        """
        shown, same = said_once(by_weight(self.frame))
        title = self.title
        if title and "org" in same:
            title += f", for {same.pop('org')}"
        alike = ", ".join(f"{key} {value}" for key, value in same.items())
        return title, shown, f"In every row: {alike}." if alike else ""


def table(
    frame: pl.DataFrame | pl.LazyFrame, title: str = "", *, note: str = ""
) -> Table:
    """A view of the log as a table that people can read, with units and intervals.

    Args:
        frame: what `spend`, `latency`, `errors` or `tokens` gives, or any other frame
            whose column names say their units.
        title: what it shows.
        note: a sentence below it.

    Returns:
        Something to end a cell with; `.frame` has the data.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> lectr.table(lectr.errors(log).head(2), "Failed requests")
    Failed requests, for made-up-data
    feature         requests  errors            error rate  client disconnects  retries
    coding-agent         714      65   9.1 % [7.2 %, 11 %]                   8       77
    search-answers     2,000      80  4.0 % [3.2 %, 5.0 %]                   0       19
    """
    finished = frame.collect() if isinstance(frame, pl.LazyFrame) else frame
    return Table(finished, title, note)
