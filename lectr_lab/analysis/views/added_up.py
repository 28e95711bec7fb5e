"""Groups added up a batch of rows at a time, in memory that follows how many groups there
are and not how many rows.

A query that groups by something of which there is very much, such as sessions, holds some
kilobytes a group while it runs, and several such queries in one hold them together.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import polars as pl

BATCH_ROWS = 250_000
_CHUNK_ROWS = (
    20_000  # of what waits for a batch: with polars' own, 0.7 GB more of it do
)
_MOST_WAITING = 250_000  # groups of batches that are not added up yet
_PARTS = 16  # of the groups, one of which is added up at a time


class Facts(NamedTuple):
    """What is said of the rows of a group, so that what was said of some of them and of
    others adds up to what is said of all."""

    once: Sequence[pl.Expr]  # of rows
    again: Sequence[pl.Expr]  # of what `once` or `again` gave


_NONE = Facts((), ())


def totals(exprs: Iterable[pl.Expr]) -> Facts:
    """Sums of rows, or counts: named aggregates that are added up as they are."""
    once = list(exprs)
    names = [expr.meta.output_name() for expr in once]
    return Facts(once, [pl.col(name).sum() for name in names])


def totals_or_none(exprs: Iterable[pl.Expr]) -> Facts:
    """Sums of a value, named, that are null where it is null in each row."""
    once = list(exprs)
    names = [expr.meta.output_name() for expr in once]
    return Facts(
        [_or_none(expr).alias(n) for n, expr in zip(names, once, strict=True)],
        [_or_none(pl.col(name)).alias(name) for name in names],
    )


def together(*facts: Facts) -> Facts:
    """All of these."""
    return Facts(
        [expr for some in facts for expr in some.once],
        [expr for some in facts for expr in some.again],
    )


def _or_none(value: pl.Expr) -> pl.Expr:
    return pl.when(value.is_not_null().any()).then(value.sum())


class Groups:
    """Facts of groups, added up as rows come; each batch is forgotten.

    Args:
        keys: what is grouped by.
        facts: what is said of a group; of none, its keys alone are found.

    >>> groups = Groups([pl.col("who")], totals([pl.col("n").sum()]))
    >>> for n in (1, 2):
    ...     groups.add(pl.DataFrame({"who": ["a", "b"], "n": [n, 10 * n]}))
    >>> sorted(groups.added().rows())
    [('a', 3), ('b', 30)]
    """

    def __init__(self, keys: Sequence[pl.Expr], facts: Facts = _NONE) -> None:
        self._keys, self._facts = list(keys), facts
        self._names = [key.meta.output_name() for key in keys]
        self._parts: list[pl.DataFrame] = []
        self._waiting: list[pl.DataFrame] = []
        self._schema, self._most = pl.Schema(), _MOST_WAITING

    def needed(self) -> set[str]:
        """The columns of a log that this looks at."""
        exprs = (*self._keys, *self._facts.once)
        return {name for expr in exprs for name in expr.meta.root_names()}

    def add(self, batch: pl.DataFrame) -> None:
        """Count some more rows."""
        some = batch.group_by(*self._keys).agg(*self._facts.once)
        self._schema = some.schema
        self._waiting.append(self._small(some))
        if sum(some.height for some in self._waiting) > self._most:
            self._add_up()
            n_groups = sum(part.height for part in self._parts)
            self._most = n_groups // 4 + _MOST_WAITING

    def added(self) -> pl.DataFrame:
        """The groups of all rows so far; some were added, if only none."""
        self._add_up()
        return self._wide(self._parts)

    def _add_up(self) -> None:
        """A part of the groups after another, of which none is in two."""
        which = pl.struct(self._names).hash() % _PARTS
        parts = self._parts or [self._waiting[0].clear()] * _PARTS
        for n, part in enumerate(parts):
            more = [some.filter(which == n) for some in self._waiting]
            both = self._wide([part, *more])
            parts[n] = self._small(both.group_by(self._names).agg(*self._facts.again))
        self._parts, self._waiting = parts, []

    def _small(self, some: pl.DataFrame) -> pl.DataFrame:
        """As it is held: sums in as few bytes as they need, and texts of its own, for
        those of polars are views of a batch's, all of which they would keep."""
        sums = (
            some[name].shrink_dtype()
            for name, kind in self._schema.items()
            if kind.is_integer() and name not in self._names
        )
        return some.with_columns(pl.col(pl.String) + "", *sums)

    def _wide(self, some: list[pl.DataFrame]) -> pl.DataFrame:
        """In the types in which sums add up and do not overflow."""
        return pl.concat(some, how="vertical_relaxed").cast(self._schema)


def in_batches(
    log: pl.LazyFrame, needed: Iterable[str], add: Callable[[pl.DataFrame], None]
) -> None:
    """Read some columns of a log once, a batch of rows after another, in no order; the
    first batch has no row.

    >>> seen: list[int] = []
    >>> rows = pl.LazyFrame({"a": [1, 2], "b": [3, 4]})
    >>> in_batches(rows, ["a"], lambda batch: seen.append(batch.height))
    >>> sum(seen)
    2
    """
    some = log.select(sorted(needed))
    add(pl.DataFrame(schema=some.collect_schema()))
    with pl.Config(streaming_chunk_size=_CHUNK_ROWS):
        some.sink_batches(add, chunk_size=BATCH_ROWS, maintain_order=False)
