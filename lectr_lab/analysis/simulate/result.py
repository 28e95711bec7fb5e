"""What a simulation found: figures, a table per change, and what it took for granted."""

from html import escape
from typing import NamedTuple

import msgspec
import polars as pl

from lectr_lab.analysis.monthly import Monthly
from lectr_lab.analysis.simulate.assumptions import WARNING
from lectr_lab.core import formatting
from lectr_lab.tables import html_table, text_table

_SHOWN = ["org", "feature", "saving_usd_month", "saving_usd_month_low"]
_SHOWN += ["saving_usd_month_high", "before_usd", "after_usd", "from_model", "to_model"]
_SHOWN += ["requests", "output_ratio", "output_ratio_low", "output_ratio_high"]
_SHOWN += ["before_p50_ms", "after_p50_ms", "after_p95_ms", "after_n", "rule"]
_ALWAYS = ("feature", "from_model", "to_model", "requests", "before_usd", "after_usd")
_LACKS = {
    "unpriced_before": "{n} have no known price for the model that answered",
    "unpriced_after": "{n} have no known price for the new model",
    "uncounted": "{n} have no token counts",
    "unanswered": "{n} failed, and cost nothing before and after",
}
_SKIPS = {
    "already_the_target": "{n} ask for the new model by themselves",
    "no_model": "{n} name no model",
    "embeddings": "{n} are embeddings, and the rule names no model that it replaces",
    "model_of_another_provider": "{n} are for another provider than the new model's",
    "not_offered": "{n} are calls that the new provider does not offer in this form",
    "no_operator_key": "{n} would need your own key of the new provider",
}


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
            are of the same "feature" or of the "model" in all the org's traffic;
            `percentiles`, "exact" or "binned", as of `latency`.
        """
        return self.moves

    def __repr__(self) -> str:
        return "\n".join(
            [
                self._said(),
                *([text_table(self._shown())] if self.changed else []),
                *self._unjudged(),
                "What this takes for granted:",
                *(f"- {assumption}" for assumption in self.assumptions),
            ]
        )

    def _repr_html_(self) -> str:
        warned = [a for a in self.assumptions if a.startswith(WARNING)]
        assumed = [a for a in self.assumptions if not a.startswith(WARNING)]
        note = [*self._unjudged(), *warned]
        table = html_table(self._shown(), title=self._said(), note=note, script=True)
        listed = "".join(f"<li>{escape(assumption)}</li>" for assumption in assumed)
        return (
            f'{table}<details class="{formatting.NO_MATH}"><summary>What this takes for '
            f"granted ({len(assumed)})</summary><ul>{listed}</ul></details>"
        )

    def _shown(self) -> pl.DataFrame:
        """The changes, money first; without what is said of none of them, and whose
        they are only where they are not all one org's."""
        learned = pl.col("output_ratio_low").is_not_null()
        # Each percentile then says ≈.
        is_binned = (self.moves["percentiles"] == "binned").any()
        columns = [*_SHOWN, "percentiles"] if is_binned else _SHOWN
        shown = self.moves.select(columns).with_columns(
            pl.when(learned).then("output_ratio").alias("output_ratio")
        )
        aside = {"org"} if shown["org"].n_unique() <= 1 else set()
        aside |= {
            name
            for name in shown.columns
            if name not in _ALWAYS and shown[name].null_count() == len(shown)
        }
        return shown.drop(aside)

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
        lacks = _counted(_LACKS, self.unjudged._asdict())
        skips = _counted(_SKIPS, self.skipped)
        found = [f"The rules match these, but costs stay: {lacks}."] if lacks else []
        return found + (
            [f"The rules match these, but they stay: {skips}."] if skips else []
        )


def _counted(words: dict[str, str], counts: dict[str, int]) -> str:
    """How many of each, in words."""
    return "; ".join(
        words.get(name, f"{{n}} {name}").format(n=formatting.count(n))
        for name, n in counts.items()
        if n
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
        f"from {days} days: what such days save on average, and no forecast."
    )
