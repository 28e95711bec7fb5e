"""What a view of a log is read from: cells of facts where they can say it, else rows.

A closed day's part has cells beside the log, which are for ever, and a month of them has
cells by day (`kept`). What is not closed is read as rows, made into cells, and stands
beside them; all are added up by what the view asks, and priced after: a few thousand
cells, however many rows there are. Who asked (session, user, agent) is in no cell, nor
are steps that are no quarters of an hour: then every row is read, as ever.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
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
from lectr_lab.analysis.lab_rows import counted_log
from lectr_lab.analysis.pricing.answered_once import SETTLED, fetched
from lectr_lab.analysis.pricing.eras import era
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.pricing.priced_cells import priced_cells
from lectr_lab.analysis.pricing.token_ratio import ratios
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.selection import Period, Selection
from lectr_lab.analysis.views.time_steps import clock_seconds, polars_zone, time_step
from lectr_lab.core.formatting import count
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.core.pricing.price_changes import own_change_days
from lectr_lab.log.folder import folder_date

OF_FAILURES = frozenset({"status", "error_type", "error_source"})
"""What a cell says of requests that failed, and of no others."""

GROUPED = frozenset({*NAMES, "model", "day", "hour"}) - OF_FAILURES
"""What a cell says of all its rows."""

_ONLY_IF_ASKED = {"org", "feature", "task", *OF_FAILURES}
_BY_ESTIMATE = {"token_source"}  # on the way to a price
_OF_MAKERS = ("operation", "path", "input_tokens", "provider", "provider_response_id")
_MONTHS = re.compile(r"\d+(mo|q|y)")
_REMEMBERED = 7
_MOST_LEFT_BYTES = 64_000_000  # of parts with a cell a row, in memory
_QUARTER, _DAY = timedelta(minutes=15), timedelta(days=1)


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


class Reading:
    """What is known of a log as it was at one moment: each is found out once."""

    def __init__(self, log: LogFiles, prices: PriceList, *, cells: bool) -> None:
        self._log, self._prices, self._cells = log, prices, cells
        self._found: dict[tuple[Any, ...], _Read | None] = {}
        self._open: dict[tuple[Path, ...], list[Facts]] = {}
        self._answers: dict[Any, pl.DataFrame] = {}

    @property
    def files(self) -> LogFiles:
        """What it is read from."""
        return self._log

    def n_rows(self, selected: Selection, rows: pl.LazyFrame) -> int:
        """How many rows were selected, of its stored ones where that can be told."""
        if self._log.is_far:
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
        by_day = all(map(_is_days, asked.steps)) and polars_zone(asked.tz) == "UTC"
        apart = _months_apart(selected.when, _begins_day) if by_day else None
        by_month = by_day and all(map(_is_months, asked.steps))
        by_feature = _by_feature(asked, selected)
        cut = self._months_cut(selected.when) if by_month else None
        if (
            not (self._cells and _can_say(asked, selected))
            or (read := self._read(apart, by_feature, cut)) is None
        ):
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
        days = all(map(_is_days, asked.steps)) and polars_zone(asked.tz) == "UTC"
        names = {*BINNED, "day"}
        can_say = asked.columns <= names and selected.columns <= names - {"day"}
        if not (self._cells and days and can_say):
            return None
        # A month's bins are those of all its days, and a day's are many.
        by_month = all(map(_is_months, asked.steps))
        apart = _months_apart(selected.when, _begins_month) if by_month else None
        read = self._read(apart, _by_feature(asked, selected))
        if read is None:
            return None
        whole = selected._replace(when=_cut(selected.when, _DAY))
        names_alone = selected._replace(when=Period())
        parts = [bins(_stored(one)) for one in self._log.each(read.left)]
        parts.append(bins(_stored(self._log.tail.lazy())))
        kept = [scan(read.kept), *(one.lazy() for one in parts)]
        edges = [bins(_stored(rows)) for rows in self._within(selected.when, _DAY)]
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
        whole = asis._replace(when=_cut(selected.when, _QUARTER))
        names = asis._replace(when=Period())
        edges = [
            names.of(facts(collected(rows)).sums.lazy())
            for rows in self._within(selected.when, _QUARTER)
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
        days = own_change_days(self._prices)
        own = {day.replace(day=1) for day in days if day.day != 1}
        return _months_apart(when, _begins_month) | own

    def _read(
        self,
        apart: frozenset[date] | None,
        by_feature: bool = False,
        cut: frozenset[date] | None = None,
    ) -> _Read | None:
        """The cells of all files.

        Args:
            apart: months of which no whole days are read; None: all.
            by_feature: features are told apart.
            cut: months of which days are told apart; None: all.
        """
        question = apart, by_feature, cut
        if question not in self._found:
            self._found[question] = self._files(*question)
        return self._found[question]

    def _files(
        self,
        apart: frozenset[date] | None,
        by_feature: bool,
        cut: frozenset[date] | None,
    ) -> _Read | None:
        """The files that stand for the parts, and what of these is left."""
        parts = self._log.parts
        months = Kept([], [], [], [], list(parts))
        if apart is not None:
            own = [part for part in parts if _month_of(part) not in apart]
            months = self._log.months(
                own,
                by_feature=by_feature,
                as_one=lambda month: cut is not None and month not in cut,
            )
            months.left.extend(part for part in parts if _month_of(part) in apart)
        days = self._log.facts(months.left, by_feature=by_feature)
        sums, rest = months.sums + days.sums, months.rest + days.rest
        few = self._log.facts(days.left).sums if by_feature else []
        if not sums or (few and self._log.size(days.left) > _MOST_LEFT_BYTES):
            return None
        left = self._counted(tuple(days.left))
        return _Read(
            months.bins + days.bins,
            tuple(days.left),
            [scan(sums), *(one.sums.lazy() for one in left)],
            [scan(rest), *(one.rest.lazy() for one in left)],
            [
                scan(months.taught + days.taught),
                *(one.taught.lazy() for one in left),
            ],
            _words(months.sums, days.sums, left),
        )

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
        for first, end in _ends(when, step):
            yield self._log.between(first, end)

    def _place(self, asked: Asked) -> pl.Expr:
        """A moment in the same step, at the same prices, as all that are added up."""
        at = pl.col("started_at")
        steps = [
            time_step(at, step, asked.tz).dt.convert_time_zone("UTC")
            for step in asked.steps
        ]
        return pl.max_horizontal(era(self._prices), *steps)


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
        whole = _cut(selected.when, _DAY) == selected.when
        names &= selected.columns <= {"org", "feature"} and whole
    return names and all(map(_is_quarters, asked.steps))


def _is_quarters(step: str) -> bool:
    return clock_seconds(step) % _QUARTER.total_seconds() == 0


def _is_days(step: str) -> bool:
    return clock_seconds(step) % _DAY.total_seconds() == 0


def _is_months(step: str) -> bool:
    return _MONTHS.fullmatch(step) is not None


def _begins_day(at: datetime) -> bool:
    return _since(at) % _DAY == timedelta()


def _begins_month(at: datetime) -> bool:
    return _begins_day(at) and at.astimezone(UTC).day == 1


def _months_apart(when: Period, begins: Callable[[datetime], bool]) -> frozenset[date]:
    """Months of which an end of a time takes a part; and the next, whose files have what
    was written late."""
    found = set()
    for end in when:
        if end is not None and not begins(end):
            month = end.astimezone(UTC).date().replace(day=1)
            found |= {month, (month + 31 * _DAY).replace(day=1)}
    return frozenset(found)


def _month_of(part: Path) -> date | None:
    day = folder_date(part.parent)
    return None if day is None else day.replace(day=1)


def _cut(when: Period, step: timedelta) -> Period:
    """The whole steps within a time."""
    first, end = when
    begins = None if first is None else -(-_since(first) // step) * step
    ends = None if end is None else _since(end) // step * step
    return Period(
        None if begins is None else _EPOCH + begins,
        None if ends is None else _EPOCH + ends,
    )


def _ends(when: Period, step: timedelta) -> list[tuple[datetime, datetime]]:
    """What of a time is in no whole step of it."""
    (first, end), (begins, ends) = when, _cut(when, step)
    if begins and ends and begins > ends:
        assert first and end
        return [(first, end)] if first < end else []
    found = []
    if first and begins and first < begins:
        found.append((first, begins))
    if end and ends and ends < end:
        found.append((ends, end))
    return found


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _since(at: datetime) -> timedelta:
    return at - _EPOCH


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
