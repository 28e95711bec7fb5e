"""What a view of a log is read from: cells of facts where they can say it, else rows.

A closed day's part has cells beside the log, which are for ever, and a month of them has
cells by day (`kept`). What is not closed is read as rows, made into cells, and stands
beside them; all are added up by what the view asks, and priced after: a few thousand
cells, however many rows there are. Who asked (session, user, agent) is in no cell, nor
are steps that are no quarters of an hour: then every row is read, as ever.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from lectr_lab.analysis.cells.bins import NAMES as BINNED
from lectr_lab.analysis.cells.bins import bins, row_bins
from lectr_lab.analysis.cells.facts import (
    KEYS,
    NAMES,
    Facts,
    added,
    as_cells,
    facts,
    rest_schema,
    schema,
)
from lectr_lab.analysis.cells.kept import Kept, kept_facts, kept_months
from lectr_lab.analysis.lab_rows import counted_log
from lectr_lab.analysis.pricing.answered_once import SETTLED, fetched
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.pricing.priced_cells import priced_cells
from lectr_lab.analysis.pricing.token_ratio import ratios
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.selection import Period, Selection
from lectr_lab.analysis.views.time_steps import clock_seconds, polars_zone, time_step
from lectr_lab.core.formatting import count
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.core.pricing.price_changes import change_days
from lectr_lab.log.scan import Snapshot, scan_parts

OF_FAILURES = frozenset({"status", "error_type", "error_source"})
"""What a cell says of requests that failed, and of no others."""

GROUPED = frozenset({*NAMES, "model", "day", "hour"}) - OF_FAILURES
"""What a cell says of all its rows."""

_ONLY_IF_ASKED = {"org", "feature", "task", *OF_FAILURES}
_BY_ESTIMATE = {"token_source"}  # on the way to a price
_OF_MAKERS = ("operation", "path", "input_tokens", "provider", "provider_response_id")
_MONTHS = re.compile(r"\d+(mo|q|y)")
_REMEMBERED = 7
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

    kept: list[Path]  # bins
    left: tuple[Path, ...]
    cells: list[pl.LazyFrame]
    rest: list[pl.LazyFrame]
    taught: list[pl.LazyFrame]
    words: str


class Reading:
    """What is known of a log as it was at one moment: each is found out once."""

    def __init__(self, log: Snapshot, prices: PriceList, *, cells: bool) -> None:
        self._log, self._prices, self._cells = log, prices, cells
        self._found: dict[bool, _Read | None] = {}
        self._open: dict[tuple[Path, ...], list[Facts]] = {}
        self._answers: dict[Any, pl.DataFrame] = {}

    def n_rows(self, selected: Selection, rows: pl.LazyFrame) -> int:
        """How many rows were selected, of its stored ones where that can be told."""
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
        by_day &= _cut(selected.when, _DAY) == selected.when
        if (
            not (self._cells and _can_say(asked, selected))
            or (read := self._read(by_day)) is None
        ):
            return None
        if told is not None:
            told.append(read.words)
        few = self._added(asked, selected, read)
        costs = priced_cells(few.lazy(), self._prices, self._ratios.lazy())
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
        whole = _cut(selected.when, _DAY) == selected.when
        names = {*BINNED, "day"}
        can_say = asked.columns <= names and selected.columns <= names - {"day"}
        if not (self._cells and days and whole and can_say):
            return None
        # A month's bins are those of all its days, and a day's are many.
        months = all(map(_is_months, asked.steps))
        read = self._read(months and all(map(_begins_month, selected.when)))
        if read is None:
            return None
        open_rows = [one for part in read.left for one in scan_parts([part])]
        stored = (
            one.select([*rest_schema()]) for one in [*open_rows, self._log.tail.lazy()]
        )
        parts = [bins(collected(one)) for one in stored]
        again = self._settled(read.rest).filter(
            pl.col("provider_response_id").is_not_null()
        )
        parts.append(row_bins(collected(again)))
        found = pl.concat([pl.scan_parquet(read.kept), *(one.lazy() for one in parts)])
        none = pl.lit(None, pl.String)
        as_rows = found.rename({"at": "started_at", "model": "model_actual"})
        return selected.of(as_rows.with_columns(model_sent=none, model_requested=none))

    def _added(self, asked: Asked, selected: Selection, read: _Read) -> pl.DataFrame:
        """The cells that were selected, added up by what is asked and prices go by."""
        keys = tuple(
            name for name in KEYS if name not in _ONLY_IF_ASKED - asked.columns
        )
        question = (keys, asked.steps, asked.tz, repr(selected))
        if question not in self._answers:
            asis = selected.of_columns(selected.columns - _BY_ESTIMATE)
            whole = asis._replace(when=_cut(selected.when, _QUARTER))
            names = asis._replace(when=Period())
            edges = [names.of(one.lazy()) for one in self._edges(selected.when)]
            cells = pl.concat([whole.of(pl.concat(read.cells)), *edges])
            found = collected(added(cells, keys=keys, at=self._place(asked)))
            self._answers = dict(list(self._answers.items())[-_REMEMBERED:])
            self._answers[question] = found
        return self._answers[question]

    def _read(self, by_day: bool) -> _Read | None:
        if by_day not in self._found:
            self._found[by_day] = self._files(by_day)
        return self._found[by_day]

    def _files(self, by_day: bool) -> _Read | None:
        """The files that stand for the parts, and what of these is left."""
        lab, parts = self._log.lab, self._log.parts
        none = Kept([], [], [], [], list(parts))
        months = kept_months(lab, parts) if by_day else none
        days = kept_facts(lab, months.left)
        sums, rest = months.sums + days.sums, months.rest + days.rest
        if not sums:
            return None
        left = self._counted(tuple(days.left))
        return _Read(
            months.bins + days.bins,
            tuple(days.left),
            [pl.scan_parquet(sums), *(one.sums.lazy() for one in left)],
            [pl.scan_parquet(rest), *(one.rest.lazy() for one in left)],
            [
                pl.scan_parquet(months.taught + days.taught),
                *(one.taught.lazy() for one in left),
            ],
            _words(months.sums, days.sums, left),
        )

    def _counted(self, left: tuple[Path, ...]) -> list[Facts]:
        """The facts of what has no cells yet, a part at a time."""
        if left not in self._open:
            rows = [collected(one) for part in left for one in scan_parts([part])]
            tail = [self._log.tail] if self._log.tail.height else []
            self._open[left] = [facts(one) for one in [*rows, *tail]]
        return self._open[left]

    @cached_property
    def _ratios(self) -> pl.DataFrame:
        """Tokens per character of each model, learned from the whole log."""
        read = self._read(True)
        assert read is not None
        return collected(ratios(pl.concat(read.taught)))

    def _settled(self, rest: list[pl.LazyFrame]) -> pl.LazyFrame:
        """Rows that are in no cell, priced: a response that was fetched counts once."""
        stay = pl.concat(rest)
        makers = pl.LazyFrame(schema={n: rest_schema()[n] for n in _OF_MAKERS})
        if collected(stay.filter(fetched()).select("org").head(1)).height:
            makers = self._log.rows().select(_OF_MAKERS)
        told = counted_log(stay, makers=makers, per_model=self._ratios.lazy())
        return priced(told, self._prices)

    def _edges(self, when: Period) -> Iterator[pl.DataFrame]:
        """Cells of the rows in the quarters that the ends of a time lie in."""
        at = pl.col("started_at")
        for first, end in _ends(when):
            within = self._log.rows().filter(at >= first, at < end)
            yield facts(collected(within)).sums

    def _place(self, asked: Asked) -> pl.Expr:
        """A moment in the same step, at the same prices, as all that are added up."""
        at = pl.col("started_at")
        days = [
            datetime.combine(day, time(), UTC)
            for day in change_days(self._prices, others=True)
        ]
        changes = pl.Series(
            [datetime(1, 1, 1, tzinfo=UTC), *days], dtype=schema()["started_at"]
        )
        period = at.map_batches(
            lambda some: changes.gather(changes.search_sorted(some, side="right") - 1),
            return_dtype=schema()["started_at"],
            is_elementwise=True,
        )
        steps = [
            time_step(at, step, asked.tz).dt.convert_time_zone("UTC")
            for step in asked.steps
        ]
        return pl.max_horizontal(period, *steps)


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


def _begins_month(at: datetime | None) -> bool:
    if at is None:
        return True
    month = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return at == month


def _cut(when: Period, step: timedelta) -> Period:
    """The whole steps within a time."""
    first, end = when
    begins = None if first is None else -(-_since(first) // step) * step
    ends = None if end is None else _since(end) // step * step
    return Period(
        None if begins is None else _EPOCH + begins,
        None if ends is None else _EPOCH + ends,
    )


def _ends(when: Period) -> list[tuple[datetime, datetime]]:
    """What of a time is in no whole quarter of it."""
    whole = _cut(when, _QUARTER)
    (first, end), (begins, ends) = when, whole
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


def _words(months: Sequence[Path], days: Sequence[Path], left: Sequence[Facts]) -> str:
    """What is read, in a sentence."""
    counted = sum(int(one.sums["rows"].sum()) + one.rest.height for one in left)
    some = {"month": len(months), "file of a day": len(days)}
    said = [f"{count(n)} {_several(n, what)}" for what, n in some.items() if n]
    said.append(f"{count(counted)} {_several(counted, 'row')}")
    return f"{', '.join(said[:-1])} in cells; {said[-1]}."


def _several(n: int, what: str) -> str:
    head, _, tail = what.partition(" ")
    return what if n == 1 else " ".join(filter(None, [f"{head}s", tail]))
