"""What `scan` gives: a log that knows the folder it is read from.

Whoever treats it as a polars LazyFrame has one: every method of these is there, and gives
what it gives of the log's rows. It is none (`isinstance` says so), for beside its rows it
knows its folder, its prices and which part of it is meant, and so views of it need not
read every row. Where polars itself asks for a LazyFrame, as in `pl.concat`, write
`log.lazy()`.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeAlias, TypeVar, overload

import polars as pl

from lectr_lab.analysis.cells.asked import Asked
from lectr_lab.analysis.cells.log_files import LabFiles
from lectr_lab.analysis.cells.newest import Newest, day_ends
from lectr_lab.analysis.cells.planned import Apart, Reading
from lectr_lab.analysis.cells.prefix_files import Days, PrefixFiles
from lectr_lab.analysis.elsewhere import each
from lectr_lab.analysis.lab_rows import counted_log, lab_rows
from lectr_lab.analysis.log_words import all_rows, words
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.percentiles import Percentiles, by_number, chosen
from lectr_lab.analysis.views.selection import ALL, Names, Selection, selection
from lectr_lab.analysis.views.time_steps import polars_zone
from lectr_lab.core.formatting import name
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.log.folder import LabFolder, segment_date
from lectr_lab.log.scan import snapshot
from lectr_lab.log.verify import is_bare
from lectr_lab.shipping.remote import listed

_T = TypeVar("_T")
_SHOWN = ("_repr_html_", "_repr_mimebundle_", "_display_")
_LETTERS = 200
_NARROWING = {"org", "feature", "provider", "model", "task", "session", "user"}
_NARROWING |= {"client", "agent", "since", "until", "tz", "now"}


class Source(NamedTuple):
    """Where a log is read from, and at which prices."""

    lab: Path | str  # a folder, or the URL of a prefix that labs are shipped to
    prices: PriceList
    day: date | None = None  # the files of this day alone


class Log:
    """The events of a lab folder, each with its cost. `lectr.scan` opens one.

    Any method of a polars LazyFrame is there and is of the log's rows. Of its own are
    `select` by names and time, which gives a `Log` again, `map` and `explain`.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> chat = log.select(feature="support-chat", since="2026-11-01..2026-11-07")
    >>> chat.filter(pl.col("outcome") == "ok").select(pl.len()).collect().item()
    916
    >>> type(chat).__name__, type(log.lazy()).__name__
    ('Log', 'View')
    """

    def __init__(
        self,
        source: Source,
        reading: Reading,
        rows: pl.LazyFrame,
        selected: Selection = ALL,
        told: list[str] | None = None,
    ) -> None:
        self._source, self._reading = source, reading
        self._rows, self._selected = rows, selected
        self._told = told  # what views ask of it, where somebody wants to know
        self._held: tuple[Asked, pl.DataFrame] | None = None

    @property
    def lab(self) -> Path | str:
        """The folder that it is read from, or the URL of a prefix."""
        return self._source.lab

    @property
    def prices(self) -> PriceList:
        """The user's own prices that its costs go by."""
        return self._source.prices

    @property
    def selected(self) -> Selection:
        """Which part of the folder's log it is."""
        return self._selected

    @property
    def is_whole(self) -> bool:
        """It is all of the folder's log."""
        return self._selected == ALL and self._source.day is None

    def lazy(self) -> pl.LazyFrame:
        """Its rows, as a polars LazyFrame."""
        if self._told is not None:
            self._told.append(all_rows(self._source.day))
        return self._rows

    def n_rows(self, org: str | None = None) -> int:
        """How many rows it has, of all orgs or one; no price is looked up."""
        wanted = ALL if org is None else selection({"org": org})
        both, rows = self._selected.and_(wanted), wanted.of(self._rows)
        return self._reading.n_rows(both, rows)

    def stored(self) -> pl.LazyFrame:
        """Its rows without what is made of them: when they were sent, and from whom."""
        return self._reading.stored(self._selected, self._rows)

    def newest(self, most: int) -> Newest:
        """Its rows of the newest whole days (UTC), or hours, so many at most."""
        found = self._reading.newest(most, self._selected, self._rows)
        if self._told is not None and found.first is not None:
            self._told.append(f"Rows from {found.first:%Y-%m-%d %H:%M %Z} on.")
        return found

    def weighed(self, asked: Asked) -> pl.LazyFrame | None:
        """Cells that stand for its rows, priced; None where they cannot say it."""
        if self._held is not None and self._held[0].covers(asked):
            return self._held[1].lazy()
        return self._reading.weighed(asked, self._selected, self._told)

    def apart(self, asked: Asked) -> Apart | None:
        """The same, with the rows that are in no cell as rows."""
        return self._reading.apart(asked, self._selected, self._told)

    def holding(self, asked: Asked, cells: pl.DataFrame) -> "Log":
        """The same, with its answer to a question at hand for whoever asks for less.

        Args:
            asked: the question.
            cells: what `weighed` said, collected: columns that nobody asks for may lack.
        """
        held = Log(self._source, self._reading, self._rows, self._selected, self._told)
        held._held = asked, cells
        return held

    def ends(self) -> tuple[datetime | None, datetime | None]:
        """When its first and its last row began."""
        days = self.day_ends()
        return days["first"].min(), days["last"].max()  # type: ignore[return-value]

    def day_ends(self, tz: str = "UTC") -> pl.DataFrame:
        """When each day's rows began: `day`, `first`, `last`, in order."""
        zone = polars_zone(tz)
        told = self._reading.day_ends(self._selected) if zone == "UTC" else None
        return collected(day_ends(self.stored(), zone)) if told is None else told

    def binned(self, asked: Asked) -> pl.LazyFrame | None:
        """Bins of how long its requests took; None where they cannot say it."""
        return self._reading.binned(asked, self._selected)

    @overload
    def select(
        self,
        *,
        org: Names = None,
        feature: Names = None,
        provider: Names = None,
        model: Names = None,
        task: Names = None,
        session: Names = None,
        user: Names = None,
        client: Names = None,
        agent: Names = None,
        since: str | None = None,
        until: str | None = None,
        tz: str = "UTC",
        now: datetime | None = None,
    ) -> "Log": ...

    @overload
    def select(self, *exprs: Any, **named_exprs: Any) -> pl.LazyFrame: ...

    def select(self, *exprs: Any, **named: Any) -> "Log | pl.LazyFrame":
        """A part of the log, by names and time; or columns, as polars selects them.

        Args:
            exprs: as of `LazyFrame.select`, which it then is.
            named: `org`, `feature`, `provider`, `model`, `task`, `session`, `user`,
                `client`, `agent`, `since`, `until`, `tz`, `now`: as of `lectr.select`.
                With any other name, or an expression of polars: as of
                `LazyFrame.select`.

        Returns:
            A `Log` of that part; of columns, a LazyFrame.

        Raises:
            LabError: a time that cannot be read.

        >>> import lectr_lab as lectr
        >>> lectr.table(lectr.spend(lectr.demo_log().select(since="2026-11-20"), by="model").head(1))
        model               spend  share of spend  requests  priced  unpriced  uncounted  estimated
        gpt-5.4-2026-03-05  $2.25            34 %        56      55         0          0          0
        In every row: org made-up-data.
        """
        of_polars = any(isinstance(some, pl.Expr) for some in named.values())
        if exprs or not named or of_polars or not named.keys() <= _NARROWING:
            return self.lazy().select(*exprs, **named)
        when = {
            key: named.pop(key) for key in ("since", "until", "now") if key in named
        }
        tz = named.pop("tz", "UTC")
        return self.narrowed(selection(named, **when, tz=tz))

    def narrowed(self, wanted: Selection) -> "Log":
        """The part of it that fits.

        Raises:
            LabError: a column that the log does not have.
        """
        both, files = self._selected.and_(wanted), self._reading.files
        if isinstance(files, PrefixFiles) and wanted.when != ALL.when:
            return _of_prefix(self._source, files, both, self._told)
        rows = wanted.of(self._rows)
        return Log(self._source, self._reading, rows, both, self._told)

    def map(
        self, f: Callable[[pl.LazyFrame], _T], executor: Executor | None = None
    ) -> list[_T]:
        """What a function of yours says of each day's files, oldest first.

        So a question of your own needs the memory of a day, however long the log is,
        and may be asked of several days at once.

        Args:
            f: takes the rows of a day's files, as `scan(lab, day=…)` gives them, and
                those alone that were selected. What it returns is yours to add up.
                With an executor of other processes, it and what it returns are pickled.
            executor: where the days are looked at; without it on the `cluster` in
                force, or here, one by one.

        Returns:
            One result a day. Estimates of tokens, and which row has the usage of a
            response that was fetched, go by the files of the day alone.

        Raises:
            LogError: the folder is no longer there.

        >>> import lectr_lab as lectr
        >>> log = lectr.demo_log().select(feature="support-chat")
        >>> sum(log.map(lambda day: day.select(pl.len()).collect().item()))
        3722
        """
        ask = partial(_of_day, f, _from_anywhere(self._source), self._selected)
        days = _days(self._source)
        return each(ask, days, executor=executor)

    def explain(
        self, view: Callable[..., Any] | None = None, *args: Any, **named: Any
    ) -> str:
        """What a view reads of the log, in a sentence. Without one, polars' own plan.

        Args:
            view: such as `lectr.spend`.
            args: what it takes after the log.
            named: likewise, by name.

        >>> import lectr_lab as lectr
        >>> lectr.demo_log().explain(lectr.spend, by="model")
        'All rows.'
        """
        if view is None:
            return self.lazy().explain(**named)
        told: list[str] = []
        asked = Log(self._source, self._reading, self._rows, self._selected, told)
        view(asked, *args, **named)
        said = list(dict.fromkeys(told))
        return " ".join(said) if said else "Nothing of the log."

    def __getattr__(self, asked: str) -> Any:
        if asked.startswith("_") and asked not in _SHOWN:
            raise AttributeError(f"{type(self).__name__!r} has no attribute {asked!r}")
        return getattr(self.lazy(), asked)

    def __dir__(self) -> list[str]:
        of_rows = {one for one in dir(self._rows) if not one.startswith("_")}
        return sorted(of_rows | {*super().__dir__()})

    def __getitem__(self, item: Any) -> pl.LazyFrame:
        return self.lazy()[item]

    def __contains__(self, column: str) -> bool:
        return column in self.lazy()

    def __bool__(self) -> bool:
        return bool(self.lazy())  # polars says that it is neither

    def __copy__(self) -> Self:
        return self  # nothing of it changes

    def __deepcopy__(self, _: Any) -> Self:
        return self

    def __reduce__(self) -> Any:
        """Elsewhere it is opened again: as the folder is then."""
        return _opened, (self._source, type(self._rows), self._selected)

    def __repr__(self) -> str:
        part = "".join(f", {said}" for said in words(self._source.day, self._selected))
        return f"<Log of {name(str(self.lab), _LETTERS)}{part}; .lazy() has its rows>"


AnyLog: TypeAlias = Log | pl.LazyFrame
"""A log whose folder is known, or rows of one."""


def opened_log(source: Source, selected: Selection = ALL) -> Log:
    """A lab folder's log as it is now.

    Raises:
        LogError: there is no such folder.
    """
    if isinstance(source.lab, str):
        since, until = _days_of(source, selected)
        files = PrefixFiles(listed(source.lab, since, until))
        return _of_prefix(source, files, selected)
    log = snapshot(source.lab, source.day)
    rows = priced(counted_log(log.rows()), source.prices)
    few = is_bare(log.lab) or source.day is not None
    reading = Reading(LabFiles(log), source.prices, cells=not few)
    return Log(source, reading, selected.of(rows), selected)


def _of_prefix(
    source: Source,
    files: PrefixFiles,
    selected: Selection,
    told: list[str] | None = None,
) -> Log:
    """Days that are not selected are not read: the names of files tell them."""
    files = files.within(_days_of(source, selected))
    rows = selected.of(priced(counted_log(files.rows()), source.prices))
    reading = Reading(files, source.prices, cells=source.day is None)
    return Log(source, reading, rows, selected, told)


def _days_of(source: Source, selected: Selection) -> Days:
    if source.day is not None:
        return Days(source.day, source.day)
    return Days.of(selected.when)


def ranked(
    log: AnyLog, wanted: Percentiles | None = None, org: str | None = None
) -> Percentiles:
    """How durations are ranked: as is wanted, else by how many rows there are.

    Args:
        log: events, priced or not.
        wanted: what was asked for.
        org: of this org's rows.
    """
    if isinstance(log, Log):
        return wanted or by_number(log.n_rows(org))
    return chosen(log if org is None else log.filter(pl.col("org") == org), wanted)


def _opened(source: Source, kind: type[pl.LazyFrame], selected: Selection) -> Log:
    log = opened_log(source, selected)
    log.lazy().__class__ = kind  # that shows itself, or does not
    return log


def _from_anywhere(source: Source) -> Source:
    """The same, for a process that works elsewhere on this machine."""
    lab = source.lab
    return source if isinstance(lab, str) else source._replace(lab=lab.absolute())


def _of_day(
    f: Callable[[pl.LazyFrame], _T],
    source: Source,
    selected: Selection,
    day: date | None,
) -> _T:
    return f(selected.of(lab_rows(source.lab, source.prices, day)))


def _days(source: Source) -> Sequence[date | None]:
    """The days that have files; None is all of a folder that has none of days."""
    if isinstance(source.lab, str):
        files = listed(source.lab, source.day, source.day).files
        return sorted({file.day for file in files})
    lab = LabFolder.existing(source.lab)
    if is_bare(lab) or source.day is not None:
        return [source.day]
    tails = {segment_date(segment) for segment in lab.segments()}
    return sorted({*lab.days(), *filter(None, tails)})
