"""A frame that shows itself: as HTML in a cell, as text in a terminal."""

from typing import NamedTuple

import polars as pl

from lectr_lab.tables.html import html_table
from lectr_lab.tables.text import text_table


class Table(NamedTuple):
    """A finished frame with its title; `frame` is the data, to go on with."""

    frame: pl.DataFrame
    title: str = ""
    note: str = ""

    def _repr_html_(self) -> str:
        return html_table(self.frame, title=self.title, note=self.note)

    def __repr__(self) -> str:
        said = [self.title, text_table(self.frame), self.note]
        return "\n".join(part for part in said if part)


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
