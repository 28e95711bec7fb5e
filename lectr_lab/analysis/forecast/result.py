"""A forecast as it is shown: a sentence, a table, plain numbers."""

from datetime import date
from typing import Any, NamedTuple

import msgspec
import polars as pl

from lectr_lab.core import formatting
from lectr_lab.core.event import UNTAGGED
from lectr_lab.core.recommendation import Interval
from lectr_lab.tables import html_table, text_table

_ENDS = ("low", "high")
_FIRST_TO_GO = ("days", "chance_of_reaching", "next_week_usd")


class Budget(NamedTuple):
    """A budget's period: what was spent in it, how likely it ends above the budget, and
    when it is reached: most likely, at the earliest and at the latest. None: not in this
    period, or not known."""

    spent_usd: float
    chance: float | None = None  # 0 to 1
    reached_on: date | None = None
    earliest: date | None = None
    latest: date | None = None


class BudgetOutlook(msgspec.Struct, frozen=True, kw_only=True):
    """A budget of lectr.toml, and when it is reached."""

    name: str | None  # where it was given one
    whom: str  # it is for, in words
    usd: float
    per: str
    reached: Budget | None

    @property
    def sentence(self) -> str:
        """It in words; empty where nothing can be said."""
        named = f' "{formatting.name(self.name)}"' if self.name else ""
        said = f"The budget{named} of {formatting.usd(self.usd)} a {self.per}"
        return _sentence(f"{said} for {formatting.name(self.whom)}", self.reached)


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What one group will cost. USD; None under 7 whole days."""

    key: tuple[Any, ...] = ()
    days: int  # whole ones that it rests on
    spent_usd: float  # in this month, so far
    bill_usd: float | None = None  # of the whole month
    bill: Interval | None = None
    next_week_usd: float | None = None  # the seven days after the last whole one
    next_week: Interval | None = None
    budget: Budget | None = None


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What this month and next week will cost, by group, dearest first."""

    outlooks: tuple[Outlook, ...] = ()
    keys: tuple[str, ...] = ()
    groups: int = 0  # of which the dearest are among the outlooks
    until: date | None = None  # the day of the last request
    whole_until: date | None = None  # the last day that was seen whole
    unpriced: int = 0  # requests whose price is not known: they cost nothing here
    budget_usd: float | None = None
    per: str = "month"
    budgets: tuple[BudgetOutlook, ...] = ()  # of the lab's lectr.toml
    confidence: float = 0.9

    def frame(self) -> pl.DataFrame:
        """One row per group: its keys, then USD, days and dates.

        Returns:
            `spent_usd` (this month, so far), `bill_usd` (this month) and `next_week_usd`,
            both with `_low` and `_high`, `days` (whole ones, which it rests on); with a
            budget `budget_spent_usd`, `chance_of_reaching` (of ending above it, 0 to 1)
            and `reached_on` with `_earliest` and `_latest`.
        """
        rows = [self._row(outlook) for outlook in self.outlooks]
        kinds: dict[str, Any] = {
            **dict.fromkeys(_FIGURES, pl.Float64),
            "days": pl.Int64,
        }
        kinds |= dict.fromkeys(_DATES, pl.Date) if self.budget_usd is not None else {}
        names = [*self.keys, *_FIGURES, "days"]
        if self.budget_usd is not None:
            kinds |= dict.fromkeys(_OF_BUDGET, pl.Float64)
            names += [*_OF_BUDGET, *_DATES]
        found = pl.DataFrame(rows, infer_schema_length=None)
        if found.is_empty():
            return pl.DataFrame(
                schema={name: kinds.get(name, pl.String) for name in names}
            )
        return found.select(
            pl.col(name).cast(kinds[name]) if name in kinds else name for name in names
        )

    def _row(self, outlook: Outlook) -> dict[str, Any]:
        budget = outlook.budget or Budget(0.0)
        return {
            **dict(zip(self.keys, outlook.key, strict=True)),
            "spent_usd": outlook.spent_usd,
            "bill_usd": outlook.bill_usd,
            **_ends("bill_usd", outlook.bill),
            "next_week_usd": outlook.next_week_usd,
            **_ends("next_week_usd", outlook.next_week),
            "days": outlook.days,
            "budget_spent_usd": budget.spent_usd,
            "chance_of_reaching": budget.chance,
            "reached_on": budget.reached_on,
            "reached_earliest": budget.earliest,
            "reached_latest": budget.latest,
        }

    def payload(self) -> dict[str, Any]:
        """The first outlook in plain numbers, dates as text, and the sentence."""
        one = self.outlooks[0] if self.outlooks else Outlook(days=0, spent_usd=0.0)
        row = self._row(one)
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in row.items()
        } | {
            "until": self.until and self.until.isoformat(),
            "budget_usd": self.budget_usd,
            "confidence": self.confidence,
            "sentence": self.sentence,
            "budgets": self.budget_sentences,
        }

    @property
    def sentence(self) -> str:
        """The dearest group's forecast, in words."""
        if self.until is None:
            return "No request in the log, so nothing to forecast from."
        one = self.outlooks[0]
        month, whose = f"{self.until:%B %Y}", self._whose(one)
        so_far = f"{whose}{month}: {formatting.usd(one.spent_usd)} until {self._day()}"
        if one.bill_usd is None or one.bill is None:
            return (
                f"{so_far}. {formatting.count(one.days)} whole days are too few for a "
                "forecast: it takes 7."
            )
        bill, share = one.bill, formatting.percent(self.confidence)
        if bill.low == bill.high:
            text = f"{so_far}, and that is all of it."
        else:
            text = (
                f"{so_far}, about {formatting.usd(one.bill_usd)} by its end "
                f"({share}: {formatting.usd(bill.low)} to {formatting.usd(bill.high)})."
            )
        if one.next_week and one.next_week_usd is not None:
            low, high, _ = one.next_week
            text += (
                f" The next seven days: {formatting.usd(one.next_week_usd)} "
                f"({formatting.usd(low)} to {formatting.usd(high)})."
            )
        return f"{text} {self._of_budget(one)}".rstrip()

    @property
    def budget_sentences(self) -> list[str]:
        """When each budget of the lab is reached, in words, where that can be said."""
        return [said for one in self.budgets if (said := one.sentence)]

    def _day(self) -> str:
        return f"{self.until.day} {self.until:%b}" if self.until else ""

    def _whose(self, one: Outlook) -> str:
        if not self.keys:
            return ""
        names = [
            UNTAGGED if key is None else formatting.name(str(key)) for key in one.key
        ]
        return f"{', '.join(names)}, "

    def _of_budget(self, one: Outlook) -> str:
        if self.budget_usd is None:
            return ""
        said = f"The budget of {formatting.usd(self.budget_usd)} a {self.per}"
        return _sentence(said, one.budget)

    def _note(self) -> list[str]:
        found = self.budget_sentences
        if len(self.outlooks) < self.groups:
            left = formatting.count(self.groups - len(self.outlooks))
            found.append(f"The dearest groups; {left} more are not shown.")
        if any(one.bill_usd is not None for one in self.outlooks):
            found.append(
                f"The intervals are of what will be spent: {formatting.percent(self.confidence)}"
                " of them hold it. They know of drift and weekdays, not of what you launch "
                "or stop."
            )
        if self.unpriced:
            found.append(
                f"{formatting.count(self.unpriced)} requests have no known price and are "
                "not in it: `unpriced_models(log)` says which."
            )
        return found

    def _shown(self) -> pl.DataFrame:
        found = self.frame()
        if "org" in found.columns and found["org"].n_unique() <= 1:
            found = found.drop("org")
        keys = [name for name in self.keys if name in found.columns]
        empty = [
            name
            for name in found.columns
            if name not in keys and found[name].null_count() == len(found)
        ]
        order = [*keys, "bill_usd", *_with_ends("bill_usd"), "spent_usd"]
        order += [name for name in found.columns if name not in order]
        return found.select(name for name in order if name not in empty)

    def __repr__(self) -> str:
        return self.in_full()

    def in_full(self, width: int | None = None) -> str:
        """The sentence, the table for a terminal of a width, and what to know of it."""
        if not self.outlooks:
            return self.sentence
        shown = self._shown()
        table = text_table(
            shown,
            width=width,
            most_rows=len(shown),
            first_to_go=[name for name in _FIRST_TO_GO if name in shown.columns],
        )
        return "\n".join(
            [self.sentence, *([table] if self.keys else []), *self._note()]
        )

    def _repr_html_(self) -> str:
        return html_table(
            self._shown() if self.outlooks else pl.DataFrame(),
            title=self.sentence,
            note=self._note(),
            script=True,
        )


def _sentence(said: str, budget: Budget | None) -> str:
    """When a budget is reached; empty where nobody can say."""
    if budget is None or budget.chance is None:
        return ""
    if budget.reached_on is not None and budget.earliest == budget.latest:
        return f"{said} is reached on {budget.reached_on}."
    chance = formatting.percent(budget.chance)
    if budget.reached_on is None:
        early = f", at the earliest on {budget.earliest}" if budget.earliest else ""
        return (
            f"{said} will most likely hold (reached with a chance of {chance}{early})."
        )
    late = f"on {budget.latest} at the latest" if budget.latest else "or not at all"
    return (
        f"{said} is most likely reached on {budget.reached_on} ({budget.earliest} at "
        f"the earliest, {late}; chance {chance})."
    )


def _with_ends(name: str) -> list[str]:
    return [f"{name}_{end}" for end in _ENDS]


def _ends(name: str, interval: Interval | None) -> dict[str, float | None]:
    low_high = (None, None) if interval is None else (interval.low, interval.high)
    return dict(zip(_with_ends(name), low_high, strict=True))


_FIGURES = ["spent_usd", "bill_usd", *_with_ends("bill_usd")]
_FIGURES += ["next_week_usd", *_with_ends("next_week_usd")]
_OF_BUDGET = ["budget_spent_usd", "chance_of_reaching"]
_DATES = ["reached_on", "reached_earliest", "reached_latest"]
