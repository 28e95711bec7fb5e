"""How slow and how reliable."""

from typing import Any

import altair as alt
import polars as pl

from lectr_lab.charts import style
from lectr_lab.charts.axes import count_axis, ms_axis
from lectr_lab.charts.over_time import (
    is_over_time,
    largest_step,
    leading_steps,
    moment_text,
    step_of,
    timeline,
)
from lectr_lab.core.formatting import count, duration, name, percent

_LOG_FROM = 30.0  # largest over smallest: from here a linear scale hides the small ones
_LOG_TICKS_MS = (1, 10, 100, 1_000, 10_000, 60_000, 600_000, 3_600_000)
_ENOUGH_FOR_P95 = 20
_MS_LABEL = (
    "datum.value && datum.value % 60000 === 0 ? datum.value / 60000 + ' min'"
    " : datum.value >= 1000 ? datum.value / 1000 + ' s' : datum.value + ' ms'"
)


def latency_ranges(
    latency: pl.DataFrame | pl.LazyFrame, of: str = "total"
) -> alt.LayerChart:
    """p50, p95 and p99 per group, slowest on top; with a step of time, p95 over time of
    the groups with most requests. Takes what `latency` gives.

    Args:
        latency: one row per group.
        of: which duration: total, ttfb, ttft or overhead.

    Raises:
        LabError: it is no view, but a log, say.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> chart = lectr.latency_ranges(lectr.latency(log).collect())
    >>> print(chart.to_dict()["title"]["text"])
    document-qa: one in 20 takes over 55.6 s
    """
    p50, p95, p99, n = (f"{of}_{end}" for end in ("p50_ms", "p95_ms", "p99_ms", "n"))

    def about(row: style.Row, ms: str) -> str:
        return f"{'≈ ' if is_binned else ''}{duration(row[ms])}"

    def text(row: style.Row) -> str:
        return f"{about(row, p50)} · {about(row, p95)} · n {count(row[n])}"

    groups = style.finished(latency, "latency")
    if is_over_time(groups):
        return _p95_over_time(groups, of)
    how: Any = groups["percentiles"] if "percentiles" in groups.columns else ()
    is_binned = "binned" in how
    timed = groups.filter(pl.col(n) > 0).sort(p95, descending=True)
    shown = style.labelled(timed, text).select(
        "label", "short", "key", "text", p50, p95, p99, n
    )
    top = style.first_row(shown)
    title = "No request has been timed yet"
    if top is not None:
        slow = f"one in 20 takes over {about(top, p95)}"
        few = f"{about(top, p50)} in the median of {count(top[n])}"
        finding = slow if top[n] >= _ENOUGH_FOR_P95 else few
        title = f"{top['short']}: {finding}"
    scale, ticks = _ms_scale(
        style.smallest(shown, p50), style.largest(shown, p99), style.room(shown)
    )
    x = alt.X(p50).scale(**scale).axis(**style.quiet(labelExpr=_MS_LABEL, **ticks))
    base = alt.Chart(shown).encode(
        x,
        style.names_on_y(shown),
        tooltip=[style.tip("label", style.whose(groups)), "text"],
    )
    reach: dict[str, Any] = {"strokeWidth": 5, "strokeCap": "round", "opacity": 0.55}
    layers = (
        base.mark_rule(color=style.SKY, **reach).encode(x2=p99),
        base.mark_tick(thickness=3, size=15, color=style.VERMILLION).encode(x=p95),
        base.mark_point(filled=True, size=90, color=style.BLUE, opacity=1),
        base.mark_text(**style.TEXT).encode(x=p99, text="text"),
    )
    subtitle = style.subtitle("dot p50 · tick p95 · line to p99 · n succeeded", timed)
    return style.beside(title, subtitle, shown, *layers)


def _ms_scale(
    least: float, most: float, room: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A scale and its ticks: linear from 0, or logarithmic where values lie far apart."""
    if not least or most / least < _LOG_FROM:
        return {"domain": [0, (most or 1) * room], "nice": False}, {"tickCount": 4}
    low, high = least / 1.6, most * (most / least) ** (room - 1)
    ticks = [t for t in _LOG_TICKS_MS if low <= t <= most * 1.5]
    return {"type": "log", "domain": [low, high]}, {"values": ticks}


def error_rates(errors: pl.DataFrame | pl.LazyFrame) -> alt.LayerChart:
    """Error rate per group with its 95 % interval; with a step of time, how many failed.
    Takes what `errors` gives.

    Raises:
        LabError: it is no view, but a log, say.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> chart = lectr.error_rates(lectr.errors(log).collect())
    >>> print(chart.to_dict()["title"]["text"])
    coding-agent: 65 of 714 requests failed
    """
    some = style.finished(errors, "errors").filter(pl.col("requests") > 0)
    if is_over_time(some):
        return _errors_over_time(some)
    shown = style.labelled(some, _error_text, others=True)
    top = style.first_row(shown)
    title = "No request failed"
    if top is not None and top["errors"]:
        failed = f"{count(top['errors'])} of {count(top['requests'])} requests failed"
        title = f"{top['short']}: {failed}"
    most = max(style.largest(shown, "error_rate_high"), 0.01)
    axis = style.quiet(format=".0%" if most > 0.04 else ".1%", tickCount=4)
    x = alt.X("error_rate").scale(domain=[0, most * style.room(shown)], nice=False)
    base = alt.Chart(shown).encode(
        x.axis(**axis),
        style.names_on_y(shown),
        tooltip=[style.tip("label", style.whose(some)), style.tip("text", "errors")],
    )
    layers = (
        base.mark_rule(color=style.LINE, strokeWidth=5, strokeCap="round").encode(
            x="error_rate_low", x2="error_rate_high"
        ),
        base.mark_point(filled=True, size=90, color=style.VERMILLION, opacity=1),
        base.mark_text(**style.TEXT).encode(x="error_rate_high", text="text"),
    )
    words = "error rate · its 95 % interval · errors of requests"
    subtitle = style.subtitle(words, some)
    return style.beside(title, subtitle, shown, *layers)


def _error_text(row: style.Row) -> str:
    of = f"{count(row['errors'])} of {count(row['requests'])}"
    return f"{percent(row['error_rate'])} · {of}"


def _errors_over_time(errors: pl.DataFrame) -> alt.LayerChart:
    """How many failed in each step, a colour for each group or kind of failure."""
    every = step_of(errors["time"])
    steps, whose = leading_steps(errors, "errors")
    failed = int(errors["errors"].sum())
    # By kinds of failure, each row has all that could have failed so.
    of = "" if "share_of_errors" in errors.columns else _of_all(errors)
    most = largest_step(steps, "errors", count, every)
    title = (
        f"{count(failed)}{of} requests failed{most}" if failed else "No request failed"
    )
    return timeline(
        steps,
        "errors",
        count,
        every=every,
        whose=whose,
        title=title,
        words="failed",
        axis=count_axis,
    )


def _of_all(errors: pl.DataFrame) -> str:
    return f" of {count(int(errors['requests'].sum()))}"


def _p95_over_time(latency: pl.DataFrame, of: str) -> alt.LayerChart:
    """Lines, for percentiles do not add up."""
    every, p95, n = step_of(latency["time"]), f"{of}_p95_ms", f"{of}_n"
    timed = latency.filter(pl.col(n) > 0)
    steps, whose = leading_steps(timed, p95, others=False)
    top = style.first_row(steps.sort(p95, descending=True, nulls_last=True))
    title = "No request has been timed yet"
    if top is not None:
        slow, at = duration(top[p95]), moment_text(top["time"], every)
        title = f"{name(top['label'], style.NAME_LETTERS)}: p95 up to {slow}, {at}"
    return timeline(
        steps,
        p95,
        duration,
        every=every,
        whose=whose,
        title=title,
        words=f"p95 of {of}",
        axis=ms_axis,
        lines=True,
    )
