"""A budget for a test: what a call may cost, how slow it may be, how often it may fail.

When it is not kept, the message shows where the money and the time went.
"""

from textwrap import indent
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.given_log import Log, as_log
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.money import usd_sum
from lectr_lab.core import formatting
from lectr_lab.tables import text_table

_SHOWN_ROWS = 12
_WIDTH = 100  # of a message that CI prints: names of models stay whole


class _Limit(NamedTuple):
    """One line of the budget: what was found, and the most it may be."""

    what: str
    found: str
    allowed: str
    kept: bool


def assert_budget(
    log: Log,
    *,
    feature: str | None = None,
    usd_per_call: float | None = None,
    usd_total: float | None = None,
    p95_ms: float | None = None,
    ttft_p95_ms: float | None = None,
    error_rate: float | None = None,
) -> None:
    """Fail where calls cost more, take longer or fail more often than they may.

    Args:
        log: events with `cost_usd`, as `scan` or the fixture's `events()` give them.
        feature: calls of this feature alone; without it, all.
        usd_per_call: the most that a call may cost on average, failed ones counted.
        usd_total: the most that all may cost together.
        p95_ms: the most that 95 % of successful calls may take, sent to last byte.
        ttft_p95_ms: the same to the first content of a stream.
        error_rate: the most of the calls that may fail, 0 to 1.

    Raises:
        AssertionError: a limit is not kept, or cannot be checked: there is no call, a
            cost is not known, nothing was timed. Shows each feature and model, and each
            call whose cost is not known.
        ValueError: no limit is given.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> lectr.assert_budget(log, feature="support-chat", usd_per_call=0.01)
    >>> lectr.assert_budget(log, usd_total=50)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    AssertionError: Over budget: 16222 calls
      OVER cost in total: $79.68; allowed $50.00
    ...
    """
    calls = _calls(as_log(log), feature)
    if calls.is_empty():
        of = f" of feature {formatting.name(feature)}" if feature else ""
        raise AssertionError(
            f"No call{of} was made: there is nothing to hold to a budget."
        )
    limits = [
        *_cost_limits(calls, usd_per_call, usd_total),
        *_time_limits(calls, {"total": p95_ms, "ttft": ttft_p95_ms}),
        *_error_limits(calls, error_rate),
    ]
    if not limits:
        raise ValueError("A budget needs a limit, such as usd_per_call=0.002.")
    if not all(limit.kept for limit in limits):
        raise AssertionError(_told(calls, limits, feature))


def _calls(log: pl.LazyFrame, feature: str | None) -> pl.DataFrame:
    mine = rows.is_request()
    if feature is not None:
        mine &= pl.col("feature") == feature
    unknown = rows.unpriced() | (rows.uncounted() & ~rows.is_priced())
    lacks = unknown.alias("lacks_cost")
    failed = rows.failed().alias("failed")
    return log.filter(mine).with_columns(lacks, failed, rows.model()).collect()


def _cost_limits(
    calls: pl.DataFrame, per_call: float | None, total: float | None
) -> list[_Limit]:
    """A call without a known cost breaks the budget: it may have cost anything."""
    spent, n = float(calls["cost_usd"].sum()), calls.height
    unknown = int(calls["lacks_cost"].sum())
    but = f", and {unknown} of {n} calls at an unknown cost" if unknown else ""
    return [
        _Limit(what, formatting.usd(usd) + but, formatting.usd(most), not but and ok)
        for what, usd, most, ok in (
            ("cost per call", spent / n, per_call, spent / n <= (per_call or 0)),
            ("cost in total", spent, total, spent <= (total or 0)),
        )
        if most is not None
    ]


def _time_limits(calls: pl.DataFrame, most_ms: dict[str, float | None]) -> list[_Limit]:
    limits = []
    for name, most in most_ms.items():
        if most is None:
            continue
        timed = calls.filter(rows.succeeded())[f"{name}_ms"]
        found = timed.quantile(0.95, "linear")
        shown = formatting.duration(found) if found is not None else "not known"
        kept = found is not None and found <= most
        limits.append(_Limit(f"{name} p95", shown, formatting.duration(most), kept))
    return limits


def _error_limits(calls: pl.DataFrame, most: float | None) -> list[_Limit]:
    if most is None:
        return []
    failed = int(calls["failed"].sum())
    rate = failed / calls.height
    shown = f"{formatting.percent(rate)} ({failed} of {calls.height})"
    return [_Limit("errors", shown, formatting.percent(most), rate <= most)]


def _told(calls: pl.DataFrame, limits: list[_Limit], feature: str | None) -> str:
    about = f" of {formatting.name(feature)}" if feature else ""
    n = calls.height
    lines = [f"Over budget: {n} call{'' if n == 1 else 's'}{about}"]
    for limit in limits:
        mark = "ok  " if limit.kept else "OVER"
        lines.append(f"  {mark} {limit.what}: {limit.found}; allowed {limit.allowed}")
    lines += ["Where it went, dearest first:", _table(calls)]
    unknown = calls.filter("lacks_cost")
    if not unknown.is_empty() and not all(limit.kept for limit in limits):
        lines += [f"At an unknown cost: {unknown.height} of {n}", _unknown(unknown)]
    return "\n".join(lines)


def _unknown(calls: pl.DataFrame) -> str:
    """The calls that may have cost anything, and why that is."""
    has_source = "price_source" in calls.columns  # the frame may be of one's own
    unlisted = pl.col("price_source").is_null() if has_source else pl.lit(True)
    why = (
        pl.when(~rows.counted())
        .then(pl.lit("not counted"))
        .when(unlisted)
        .then(pl.lit("no price"))
        .otherwise(pl.lit("a part without a price, or counts that contradict"))
    )
    shown = calls.sort("started_at").select(
        pl.col("started_at").dt.strftime("%H:%M:%S%.3f").alias("at_utc"),
        "model",
        "path",
        why.alias("why"),
    )
    lines = indent(text_table(shown.head(_SHOWN_ROWS), width=_WIDTH), "  ")
    more = shown.height - _SHOWN_ROWS
    return f"{lines}\n  and {more} more" if more > 0 else lines


def _table(calls: pl.DataFrame) -> str:
    """One line for each feature and model, the dearest; all others together."""
    keys = ["feature", "model"]
    order = _lines(calls).sort("spent", "calls", *keys, descending=True)
    shown, rest = order.head(_SHOWN_ROWS), order.slice(_SHOWN_ROWS)
    if not rest.is_empty():
        named = pl.lit(f"all others ({formatting.count(rest.height)})").alias("feature")
        others = calls.join(rest.select(keys), on=keys, how="semi", nulls_equal=True)
        shown = pl.concat(
            [shown, _lines(others.with_columns(named, model=pl.lit(None, pl.String)))]
        )
    return indent(text_table(shown.drop("spent"), width=_WIDTH), "  ")


def _lines(calls: pl.DataFrame) -> pl.DataFrame:
    """A row for each feature and model."""
    unknown = (pl.col("cost_usd").is_null() & pl.col("lacks_cost")).any()
    spent_usd = usd_sum("cost_usd")
    return calls.group_by("feature", "model").agg(
        pl.len().alias("calls"),
        spent_usd.alias("spent"),
        pl.when(~unknown).then(spent_usd / pl.len()).alias("per_call_usd"),
        pl.col("input_tokens").mean().round().cast(pl.Int64).alias("tokens_in"),
        pl.col("output_tokens").mean().round().cast(pl.Int64).alias("out"),
        pl.col("total_ms")
        .filter(rows.succeeded())
        .quantile(0.95, "linear")
        .alias("p95_ms"),
        pl.col("failed").sum(),
    )
