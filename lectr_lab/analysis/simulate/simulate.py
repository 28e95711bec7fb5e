"""What a log's requests would have cost under other routing rules."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import date, timedelta
from functools import partial
from math import hypot
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import polars as pl

from lectr_lab.analysis.cells.newest import Newest
from lectr_lab.analysis.given_log import Log, opened
from lectr_lab.analysis.log import AnyLog, ranked
from lectr_lab.analysis.monthly import (
    DAYS_A_MONTH,
    Monthly,
    monthly,
    seen_span,
)
from lectr_lab.analysis.pricing.price_file import read_prices
from lectr_lab.analysis.recommend.as_rules import rules_of
from lectr_lab.analysis.recommend.result import Recommendations
from lectr_lab.analysis.simulate.assumptions import assumption_sentences
from lectr_lab.analysis.simulate.costs import facts, output_usd_per_token
from lectr_lab.analysis.simulate.many_rows import many_rows
from lectr_lab.analysis.simulate.model_changes import (
    MOVE,
    costs_by_day,
    moves_of,
    with_latencies,
    with_moves,
)
from lectr_lab.analysis.simulate.reroute import KEYS, as_rules_see, decided
from lectr_lab.analysis.simulate.result import Simulation, Unjudged
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.money import usd_sum
from lectr_lab.config.text_files import read_text
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.core.recommendation import Interval, Recommendation
from lectr_lab.core.routing.rules import Rule, in_order
from lectr_lab.core.routing.rules_file import read_rules
from lectr_lab.waiting import waiting

Rules: TypeAlias = (
    Rule
    | Recommendation
    | Sequence[Rule | Recommendation]
    | Recommendations
    | Path
    | str
)
_MISSING = "Name a rules.toml, or give rules, or what `recommend` found."


@waiting("Simulating the rules")
def simulate(
    log: Log,
    rules: Rules,
    *,
    keyed: Collection[str] = (),
    prices: PriceList | Path | str | None = None,
    confidence: float = 0.9,
) -> Simulation:
    """What these rules would have changed, in place of those that were in force.

    Each request goes where `core.routing.rules.decide` sends it, as live. What it costs
    there is priced from its own counts; how long the target's answers are is learned
    where the log can teach it, else assumed, and said. Of a log of more than 10 million
    rows the costs are those of all, and how long answers are, and how long they take, is
    told by its newest days, up to a million rows; that is said too.

    Args:
        log: events with `cost_usd`, as `scan` gives them; narrow it to look at one org.
        rules: rules, one rule, the path of a `rules.toml`, or what `recommend` found:
            all of it, some of it or one.
        keyed: the providers that the operator has a key for; without it, no request
            changes its provider.
        prices: the user's own prices, or the file that has them, as given to `scan`.
        confidence: of the intervals, above 0 and below 1.

    Returns:
        Costs before and after, per change and in all, and the assumptions in words.

    Raises:
        ConfigError: the rules or the prices cannot be read or followed.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> mini = lectr.RuleTarget(model="gpt-5.4-mini")
    >>> when = lectr.Conditions(feature="report-writer")
    >>> rule = lectr.Rule(name="mini", priority=1, when=when, then=mini)
    >>> found = simulate(log, rule)
    >>> found.changed, round(found.saving_usd)
    (565, 18)
    """
    ordered = _rules(rules)
    own = read_prices(prices) if isinstance(prices, Path | str) else prices
    given = opened(log, own)
    how = ranked(given)
    seen = _seen(given, ordered) if how == "exact" else _seen_of_many(given, ordered)
    found = seen.facts
    kinds = decided(found.select(KEYS).unique(), ordered, keyed)
    found = found.join(kinds, on=KEYS, how="left", nulls_equal=True)
    moves = moves_of(kinds, found, confidence)
    kinds = with_moves(kinds, moves)
    found = found.join(
        kinds.select(*KEYS, "move"), on=KEYS, how="left", nulls_equal=True
    )
    by_day = seen.costs_by_day(found, kinds, own)
    days = _Days.of(seen.spent, by_day, seen.edges, confidence)
    doubts = _doubts(moves, days, own)
    timed = partial(with_latencies, seen.timed, how=how)
    table, doubt = timed(_per_move(moves, days, doubts)), _together(moves, doubts)
    assumed = assumption_sentences(table, found, ordered, seen.newest)
    return _simulation(found, table, doubt, days, assumed)


class _Seen(NamedTuple):
    """What was looked at of a log."""

    facts: pl.DataFrame
    spent: pl.DataFrame  # `day`, `spend_usd`
    edges: pl.DataFrame  # `org`, `day`, `first_us`, `last_us`
    costs_by_day: Callable[[pl.DataFrame, pl.DataFrame, PriceList | None], pl.DataFrame]
    timed: pl.LazyFrame  # rows that say how long they took
    newest: Newest | None = None  # where answers are of these alone


def _seen(log: AnyLog, ordered: Sequence[Rule]) -> _Seen:
    calls = as_rules_see(log.lazy().filter(rows.is_call()), ordered)
    found = collected(facts(calls))
    spent = found.group_by("day").agg(usd_sum("spend_usd"))
    return _Seen(found, spent, found, partial(costs_by_day, calls), calls)


def _seen_of_many(log: AnyLog, ordered: Sequence[Rule]) -> _Seen:
    """Of a log of many rows, any request of a day tells when its traffic began."""
    many = many_rows(log, ordered)
    found, spent = many.facts()
    timed = many.newest.rows
    return _Seen(found, spent, many.days, many.costs_by_day, timed, many.newest)


def _rules(rules: Rules) -> tuple[Rule, ...]:
    if isinstance(rules, Path | str):
        return read_rules(read_text(Path(rules), _MISSING), str(rules))
    if isinstance(rules, Recommendations):
        return rules.as_rules()
    several = [rules] if isinstance(rules, Rule | Recommendation) else list(rules)
    advice = [one for one in several if isinstance(one, Recommendation)]
    own = [one for one in several if isinstance(one, Rule)]
    if len(advice) + len(own) < len(several):
        raise ConfigError(f"A rule is wanted. {_MISSING}")
    return in_order([*own, *rules_of(advice)])


class _Days(NamedTuple):
    """What monthly figures are made of: money by day, and which days are whole."""

    by_move: pl.DataFrame
    spent: pl.DataFrame  # `day`, `spend_usd`: of the whole log
    spans: dict[str, tuple[date, date] | None]  # of each org
    span: tuple[date, date] | None  # of the log
    confidence: float

    @classmethod
    def of(
        cls,
        spent: pl.DataFrame,
        by_move: pl.DataFrame,
        edges: pl.DataFrame,
        confidence: float,
    ) -> "_Days":
        ends = [pl.col("first_us").min(), pl.col("last_us").max()]
        of_orgs = edges.group_by("org", "day").agg(ends).sort("org", "day")
        of_log = edges.group_by("day").agg(ends).sort("day")
        spans = {
            str(org): seen_span(edges)
            for (org,), edges in of_orgs.partition_by("org", as_dict=True).items()
        }
        return cls(by_move, spent, spans, seen_span(of_log), confidence)

    def of_move(self, org: str, first: object) -> tuple[date, date] | None:
        """The org's whole days from a move's first on."""
        span = self.spans[org]
        if span is None or not isinstance(first, date) or first > span[1]:
            return None
        return max(span[0], first), span[1]

    def month(
        self, usd: pl.DataFrame, span: tuple[date, date] | None
    ) -> Monthly | None:
        """From `day` and `usd`; days of the span that are not among them have 0."""
        if span is None:
            return None
        first, last = span
        by_day = dict(usd.group_by("day").agg(usd_sum("usd")).iter_rows())
        days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
        return monthly([by_day.get(d, 0.0) for d in days], confidence=self.confidence)


class _Doubt(NamedTuple):
    """USD that a target's answers cost more at the high end of their length's interval,
    and less at its low end, in a month."""

    more_usd: float = 0.0
    less_usd: float = 0.0

    def widened(self, saving: Monthly | None) -> Monthly | None:
        """A saving's interval with this doubt in it, independent of that of the days."""
        if saving is None:
            return None
        mean, (low, high, confidence) = saving
        return Monthly(
            mean,
            Interval(
                mean - hypot(mean - low, self.more_usd),
                mean + hypot(high - mean, self.less_usd),
                confidence,
            ),
        )

    def turned(self) -> "_Doubt":
        """The same for a cost: what makes a saving smaller makes it larger."""
        return _Doubt(self.less_usd, self.more_usd)


def _doubts(moves: pl.DataFrame, days: _Days, own: PriceList | None) -> list[_Doubt]:
    """Per move, what the interval of its answers' length means in money a month."""
    seen = days.by_move.group_by("move").agg(
        pl.col("day").min().alias("first"),
        pl.col("day").max().alias("at"),
        pl.col("output", "input", "counted").sum(),
    )
    rows = moves.join(seen, on="move", how="left", maintain_order="left")
    mean_requests = rows.with_columns(
        input_tokens=pl.col("input") // pl.col("counted").clip(1),
        at=pl.col("at").cast(pl.Datetime("us", "UTC")),
    )
    per_token = output_usd_per_token(mean_requests, own).fill_null(0.0).to_list()
    found = []
    for row, usd in zip(rows.iter_rows(named=True), per_token, strict=True):
        span = days.of_move(row["org"], row["first"])
        if span is None or row["output_ratio_low"] is None:
            found.append(_Doubt())
            continue
        a_month = DAYS_A_MONTH / ((span[1] - span[0]).days + 1)
        answers_usd = usd * row["output"] * a_month
        more = row["output_ratio_high"] / row["output_ratio"] - 1
        less = 1 - row["output_ratio_low"] / row["output_ratio"]
        found.append(_Doubt(answers_usd * more, answers_usd * less))
    return found


def _together(moves: pl.DataFrame, doubts: list[_Doubt]) -> _Doubt:
    """One ratio is learned per org and change of model: within it, doubts add up."""
    keys = ["org", "from_provider", "from_model", "to_provider", "to_model"]
    sums: dict[tuple[Any, ...], _Doubt] = defaultdict(_Doubt)
    for key, (more, less) in zip(moves.select(keys).iter_rows(), doubts, strict=True):
        sums[key] = _Doubt(sums[key].more_usd + more, sums[key].less_usd + less)
    return _Doubt(
        hypot(*(doubt.more_usd for doubt in sums.values())),
        hypot(*(doubt.less_usd for doubt in sums.values())),
    )


def _per_move(moves: pl.DataFrame, days: _Days, doubts: list[_Doubt]) -> pl.DataFrame:
    """Moves with their sums and their saving a month."""
    sums = days.by_move.group_by("move").agg(pl.exclude("day").sum())
    saved = days.by_move.select(
        "move", "day", usd=pl.col("before_usd") - pl.col("after_usd")
    )
    months = []
    for row, doubt in zip(moves.iter_rows(named=True), doubts, strict=True):
        own = saved.filter(pl.col("move") == row["move"])
        span = days.of_move(row["org"], own["day"].min())
        month = doubt.widened(days.month(own, span))
        months.append((None,) * 3 if month is None else (month[0], *month[1][:2]))
    names = ["saving_usd_month", "saving_usd_month_low", "saving_usd_month_high"]
    found = pl.DataFrame(months, dict.fromkeys(names, pl.Float64), orient="row")
    return (
        moves.hstack(found)
        .join(sums, on="move", how="left", maintain_order="left")
        .with_columns(saving_usd=pl.col("before_usd") - pl.col("after_usd"))
        .sort("saving_usd", *MOVE, descending=[True, *[False] * len(MOVE)])
    )


def _simulation(
    found: pl.DataFrame,
    table: pl.DataFrame,
    doubt: _Doubt,
    days: _Days,
    assumed: tuple[str, ...],
) -> Simulation:
    spent = days.spent.rename({"spend_usd": "usd"})
    saved = days.by_move.select("day", usd=pl.col("before_usd") - pl.col("after_usd"))
    left = pl.concat([spent, saved.with_columns(-pl.col("usd"))])
    after, saving = days.month(left, days.span), days.month(saved, days.span)
    span, before_usd = days.span, float(spent.select(usd_sum("usd")).item())
    skips = found.drop_nulls("skipped").group_by("skipped")
    return Simulation(
        requests=int(found["requests"].sum()),
        changed=int(table["requests"].sum()),
        judged=int(table["judged"].sum()),
        unjudged=_unjudged(table),
        skipped=dict(skips.agg(pl.col("requests").sum()).sort("skipped").iter_rows()),
        days=0 if span is None else (span[1] - span[0]).days + 1,
        before_usd=before_usd,
        after_usd=before_usd - float(saved.select(usd_sum("usd")).item()),
        before_month=days.month(spent, span),
        after_month=doubt.turned().widened(after),
        saving_month=doubt.widened(saving),
        assumptions=assumed,
        moves=table.select(_FRAME),
    )


def _unjudged(table: pl.DataFrame) -> Unjudged:
    answered = pl.col("counted") + pl.col("uncounted")
    counts = table.select(
        pl.col("unpriced", "unpriced_after", "uncounted").sum(),
        unanswered=(pl.col("requests") - answered).sum(),
    )
    return Unjudged(*(int(n) for n in counts.row(0)))


_FRAME = [
    *MOVE,
    "requests",
    "judged",
    "before_usd",
    "after_usd",
    "saving_usd",
    "saving_usd_month",
    "saving_usd_month_low",
    "saving_usd_month_high",
    "output_ratio",
    "output_ratio_low",
    "output_ratio_high",
    "same_tokens",
    "before_p50_ms",
    "before_p95_ms",
    "before_n",
    "after_p50_ms",
    "after_p95_ms",
    "after_n",
    "after_latency_of",
    "percentiles",
]
