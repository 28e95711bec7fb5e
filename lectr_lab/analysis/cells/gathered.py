"""The files of cells that stand for a log, and what of it has none: found out once.

Months are read as one where nothing within them has to be told apart, else by days, and
the days that a time ends in by quarters of an hour. What is not closed is counted here.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.cells.bins import apart
from lectr_lab.analysis.cells.facts import Facts, facts
from lectr_lab.analysis.cells.log_files import LogFiles
from lectr_lab.analysis.cells.sets import File, Kept, scan, together
from lectr_lab.analysis.cells.spans import beside_steps, month_of, months_around
from lectr_lab.analysis.pricing.token_ratio import ratios
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.selection import Period
from lectr_lab.core.formatting import count

NONE: frozenset[date] = frozenset()
_MOST_LEFT_BYTES = 64_000_000  # of parts with a cell a row, in memory


class Wanted(NamedTuple):
    """Which files are read for a question."""

    apart: frozenset[date] | None  # months of which no file is read; None: all
    cut: frozenset[date] | None = None  # months of which days are told apart; None: all
    days: frozenset[date] = NONE  # that an end of a time lies in
    by_feature: bool = False  # these are told apart
    by_week: bool = False  # the weeks of the other months are told apart
    as_whole: bool = False  # nor are the other months


class Found(NamedTuple):
    """Cells, the rows that are in none, and what they were found in."""

    months: list[File]  # bins of whole months
    weeks: list[File]  # the same of `total_ms`, where months are told by weeks
    days: list[File]  # bins of what is in no month
    left: tuple[Path, ...]
    cells: list[pl.LazyFrame]
    rest: list[pl.LazyFrame]
    taught: list[pl.LazyFrame]
    words: str
    few: bool  # some of their features share a name
    alone: frozenset[Path]  # the parts that are in no month


class Gathered:
    """A log's cells, by what is wanted of them.

    Args:
        log: its files, as they were at one moment.
    """

    def __init__(self, log: LogFiles) -> None:
        self._log = log
        self._found: dict[Wanted, Found | None] = {}
        self._open: dict[tuple[Path, ...], list[Facts]] = {}

    def of(self, wanted: Wanted) -> Found | None:
        """The cells of all files; None where there are none, or too few of features."""
        if wanted not in self._found:
            whoever = self._found.get(wanted._replace(by_feature=False))
            all_told = wanted.by_feature and whoever is not None and not whoever.few
            self._found[wanted] = whoever if all_told else self._files(wanted)
        return self._found[wanted]

    def _files(self, wanted: Wanted) -> Found | None:
        """The files that stand for the parts, and what of these is left."""
        apart, cut, _, by_feature, by_week, as_whole = wanted
        parts = self._log.parts
        months = Kept([], [], [], [], list(parts))
        if apart is not None:
            own = [part for part in parts if month_of(part) not in apart]
            months = self._log.months(
                own,
                by_feature=by_feature,
                as_one=lambda month: cut is not None and month not in cut,
                by_week=by_week,
                as_whole=as_whole,
            )
            months.left.extend(part for part in parts if month_of(part) in apart)
        days = self._log.facts(months.left, by_feature=by_feature)
        few = self._log.facts(days.left).sums if by_feature else []
        if not (months.sums or days.sums) or (
            few and self._log.size(days.left) > _MOST_LEFT_BYTES
        ):
            return None
        left = self._counted(tuple(days.left))
        within = self._by_days(months.left, months_around(wanted.days), by_feature)
        if within is None:
            return self.of(wanted._replace(apart=months_around(wanted.days), days=NONE))
        by_day = pl.col("started_at").dt.date().is_in(wanted.days)
        return Found(
            months.bins,
            [*months.weeks],
            days.bins,
            tuple(days.left),
            [
                *([scan(months.sums).filter(~by_day)] if months.sums else []),
                *([scan(within.sums).filter(by_day)] if within.sums else []),
                *([scan(days.sums)] if days.sums else []),
                *(one.sums.lazy() for one in left),
            ],
            [scan(months.rest + days.rest), *(one.rest.lazy() for one in left)],
            [
                scan(months.taught + days.taught),
                *(one.taught.lazy() for one in left),
            ],
            _words(len(months.sums) + months.more, within.sums + days.sums, left),
            months.few or days.few,
            frozenset(months.left),
        )

    def bins(
        self, found: Found, wanted: Wanted, cut: frozenset[date], *, by_week: bool
    ) -> list[pl.LazyFrame] | None:
        """The bins of files that were found: of whole months, but for those of which
        days are told apart; None where not all of these have any.

        Args:
            found: the files.
            wanted: for what they were.
            cut: the days that an end of a time lies in, where months do not begin.
            by_week: those of `total_ms`, by weeks.
        """
        by_days = self._by_days(found.alone, months_around(cut), wanted.by_feature)
        if by_days is None:
            return None
        month = pl.col("at").dt.truncate("1mo").dt.date()
        is_cut = month.is_in({day.replace(day=1) for day in cut})
        months = found.weeks if by_week else found.months
        # A month's bins say in which month, and not on which day, a request began.
        return [
            *([apart(scan(months).filter(~is_cut))] if months else []),
            *([apart(scan(by_days.bins).filter(is_cut))] if by_days.bins else []),
            *([apart(scan(found.days))] if found.days else []),
        ]

    def _by_days(
        self, alone: Collection[Path], months: frozenset[date], by_feature: bool
    ) -> Kept | None:
        """What was counted of each file of some months, but for those that are in no
        whole month; None where there is one of which it was not."""
        beside = set(alone)
        parts = [
            part
            for part in self._log.parts
            if month_of(part) in months and part not in beside
        ]
        if not parts:
            return together([], [])
        kept = self._log.facts(parts, by_feature=by_feature)
        return None if kept.left else kept

    def _counted(self, left: tuple[Path, ...]) -> list[Facts]:
        """The facts of what has no cells yet, a part at a time."""
        if left not in self._open:
            rows = [collected(one) for one in self._log.each(left)]
            tail = [self._log.tail] if self._log.tail.height else []
            self._open[left] = [facts(one) for one in [*rows, *tail]]
        return self._open[left]

    @cached_property
    def ratios(self) -> pl.DataFrame:
        """Tokens per character of each model, learned from the whole log."""
        read = next(filter(None, self._found.values()))  # any has them, of all files
        return collected(ratios(pl.concat(read.taught)))

    def within(self, when: Period, step: timedelta) -> Iterator[pl.LazyFrame]:
        """The rows at the ends of a time that are in no whole step of it."""
        for first, end in beside_steps(when, step):
            yield self._log.between(first, end)


def _words(months: int, days: Sequence[File], left: Sequence[Facts]) -> str:
    """What is read, in a sentence."""
    counted = sum(int(one.sums["rows"].sum()) + one.rest.height for one in left)
    some = {"month": months, "file of a day": len(days)}
    said = [f"{count(n)} {_several(n, what)}" for what, n in some.items() if n]
    said.append(f"{count(counted)} {_several(counted, 'row')}")
    return f"{', '.join(said[:-1])} in cells; {said[-1]}."


def _several(n: int, what: str) -> str:
    head, _, tail = what.partition(" ")
    return what if n == 1 else " ".join(filter(None, [f"{head}s", tail]))
