"""Rows by kind: what many rows have in common is told once, and each says its number.

By a number rows are grouped in a fraction of the time that twenty names take.
"""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.views.percentiles import group_number

_ROW = "_row"


class Kinds(NamedTuple):
    """What rows have in common, each once and in its order, and of which kind each is."""

    names: pl.DataFrame
    of_rows: pl.Series  # Int64, a place in `names`


def kinds(rows: pl.DataFrame, by: Sequence[str]) -> Kinds:
    """The kinds of some rows.

    Args:
        rows: any.
        by: the columns that make a kind, one at least, those first that order it first.

    >>> whose = kinds(pl.DataFrame({"name": ["b", None, "a", "b"]}), ["name"])
    >>> whose.names["name"].to_list(), whose.of_rows.to_list()
    (['a', 'b', None], [1, 2, 0, 1])
    """
    number = rows.lazy().select(group_number([pl.col(name) for name in by], 0))
    of_rows = number.collect()
    of = of_rows.columns[0]
    some = of_rows.lazy().with_row_index(_ROW).group_by(of).agg(pl.col(_ROW).min())
    first = some.collect()
    names = rows.select(by)[first[_ROW]].hstack([first[of]]).sort(by, nulls_last=True)
    places = names.lazy().select(of).with_row_index("kind")
    told = of_rows.lazy().join(places, on=of, how="left", maintain_order="left")
    kind = told.collect(engine="in-memory")["kind"]
    return Kinds(names.drop(of), kind.cast(pl.Int64))
