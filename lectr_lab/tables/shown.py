"""A frame that shows itself: as HTML in a cell, as text in a terminal."""

from typing import NamedTuple

import polars as pl

from lectr_lab.core.formatting import name
from lectr_lab.tables.html import html_table
from lectr_lab.tables.text import text_table


class Table(NamedTuple):
    """A finished frame with its title; `frame` is the data, to go on with."""

    frame: pl.DataFrame
    title: str = ""
    note: str = ""

    def _repr_html_(self) -> str:
        title, shown = self._whose()
        return html_table(shown, title=title, note=self.note)

    def __repr__(self) -> str:
        title, shown = self._whose()
        return "\n".join(part for part in (title, text_table(shown), self.note) if part)

    def _whose(self) -> tuple[str, pl.DataFrame]:
        """One org's name stands in the title, and not in every row."""
        found = self.frame
        if not self.title or "org" not in found.columns or found.width == 1:
            return self.title, found
        orgs = found["org"].unique().to_list()
        if len(orgs) != 1 or orgs[0] is None:
            return self.title, found
        return f"{self.title}, for {name(orgs[0])}", found.drop("org")


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
    >>> lectr.table(pl.DataFrame({"feature": ["a"], "error_rate": [0.031]}))
    feature  error rate
    a             3.1 %
    """
    finished = frame.collect() if isinstance(frame, pl.LazyFrame) else frame
    return Table(finished, title, note)
