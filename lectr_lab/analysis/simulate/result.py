"""What a simulation found: figures, a table per change, and what it took for granted."""

from typing import NamedTuple

import msgspec
import polars as pl

from lectr_lab.analysis.monthly import Monthly
from lectr_lab.core import formatting
from lectr_lab.tables import html_table, text_table

_SHOWN = [
    "org",
    "feature",
    "rule",
    "from_model",
    "to_model",
    "saving_usd_month",
    "saving_usd_month_low",
    "saving_usd_month_high",
    "requests",
    "before_usd",
    "after_usd",
    "output_ratio",
    "output_ratio_low",
    "output_ratio_high",
    "before_p50_ms",
    "after_p50_ms",
    "after_p95_ms",
    "after_n",
]


class Unjudged(NamedTuple):
    """Changed requests of which it cannot be said what they would have cost."""

    unpriced_before: int  # counted, but no price is known for what answered
    unpriced_after: int  # no price is known for the target, or none fits the counts
    uncounted: int  # answered, without token counts
    unanswered: int  # failed: they cost nothing, then or now


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """A log's requests under other rules. USD; a month is 30 days of the same traffic.

    `before_usd` is all the log's spend; `after_usd` the same with each judged request
    at its target's price: what cannot be judged stays as it was. `before_month` and the
    like have an interval, and are None under 7 whole days.
    """

    requests: int
    changed: int
    judged: int
    unjudged: Unjudged
    skipped: dict[str, int]  # a rule matched and was not applied: why, and how often
    days: int  # whole ones, which the monthly figures rest on
    before_usd: float
    after_usd: float
    before_month: Monthly | None
    after_month: Monthly | None
    saving_month: Monthly | None
    assumptions: tuple[str, ...]
    moves: pl.DataFrame

    @property
    def saving_usd(self) -> float:
        """Over the time of the log; below 0 where the rules cost more."""
        return self.before_usd - self.after_usd

    def frame(self) -> pl.DataFrame:
        """One row per rule, org, feature and change of model, the largest saving first.

        Returns:
            `org`, `feature`, `rule` (null: no rule now, and one at the time), from and
            to `_provider` and `_model`, `requests`, `judged`, and over the judged
            `before_usd`, `after_usd`, `saving_usd`, `saving_usd_month` with `_low` and
            `_high`; `output_ratio` (output tokens per output token; its ends are null
            where it is assumed), `same_tokens` (input carries over exactly); p50 and
            p95 of `total_ms` `before_` and `after_` with `_n`, and whether the latter
            are of the same "feature" or of the "model" in all the org's traffic.
        """
        return self.moves

    def __repr__(self) -> str:
        return "\n".join(
            [
                self._said(),
                text_table(self._shown()),
                *self._unjudged(),
                "Assumed:",
                *(f"- {assumption}" for assumption in self.assumptions),
            ]
        )

    def _repr_html_(self) -> str:
        assumed = [
            assumption
            if assumption.startswith("Warning: ")
            else f"Assumed: {assumption}"
            for assumption in self.assumptions
        ]
        note = [*self._unjudged(), *assumed]
        return html_table(self._shown(), title=self._said(), note=note, script=True)

    def _shown(self) -> pl.DataFrame:
        """The changes; whose they are only where they are not all one org's."""
        shown = self.moves.select(_SHOWN)
        return shown.drop("org") if shown["org"].n_unique() == 1 else shown

    def _said(self) -> str:
        requests = formatting.count(self.requests)
        if not self.changed:
            return f"Of {requests} requests, these rules change none."
        text = (
            f"Of {requests} requests, these rules change {formatting.count(self.changed)}"
            f": {_usd(self.before_usd)} would have been {_usd(self.after_usd)}."
        )
        return f"{text} {_monthly(self.saving_month, self.days)}"

    def _unjudged(self) -> list[str]:
        lacks = [
            f"{formatting.count(n)} {name.replace('_', ' ')}"
            for name, n in self.unjudged._asdict().items()
            if n
        ]
        skips = [
            f"{formatting.count(n)} {why.replace('_', ' ')}"
            for why, n in self.skipped.items()
        ]
        sentences = [f"Changed but not judged: {', '.join(lacks)}."] if lacks else []
        return sentences + (
            [f"Matched but left as they were: {', '.join(skips)}."] if skips else []
        )


def _usd(amount: float) -> str:
    return formatting.usd(amount) if amount >= 0 else f"-{formatting.usd(-amount)}"


def _monthly(month: Monthly | None, days: int) -> str:
    if month is None:
        return f"{days} whole days are too few for a monthly figure."
    low, high, confidence = month.interval
    return (
        f"Saving a month: {_usd(month.mean_usd_month)} "
        f"[{_usd(low)} to {_usd(high)}, {formatting.percent(confidence)}], "
        f"from {days} days."
    )
