"""What changed between two spans of a log, in dollars, and what made it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from lectr_lab.analysis.compare.result import SHOWN_PARTS, Comparison
from lectr_lab.analysis.compare.spans import Reach, Span, Spanned, spans
from lectr_lab.analysis.dollars_split import KINDS, Use, split
from lectr_lab.analysis.given_log import Log, as_log
from lectr_lab.analysis.pricing.cost_parts import with_cost_parts
from lectr_lab.analysis.pricing.price_file import read_prices
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.groups import By, grouped, key_names
from lectr_lab.analysis.views.money import summed, usd_sum
from lectr_lab.analysis.views.rows import Each
from lectr_lab.analysis.views.spend import spend_measures
from lectr_lab.core.pricing.price import PriceList

_MODEL = " model"  # no column of a log begins with a blank
_LEAST_MISSING = 0.05  # of a span, to be told
_MOMENT = timedelta(microseconds=1)
_COUNTS = ("requests", "priced", "unpriced", "uncounted", "estimated")


def compare(
    log: Log,
    before: Spanned = None,
    after: Spanned = None,
    *,
    by: By = "feature",
    org: str | None = None,
    tz: str = "UTC",
    prices: PriceList | Path | str | None = None,
    now: datetime | None = None,
) -> Comparison:
    """What changed between two spans, in dollars, split exactly among what made it.

    Each group's change is the sum of its parts: more or fewer requests, other models,
    longer or shorter prompts, more or less of them from a cache, longer or shorter
    answers, another price of a token, and what is billed by other units. A part is what
    its own change adds, in the mean of all orders in which they could have changed
    (Shapley's value; `analysis.dollars_split`).

    Args:
        log: events with `cost_usd`, as `scan` gives them.
        before: the earlier span: "previous" (the same length, right before the other;
            the default), or anything that `after` takes.
        after: "last week", "this month", "yesterday", "7d", "2026-11", a day, a period
            such as "2026-11-01..2026-11-07", or a pair of its ends, the last day
            included. Without it, the last whole week of the log, where it has two; else
            the later half of it.
        by: one column, several, or None for one row per org.
        org: one org alone; without it, `org` is the first column.
        tz: the time zone in which days begin.
        prices: the user's own prices, or the file that has them, as given to `scan`.
        now: what "last week" goes by; the present, unless told.

    Returns:
        Both spans, a table of all groups, the dearest change first, and the sum of it in
        a sentence: something to end a cell with. `.frame()` has the columns: the keys,
        `requests` and `requests_before`, `change_usd`, `before_usd`, `after_usd`, the
        parts `from_requests_usd`, `from_models_usd`, `from_prompt_usd`,
        `from_cache_usd`, `from_answer_usd`, `from_price_usd` and `from_other_usd` (null
        where a span has no known price), and of both spans how many rows are `priced`,
        `unpriced`, `uncounted` and `estimated`.

    Raises:
        LabError: a column that the log does not have, or words that are no span.

    >>> from lectr_lab.analysis.scan import demo_log
    >>> found = compare(demo_log(), org="made-up-data")
    >>> found.frame().columns[:4]
    ['feature', 'requests', 'requests_before', 'change_usd']
    """
    own = read_prices(prices) if isinstance(prices, Path | str) else prices
    log = as_log(log, own)
    mine = log if org is None else log.filter(pl.col("org") == org)
    reach = _reach(mine)
    told = now or datetime.now(UTC)
    first, second = spans(before, after, reach, tz=tz, now=told)
    keys = key_names(by, org=org)
    # One after the other: at once, polars holds rows of both.
    old, new = (
        collected(_sums(mine, span, by, tz, org, own)) for span in (first, second)
    )
    changes = _changes(old, new, keys)
    return Comparison(first, second, changes, _notes(reach, first, second))


def _reach(log: pl.LazyFrame) -> Reach | None:
    at = pl.col("started_at")
    calls = log.filter(rows.is_call())
    first, last = collected(calls.select(first=at.min(), last=at.max())).row(0)
    return None if first is None else Reach(first, last)


def _sums(
    log: pl.LazyFrame,
    span: Span,
    by: By,
    tz: str,
    org: str | None,
    prices: PriceList | None,
) -> pl.LazyFrame:
    """One row per group and model: counts, tokens of each kind and their dollars."""
    at, (first, end) = pl.col("started_at"), (one.astimezone(UTC) for one in span)
    some = with_cost_parts(log.filter(at >= first, at < end), prices)
    # A plan bills nothing, and another provider something else.
    whose = ["provider", rows.model(), rows.covered_by_plan().cast(pl.String)]
    model = pl.concat_str(whose, separator="\n", ignore_nulls=True).alias(_MODEL)
    named = [] if by is None else [by] if isinstance(by, str) else list(by)
    counts = [
        one
        for one in spend_measures(Each(calls=True))
        if one.meta.output_name() in _COUNTS
    ]
    cost = usd_sum("cost_usd").alias("usd")
    return grouped(
        some.with_columns(model),
        [*counts, cost, *_of_kinds()],
        by=[*named, _MODEL],
        tz=tz,
        org=org,
    )


def _of_kinds() -> list[pl.Expr]:
    """Tokens and dollars of what is priced."""
    priced = rows.is_priced()
    tokens = {name: _number(f"{name}_tokens") for name in KINDS}
    tokens["input"] -= tokens["cache_read"] + tokens["cache_write"]
    return [
        *(n.filter(priced).sum().alias(f"{name}_tokens") for name, n in tokens.items()),
        *(usd_sum(f"{name}_usd") for name in (*KINDS, "other")),
    ]


def _number(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64).fill_null(0)


def _changes(
    before: pl.DataFrame, after: pl.DataFrame, keys: list[str]
) -> pl.DataFrame:
    """One row per group, the dearest change first."""
    both = after.join(
        before,
        on=[*keys, _MODEL],
        how="full",
        coalesce=True,
        nulls_equal=True,
        suffix="_before",
    ).with_columns(pl.exclude(*keys, _MODEL).fill_null(0))
    both = both.with_columns(_plain_usd(end) for end in ("", "_before"))
    group = _numbered(both, keys)
    parts = split(_use(both, "_before"), _use(both, ""), group)
    of_models = both.with_columns(
        *(pl.Series(f"from_{name}_usd", usd) for name, usd in parts.items())
    )
    ends = ("", "_before")
    sums = summed(f"{n}{end}" for end in ends for n in _COUNTS)
    sums += [usd_sum(f"usd{end}").alias(f"usd{end}") for end in ends]
    made_by = [f"from_{name}_usd" for name in SHOWN_PARTS]
    # The empty list of keys is that of one org alone.
    found = (
        of_models.group_by(keys, maintain_order=True).agg(*sums, pl.col(made_by).sum())
        if keys
        else of_models.select(*sums, pl.col(made_by).sum())
    )
    told = found.with_columns(
        _known("usd", "").alias("after_usd"),
        _known("usd", "_before").alias("before_usd"),
    ).with_columns(change_usd=pl.col("after_usd") - pl.col("before_usd"))
    compared = pl.col("change_usd").is_not_null()
    size = pl.col("change_usd").abs()
    return (
        told.with_columns(pl.when(compared).then(pl.col(made_by)))
        .sort(
            size,
            "requests",
            *keys,
            descending=[True, True, *[False] * len(keys)],
            nulls_last=True,
        )
        .select(
            *keys,
            *("requests", "requests_before", "change_usd", "before_usd", "after_usd"),
            *made_by,
            *(f"{name}{end}" for name in _COUNTS[1:] for end in ("", "_before")),
        )
    )


def _plain_usd(end: str) -> pl.Expr:
    """What is no other part, so that the parts are the whole to the last digit."""
    others = [f"{name}_usd{end}" for name in (*KINDS[1:], "other")]
    return (pl.col(f"usd{end}") - pl.sum_horizontal(others)).alias(f"input_usd{end}")


def _known(usd: str, end: str) -> pl.Expr:
    """A span's dollars; null where there are calls, and of none a cost is known."""
    lacks = pl.col(f"unpriced{end}") + pl.col(f"uncounted{end}")
    return pl.when((pl.col(f"priced{end}") > 0) | (lacks == 0)).then(pl.col(usd + end))


def _numbered(both: pl.DataFrame, keys: Sequence[str]) -> list[int]:
    """Of each row the number of its group."""
    if not keys:
        return [0] * both.height
    numbers = both.select(pl.struct(keys).rank("dense").alias("n")).to_series()
    return [int(n) - 1 for n in numbers]


def _use(both: pl.DataFrame, end: str) -> Use:
    def numbers(name: str) -> Sequence[float]:
        return both[name + end].cast(pl.Float64).to_list()

    return Use(
        numbers("priced"),
        {kind: numbers(f"{kind}_tokens") for kind in KINDS},
        {kind: numbers(f"{kind}_usd") for kind in KINDS},
        numbers("other_usd"),
    )


def _notes(reach: Reach | None, first: Span, second: Span) -> tuple[str, ...]:
    """What makes the two less alike than they look."""
    if reach is None:
        return ("No request has been logged yet.",)
    found = []
    missing = (reach.first_at - first.first) / max(first.end - first.first, _MOMENT)
    if _LEAST_MISSING < missing < 1:
        found.append(
            f"The log begins within the first span, on {reach.first_at:%-d %B %Y at %H:%M} UTC."
        )
    days = [
        (span.end - span.first).total_seconds() / 86_400 for span in (first, second)
    ]
    if abs(days[0] - days[1]) > 0.1:  # beyond what a change of the clocks makes
        short = [f"{day:,.1f}".removesuffix(".0") for day in days]
        found.append(f"The spans differ in length: {short[0]} and {short[1]} days.")
    return tuple(found)
