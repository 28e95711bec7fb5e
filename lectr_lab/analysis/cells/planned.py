"""What a view of a log is read from: cells of facts where they can say it, else rows.

A closed day's part has cells beside the log, which are for ever, and a month of them has
cells by day (`kept`). What is not closed is read as rows, made into cells, and stands
beside them; all are added up by what the view asks, and priced after: a few thousand
cells, however many rows there are. Who asked (session, user, agent) is in no cell, nor
are steps that are no quarters of an hour: then every row is read, as ever.
"""

from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import polars as pl

from lectr_lab.analysis.cells.asked import OF_FAILURES, Asked, can_say
from lectr_lab.analysis.cells.bins import NAMES as BINNED
from lectr_lab.analysis.cells.bins import bins, row_bins, upper_of_two
from lectr_lab.analysis.cells.facts import (
    KEYS,
    STEP,
    added,
    as_cells,
    facts,
    may_be_settled,
    rest_schema,
)
from lectr_lab.analysis.cells.gathered import NONE, Found, Gathered, Wanted
from lectr_lab.analysis.cells.log_files import LogFiles
from lectr_lab.analysis.cells.newest import (
    Newest,
    counts,
    counts_at_end,
    newest_end,
)
from lectr_lab.analysis.cells.spans import (
    DAY,
    QUARTER,
    begins_day,
    begins_month,
    days_cut,
    is_hours,
    is_months,
    is_weeks,
    months_around,
    whole_steps,
)
from lectr_lab.analysis.lab_rows import counted_log
from lectr_lab.analysis.pricing.answered_once import SETTLED, fetched
from lectr_lab.analysis.pricing.eras import era
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.pricing.priced_cells import costed, with_estimates
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.selection import Period, Selection
from lectr_lab.analysis.views.time_steps import has_whole_hours, time_step
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.core.pricing.price_changes import own_change_days

_ONLY_IF_ASKED = {"org", "feature", "task", *OF_FAILURES}
_BY_ESTIMATE = {"token_source"}  # on the way to a price
_OF_MAKERS = ("operation", "path", "input_tokens", "provider", "provider_response_id")
_REMEMBERED = 7
_MOST_HELD = 10_000  # rows, of a few hundred bytes each
_NEVER = datetime(9999, 12, 31, tzinfo=UTC)


_BY_DAY = Asked(frozenset({"feature"}), ("1d",))  # as cells are kept: none is added up


class Apart(NamedTuple):
    """A log as cells, which `costed` prices, and the rows that are in none, priced."""

    cells: pl.LazyFrame
    rows: pl.LazyFrame  # `rest_schema`, and what `counted_log` and `priced` add


class Reading:
    """What is known of a log as it was at one moment: each is found out once."""

    def __init__(self, log: LogFiles, prices: PriceList, *, cells: bool) -> None:
        self._log, self._prices, self._cells = log, prices, cells
        self._gathered = Gathered(log)
        self._answers: dict[Any, pl.DataFrame] = {}
        self._cut: dict[Period, list[pl.DataFrame]] = {}
        self._newest: dict[Any, Newest] = {}
        self._settled: list[tuple[Found, pl.LazyFrame]] = []

    @property
    def files(self) -> LogFiles:
        """What it is read from."""
        return self._log

    def n_rows(self, selected: Selection, rows: pl.LazyFrame) -> int:
        """How many rows were selected, of its stored ones where that can be told."""
        columns = frozenset(selected.columns)
        read = self._for(Asked(columns), selected, None)
        if read is not None and not columns & (_BY_ESTIMATE | SETTLED):
            cells = self._wanted(selected, read).select(pl.col("rows").sum())
            rest = n_rows(selected.of(pl.concat(read.rest)))
            return int(collected(cells).item()) + rest
        return n_rows(self.stored(selected, rows))

    def stored(self, selected: Selection, rows: pl.LazyFrame) -> pl.LazyFrame:
        """The selected rows as they are stored, where that can be told: for questions
        that what is made of rows does not change."""
        as_stored = not selected.columns & SETTLED
        return selected.of(self._log.rows()) if as_stored else rows

    def newest(self, most: int, selected: Selection, rows: pl.LazyFrame) -> Newest:
        """The selected rows of the newest whole days, or hours, so many at most, with
        their costs: as of the whole log, of which as little as can be is read."""
        question = (most, repr(selected))
        if question not in self._newest:
            self._newest = {question: self._found_newest(most, selected, rows)}
        return self._newest[question]

    def _found_newest(
        self, most: int, selected: Selection, rows: pl.LazyFrame
    ) -> Newest:
        at = pl.col("started_at")

        def since(first: datetime) -> pl.LazyFrame:
            if selected.columns & SETTLED:
                return rows.filter(at >= first)
            return selected.of(self._log.between(first, _NEVER))

        end = newest_end(
            self._per_day(most, selected, rows),
            lambda step, begin: counts(since(begin), step),
            most,
        )
        if end.first is None:
            return Newest(rows, *end)
        read = self._gathered.of(Wanted(NONE)) if self._cells else None
        if read is None:
            return Newest(rows.filter(at >= end.first), *end)
        return Newest(selected.of(self._since(end.first, read)), *end)

    def _per_day(
        self, most: int, selected: Selection, rows: pl.LazyFrame
    ) -> pl.DataFrame:
        """How many selected rows the days have, those at the end at least."""
        found = self.apart(_BY_DAY, selected)
        if found is not None:
            of_cells = counts(found.cells, "1d", pl.col("rows"))
            return pl.concat([of_cells, counts(found.rows, "1d")])
        if selected.columns & SETTLED:
            return counts(rows, "1d")
        return counts_at_end(self._log, selected, most)

    def _since(self, first: datetime, read: Found) -> pl.LazyFrame:
        """The rows from a moment on, with what each costs as the whole log tells it."""
        at, some = pl.col("started_at"), self._log.between(first, _NEVER)
        settled = some.filter(may_be_settled())
        ids = collected(settled.select("provider_response_id").unique())
        if ids.height:  # of these responses, an older row may be the one that counts
            older = pl.concat(read.rest).filter(at < first)
            same = older.join(ids.lazy(), on="provider_response_id", how="semi")
            some = pl.concat([some, same], how="diagonal")
        return self._priced(some, self._gathered.ratios).filter(at >= first)

    def weighed(
        self, asked: Asked, selected: Selection, told: list[str] | None = None
    ) -> pl.LazyFrame | None:
        """Priced cells of the part that was selected, that can be grouped as is asked.

        Args:
            asked: the columns that are grouped by, and the steps.
            selected: the part of the log.
            told: takes a sentence on what is read.

        Returns:
            Cells with the columns of `costed`; None where cells cannot say it, or
            there are none.
        """
        found = self.apart(asked, selected, told)
        if found is None:
            return None
        costs = costed(found.cells, self._prices)
        rest = as_cells(found.rows).select(costs.collect_schema().names())
        return pl.concat([costs, rest])

    def apart(
        self, asked: Asked, selected: Selection, told: list[str] | None = None
    ) -> Apart | None:
        """The same before it is priced, and the rows that are in no cell as rows."""
        read = self._for(asked, selected, told)
        if read is None:
            return None
        # Where cells are few, or each group has about one, adding them up first is the
        # same work twice.
        wanted = self._files_for(asked, selected)
        finest = ("1w" if wanted.by_week else "1d") if asked.is_by_day else STEP
        few = wanted.as_whole and not read.days
        if few or (finest in asked.steps and "feature" in asked.columns):
            cells = self._wanted(selected, read)
        else:
            cells = self._added(asked, selected, read).lazy()
        estimated = selected.of_columns(_BY_ESTIMATE)._replace(when=Period())
        told_cells = with_estimates(cells, self._gathered.ratios)
        return Apart(estimated.of(told_cells), selected.of(self._rest(read)))

    def _for(
        self, asked: Asked, selected: Selection, told: list[str] | None
    ) -> Found | None:
        """The cells that can say what is asked."""
        if not (self._cells and can_say(asked, selected)):
            return None
        read = self._gathered.of(self._files_for(asked, selected))
        if read is not None and told is not None:
            told.append(read.words)
        return read

    def _files_for(self, asked: Asked, selected: Selection) -> Wanted:
        """Those in which no more is told apart than is asked."""
        by_day = asked.is_by_day
        by_month = by_day and all(map(is_months, asked.steps))
        by_week = by_day and not by_month and all(map(is_weeks, asked.steps))
        at_any_time = selected.when == Period() and not own_change_days(self._prices)
        return Wanted(
            NONE if by_day else None,
            self._months_cut(selected.when) if by_month or by_week else None,
            days_cut(selected.when, begins_day),
            "feature" in asked.columns | selected.columns,
            by_week,
            at_any_time and asked.is_at_any_time,
        )

    def binned(self, asked: Asked, selected: Selection) -> pl.LazyFrame | None:
        """How long the selected requests took, in bins that can be grouped as is asked.

        Returns:
            `duration`, `bin` and `rows`, beside columns of the log that keys are told
            from; None where bins cannot say it.
        """
        names, by_step = {*BINNED, "day"}, asked.is_by_day
        if asked.total:
            names.remove("task")
            by_step = all(map(is_hours, asked.steps)) and has_whole_hours(asked.tz)
        can_say = asked.columns <= names and selected.columns <= names - {"day"}
        if not (self._cells and by_step and can_say):
            return None
        by_month = asked.is_by_day and all(map(is_months, asked.steps))
        by_week = asked.total and asked.is_by_day and all(map(is_weeks, asked.steps))
        by_week &= bool(asked.steps) and not self._log.is_far
        wanted, cut = (
            Wanted(None, by_feature="feature" in asked.columns | selected.columns),
            NONE,
        )
        if by_month or by_week:
            wanted = self._files_for(asked, selected)
            cut = days_cut(selected.when, begins_month)
        read = self._gathered.of(wanted)
        kept = read and self._gathered.bins(read, wanted, cut, by_week=by_week)
        if read is None or kept is None:
            return None
        whole = selected._replace(when=whole_steps(selected.when, DAY))
        names_alone = selected._replace(when=Period())
        parts = [bins(_stored(one)) for one in self._log.each(read.left)]
        parts.append(bins(_stored(self._log.tail.lazy())))
        of_files = [*kept, *(one.lazy() for one in parts)]
        edges = [
            bins(_stored(rows)) for rows in self._gathered.within(selected.when, DAY)
        ]
        fetched_later = pl.col("provider_response_id").is_not_null()
        again = selected.of(self._rest(read)).filter(fetched_later)
        apart_of_days = [*edges, row_bins(collected(again))]
        found = pl.concat(
            [
                whole.of(_as_rows(pl.concat(of_files))),
                *(names_alone.of(_as_rows(one.lazy())) for one in apart_of_days),
            ]
        )
        if asked.total:
            return found.filter(pl.col("duration") == 0).with_columns(upper_of_two())
        return found

    def day_ends(self, selected: Selection) -> pl.DataFrame | None:
        """When the first and the last selected row of each day (UTC) began: `day`,
        `first`, `last`; None where cells cannot say it."""
        question = ("ends", repr(selected))
        if question not in self._answers:
            found = self._found_day_ends(selected)
            if found is None:
                return None
            self._remember(question, found)
        return self._answers[question]

    def _found_day_ends(self, selected: Selection) -> pl.DataFrame | None:
        read = self._for(Asked(steps=("1d",), ends=True), selected, None)
        if read is None:
            return None
        at = pl.col("started_at")
        rest = pl.concat(read.rest).with_columns(first_at=at, last_at=at)
        both = [
            selected.of(some).select(pl.col(name).drop_nulls().alias(of))
            for some in (pl.concat(read.cells), rest)
            for name, of in (("first_at", "first"), ("last_at", "last"))
        ]
        firsts, lasts = pl.concat(both[::2]), pl.concat(both[1::2])
        first = firsts.group_by(day=pl.col("first").dt.date()).agg(
            pl.col("first").min()
        )
        last = lasts.group_by(day=pl.col("last").dt.date()).agg(pl.col("last").max())
        return collected(first.join(last, on="day").sort("day"))

    def _wanted(self, selected: Selection, read: Found) -> pl.LazyFrame:
        """The cells that were selected."""
        asis = selected.of_columns(selected.columns - _BY_ESTIMATE)
        whole = asis._replace(when=whole_steps(selected.when, QUARTER))
        names = asis._replace(when=Period())
        edges = [names.of(one.lazy()) for one in self._edges(selected.when)]
        return pl.concat([whole.of(pl.concat(read.cells)), *edges])

    def _edges(self, when: Period) -> list[pl.DataFrame]:
        """The cells of what of a time is in no whole quarter of an hour."""
        if when not in self._cut:
            beside = self._gathered.within(when, QUARTER)
            self._cut = {when: [facts(collected(rows)).sums for rows in beside]}
        return self._cut[when]

    def _added(self, asked: Asked, selected: Selection, read: Found) -> pl.DataFrame:
        """The same, added up by what is asked and prices go by."""
        keys = tuple(
            name for name in KEYS if name not in _ONLY_IF_ASKED - asked.columns
        )
        question = (keys, asked.steps, asked.tz, repr(selected))
        if question not in self._answers:
            cells = self._wanted(selected, read)
            found = collected(added(cells, keys=keys, at=self._place(asked)))
            self._remember(question, found)
        return self._answers[question]

    def _remember(self, question: Any, found: pl.DataFrame) -> None:
        self._answers = dict(list(self._answers.items())[-_REMEMBERED:])
        self._answers[question] = found

    def _months_cut(self, when: Period) -> frozenset[date]:
        """Months of which days have to be told apart, though nobody asks for them."""
        days = {day for day in own_change_days(self._prices) if day.day != 1}
        return _months_at(when) | months_around(frozenset(days))

    def _rest(self, read: Found) -> pl.LazyFrame:
        """Rows that are in no cell, priced: a response that was fetched counts once. For
        all questions together, where they are few."""
        known = next((rows for of, rows in self._settled if of is read), None)
        if known is not None:
            return known
        rest = pl.concat(read.rest)
        rows = self._priced(rest, self._gathered.ratios)
        if n_rows(rest) <= _MOST_HELD:
            rows = collected(rows).lazy()
        self._settled = [*self._settled[-_REMEMBERED:], (read, rows)]
        return rows

    def _priced(self, some: pl.LazyFrame, per_model: pl.DataFrame) -> pl.LazyFrame:
        """Rows of the log with what they cost, as all of it says."""
        makers = pl.LazyFrame(schema={n: rest_schema()[n] for n in _OF_MAKERS})
        if _any(some.filter(fetched())):
            makers = self._log.rows().select(_OF_MAKERS)
        told = counted_log(some, makers=makers, per_model=per_model.lazy())
        return priced(told, self._prices)

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


def _stored(rows: pl.LazyFrame) -> pl.DataFrame:
    return collected(rows.select([*rest_schema()]))


def _as_rows(counted: pl.LazyFrame) -> pl.LazyFrame:
    """Bins with the columns of a log that keys and names are told from."""
    none = pl.lit(None, pl.String)
    as_rows = counted.rename({"at": "started_at", "model": "model_actual"})
    return as_rows.with_columns(model_sent=none, model_requested=none)


def _any(rows: pl.LazyFrame) -> bool:
    return collected(rows.select("org").head(1)).height > 0


def n_rows(log: pl.LazyFrame) -> int:
    """How many rows there are."""
    return int(collected(log.select(pl.len())).item())
