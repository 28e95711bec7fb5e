"""What a view of a log is read from: cells of facts where they can say it, else rows.

A closed day's part has cells beside the log, which are for ever, and a month of them has
cells by day (`kept`). What is not closed is read as rows, made into cells, and stands
beside them; all are added up by what the view asks, and priced after: a few thousand
cells, however many rows there are. Who asked (session, user, agent) is in no cell, nor
are steps that are no quarters of an hour: then every row is read, as ever.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from lectr_lab.analysis.cells.bins import NAMES as BINNED
from lectr_lab.analysis.cells.bins import bins, row_bins
from lectr_lab.analysis.cells.facts import (
    KEYS,
    NAMES,
    STEP,
    Facts,
    added,
    as_cells,
    facts,
    rest_schema,
)
from lectr_lab.analysis.cells.log_files import LogFiles
from lectr_lab.analysis.cells.sets import File, Kept, scan
from lectr_lab.analysis.cells.spans import (
    DAY,
    QUARTER,
    begins_day,
    begins_month,
    beside_steps,
    days_cut,
    is_days,
    is_months,
    is_quarters,
    month_of,
    months_around,
    whole_steps,
)
from lectr_lab.analysis.lab_rows import counted_log
from lectr_lab.analysis.pricing.answered_once import SETTLED, fetched
from lectr_lab.analysis.pricing.eras import era
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.pricing.priced_cells import priced_cells
from lectr_lab.analysis.pricing.token_ratio import ratios
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.selection import ALL, Period, Selection
from lectr_lab.analysis.views.time_steps import polars_zone, time_step
from lectr_lab.core.formatting import count
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.core.pricing.price_changes import own_change_days

OF_FAILURES = frozenset({"status", "error_type", "error_source"})
"""What a cell says of requests that failed, and of no others."""

GROUPED = frozenset({*NAMES, "model", "day", "hour"}) - OF_FAILURES
"""What a cell says of all its rows."""

_ONLY_IF_ASKED = {"org", "feature", "task", *OF_FAILURES}
_BY_ESTIMATE = {"token_source"}  # on the way to a price
_OF_MAKERS = ("operation", "path", "input_tokens", "provider", "provider_response_id")
_REMEMBERED = 7
_MOST_LEFT_BYTES = 64_000_000  # of parts with a cell a row, in memory


class Asked(NamedTuple):
    """What a view asks of a log, as far as it decides what is read."""

    columns: frozenset[str] = frozenset()
    steps: tuple[str, ...] = ()
    tz: str = "UTC"
    failures: bool = False  # of those alone
    ends: bool = False  # when the first and the last were


class _Read(NamedTuple):
    """Cells, the rows that are in none, and what they were found in."""

    kept: list[File]  # bins
    left: tuple[Path, ...]
    cells: list[pl.LazyFrame]
    rest: list[pl.LazyFrame]
    taught: list[pl.LazyFrame]
    words: str


_NONE: frozenset[date] = frozenset()


class _Files(NamedTuple):
    """Which files are read for a question."""

    apart: frozenset[date] | None  # months of which no file is read; None: all
    cut: frozenset[date] | None = None  # months of which days are told apart; None: all
    days: frozenset[date] = _NONE  # that an end of a time lies in
    by_feature: bool = False  # these are told apart


class Reading:
    """What is known of a log as it was at one moment: each is found out once."""

    def __init__(self, log: LogFiles, prices: PriceList, *, cells: bool) -> None:
        self._log, self._prices, self._cells = log, prices, cells
        self._found: dict[_Files, _Read | None] = {}
        self._open: dict[tuple[Path, ...], list[Facts]] = {}
        self._answers: dict[Any, pl.DataFrame] = {}

    @property
    def files(self) -> LogFiles:
        """What it is read from."""
        return self._log

    def n_rows(self, selected: Selection, rows: pl.LazyFrame) -> int:
        """How many rows were selected, of its stored ones where that can be told."""
        if self._log.is_far or selected != ALL:
            cells = self.weighed(Asked(frozenset(selected.columns)), selected)
            if cells is not None:
                return int(collected(cells.select(pl.col("rows").sum())).item())
        as_stored = not selected.columns & SETTLED
        return n_rows(selected.of(self._log.rows()) if as_stored else rows)

    def weighed(
        self, asked: Asked, selected: Selection, told: list[str] | None = None
    ) -> pl.LazyFrame | None:
        """Priced cells of the part that was selected, that can be grouped as is asked.

        Args:
            asked: the columns that are grouped by, and the steps.
            selected: the part of the log.
            told: takes a sentence on what is read.

        Returns:
            Cells with the columns of `priced_cells`; None where cells cannot say it, or
            there are none.
        """
        if not (self._cells and _can_say(asked, selected)):
            return None
        by_day = all(map(is_days, asked.steps)) and polars_zone(asked.tz) == "UTC"
        by_month = by_day and all(map(is_months, asked.steps))
        files = _Files(
            frozenset() if by_day else None,
            self._months_cut(selected.when) if by_month else None,
            days_cut(selected.when, begins_day),
            _by_feature(asked, selected),
        )
        if (read := self._read(files)) is None:
            return None
        if told is not None:
            told.append(read.words)
        # Where each group has about a cell, adding them up first is the same work twice.
        finest = ("1d" if by_day else STEP) in asked.steps
        if "feature" in asked.columns and finest:
            few = self._wanted(selected, read)
        else:
            few = self._added(asked, selected, read).lazy()
        costs = priced_cells(few, self._prices, self._ratios.lazy())
        estimated = selected.of_columns(_BY_ESTIMATE)._replace(when=Period())
        settled = selected.of(self._settled(read.rest))
        rest = as_cells(settled).select(costs.collect_schema().names())
        return pl.concat([estimated.of(costs), rest])

    def binned(self, asked: Asked, selected: Selection) -> pl.LazyFrame | None:
        """How long the selected requests took, in bins that can be grouped as is asked.

        Returns:
            `duration`, `bin` and `rows`, beside columns of the log that keys are told
            from; None where bins cannot say it.
        """
        days = all(map(is_days, asked.steps)) and polars_zone(asked.tz) == "UTC"
        names = {*BINNED, "day"}
        can_say = asked.columns <= names and selected.columns <= names - {"day"}
        if not (self._cells and days and can_say):
            return None
        # A month's bins are those of all its days, and a day's are many.
        by_month = all(map(is_months, asked.steps))
        apart = _months_at(selected.when) if by_month else None
        read = self._read(_Files(apart, by_feature=_by_feature(asked, selected)))
        if read is None:
            return None
        whole = selected._replace(when=whole_steps(selected.when, DAY))
        names_alone = selected._replace(when=Period())
        parts = [bins(_stored(one)) for one in self._log.each(read.left)]
        parts.append(bins(_stored(self._log.tail.lazy())))
        kept = [scan(read.kept), *(one.lazy() for one in parts)]
        edges = [bins(_stored(rows)) for rows in self._within(selected.when, DAY)]
        fetched_later = pl.col("provider_response_id").is_not_null()
        again = selected.of(self._settled(read.rest)).filter(fetched_later)
        apart_of_days = [*edges, row_bins(collected(again))]
        return pl.concat(
            [
                whole.of(_as_rows(pl.concat(kept))),
                *(names_alone.of(_as_rows(one.lazy())) for one in apart_of_days),
            ]
        )

    def _wanted(self, selected: Selection, read: _Read) -> pl.LazyFrame:
        """The cells that were selected."""
        asis = selected.of_columns(selected.columns - _BY_ESTIMATE)
        whole = asis._replace(when=whole_steps(selected.when, QUARTER))
        names = asis._replace(when=Period())
        edges = [
            names.of(facts(collected(rows)).sums.lazy())
            for rows in self._within(selected.when, QUARTER)
        ]
        return pl.concat([whole.of(pl.concat(read.cells)), *edges])

    def _added(self, asked: Asked, selected: Selection, read: _Read) -> pl.DataFrame:
        """The same, added up by what is asked and prices go by."""
        keys = tuple(
            name for name in KEYS if name not in _ONLY_IF_ASKED - asked.columns
        )
        question = (keys, asked.steps, asked.tz, repr(selected))
        if question not in self._answers:
            cells = self._wanted(selected, read)
            found = collected(added(cells, keys=keys, at=self._place(asked)))
            self._answers = dict(list(self._answers.items())[-_REMEMBERED:])
            self._answers[question] = found
        return self._answers[question]

    def _months_cut(self, when: Period) -> frozenset[date]:
        """Months of which days have to be told apart, though nobody asks for them."""
        days = {day for day in own_change_days(self._prices) if day.day != 1}
        return _months_at(when) | months_around(frozenset(days))

    def _read(self, wanted: "_Files") -> _Read | None:
        """The cells of all files; None where there are none, or too few of features."""
        if wanted not in self._found:
            self._found[wanted] = self._files(wanted)
        return self._found[wanted]

    def _files(self, wanted: "_Files") -> _Read | None:
        """The files that stand for the parts, and what of these is left."""
        apart, cut, _, by_feature = wanted
        parts = self._log.parts
        months = Kept([], [], [], [], list(parts))
        if apart is not None:
            own = [part for part in parts if month_of(part) not in apart]
            months = self._log.months(
                own,
                by_feature=by_feature,
                as_one=lambda month: cut is not None and month not in cut,
            )
            months.left.extend(part for part in parts if month_of(part) in apart)
        days = self._log.facts(months.left, by_feature=by_feature)
        few = self._log.facts(days.left).sums if by_feature else []
        if not (months.sums or days.sums) or (
            few and self._log.size(days.left) > _MOST_LEFT_BYTES
        ):
            return None
        left = self._counted(tuple(days.left))
        within = self._within_days(months, wanted)
        if within is None:
            return self._read(
                wanted._replace(apart=months_around(wanted.days), days=_NONE)
            )
        by_day = pl.col("started_at").dt.date().is_in(wanted.days)
        return _Read(
            months.bins + days.bins,
            tuple(days.left),
            [
                *([scan(months.sums).filter(~by_day)] if months.sums else []),
                *([scan(within).filter(by_day)] if within else []),
                *([scan(days.sums)] if days.sums else []),
                *(one.sums.lazy() for one in left),
            ],
            [scan(months.rest + days.rest), *(one.rest.lazy() for one in left)],
            [
                scan(months.taught + days.taught),
                *(one.taught.lazy() for one in left),
            ],
            _words(months.sums, within + days.sums, left),
        )

    def _within_days(self, months: Kept, wanted: "_Files") -> list[File] | None:
        """The cells by quarters of an hour of months of which a day has to be told
        apart; None where there are none."""
        some, left = months_around(wanted.days), set(months.left)
        parts = [
            part
            for part in self._log.parts
            if month_of(part) in some and part not in left
        ]
        found = self._log.facts(parts, by_feature=wanted.by_feature) if parts else None
        if found is None:
            return []
        return None if found.left else found.sums

    def _counted(self, left: tuple[Path, ...]) -> list[Facts]:
        """The facts of what has no cells yet, a part at a time."""
        if left not in self._open:
            rows = [collected(one) for one in self._log.each(left)]
            tail = [self._log.tail] if self._log.tail.height else []
            self._open[left] = [facts(one) for one in [*rows, *tail]]
        return self._open[left]

    @cached_property
    def _ratios(self) -> pl.DataFrame:
        """Tokens per character of each model, learned from the whole log."""
        read = next(filter(None, self._found.values()))  # any has them, of all files
        return collected(ratios(pl.concat(read.taught)))

    def _settled(self, rest: list[pl.LazyFrame]) -> pl.LazyFrame:
        """Rows that are in no cell, priced: a response that was fetched counts once."""
        stay = pl.concat(rest)
        makers = pl.LazyFrame(schema={n: rest_schema()[n] for n in _OF_MAKERS})
        if collected(stay.filter(fetched()).select("org").head(1)).height:
            makers = self._log.rows().select(_OF_MAKERS)
        told = counted_log(stay, makers=makers, per_model=self._ratios.lazy())
        return priced(told, self._prices)

    def _within(self, when: Period, step: timedelta) -> Iterator[pl.LazyFrame]:
        """The rows at the ends of a time that are in no whole step of it."""
        for first, end in beside_steps(when, step):
            yield self._log.between(first, end)

    def _place(self, asked: Asked) -> pl.Expr:
        """A moment in the same step, at the same prices, as all that are added up."""
        at = pl.col("started_at")
        steps = [
            time_step(at, step, asked.tz).dt.convert_time_zone("UTC")
            for step in asked.steps
        ]
        return pl.max_horizontal(era(self._prices), *steps)


def _months_at(when: Period) -> frozenset[date]:
    """Months of which an end of a time takes a part."""
    return months_around(days_cut(when, begins_month))


def _by_feature(asked: Asked, selected: Selection) -> bool:
    return "feature" in asked.columns | selected.columns


def _stored(rows: pl.LazyFrame) -> pl.DataFrame:
    return collected(rows.select([*rest_schema()]))


def _as_rows(counted: pl.LazyFrame) -> pl.LazyFrame:
    """Bins with the columns of a log that keys and names are told from."""
    none = pl.lit(None, pl.String)
    as_rows = counted.rename({"at": "started_at", "model": "model_actual"})
    return as_rows.with_columns(model_sent=none, model_requested=none)


def n_rows(log: pl.LazyFrame) -> int:
    """How many rows there are."""
    return int(collected(log.select(pl.len())).item())


def _can_say(asked: Asked, selected: Selection) -> bool:
    """Cells know what is asked."""
    known = GROUPED | OF_FAILURES if asked.failures else GROUPED
    names = asked.columns <= known and selected.columns <= GROUPED - {"day", "hour"}
    if asked.ends:  # a cell says them of a feature's whole day
        whole = whole_steps(selected.when, DAY) == selected.when
        names &= selected.columns <= {"org", "feature"} and whole
    return names and all(map(is_quarters, asked.steps))


def _words(months: Sequence[File], days: Sequence[File], left: Sequence[Facts]) -> str:
    """What is read, in a sentence."""
    counted = sum(int(one.sums["rows"].sum()) + one.rest.height for one in left)
    some = {"month": len(months), "file of a day": len(days)}
    said = [f"{count(n)} {_several(n, what)}" for what, n in some.items() if n]
    said.append(f"{count(counted)} {_several(counted, 'row')}")
    return f"{', '.join(said[:-1])} in cells; {said[-1]}."


def _several(n: int, what: str) -> str:
    head, _, tail = what.partition(" ")
    return what if n == 1 else " ".join(filter(None, [f"{head}s", tail]))
