"""An incident in a sentence that says what, when, how much and how seldom."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from lectr_lab.core import formatting

NAMES = {
    "traffic_high": "more requests",
    "traffic_low": "fewer requests",
    "spend": "more spend",
    "unit_cost": "dearer requests",
    "errors": "more errors",
    "latency": "slower answers",
    "latency_tail": "more slow answers",
    "prompt": "other prompt lengths",
    "answer": "other answer lengths",
    "cache": "less of the input cached",
    "models": "another mix of models",
}
"""What each kind is called."""

_PARTS = {
    "requests": "the number of requests",
    "models": "the models",
    "cache": "the cache",
    "prompt": "the length of prompts",
    "answer": "the length of answers",
    "price": "the price",
}
_MOST_WEEKS = 1000


def sentence(
    *,
    series: Sequence[str | None],
    kind: str,
    model: str | None,
    actual: float,
    expected: float,
    size: float,
    n: int,
    since: datetime,
    until: datetime | None,
    feature_weeks: float,
    usd_over: float,
    parts: Mapping[str, float],
    also: Sequence[str],
) -> str:
    """One incident, for people.

    Args:
        series: the names that it is of, the org left out where it is one alone.
        kind: the strongest one.
        model: whose share rose, where that is the kind; None for several.
        actual: in the units of the kind, as `expected`.
        expected: what was expected.
        size: their ratio.
        n: requests in it.
        since: its onset, in the zone that it is to be written in.
        until: its end; None while it is open.
        feature_weeks: in how many chance would show one like it.
        usd_over: dollars more than expected.
        parts: `split.parts` of these.
        also: the other kinds.
    """
    whose = ", ".join(formatting.name(name) for name in series)
    what = _what(kind, model, actual, expected, size)
    others = f" (also {', '.join(NAMES[kind] for kind in also)})" if also else ""
    when = f"since {_moment(since)}" if until is None else _span(since, until)
    money = _money(usd_over, parts)
    weeks = formatting.count(round(feature_weeks)) if feature_weeks >= 2 else None
    if weeks is None:
        seldom = f"{feature_weeks:.2g} feature-weeks"
    elif feature_weeks > _MOST_WEEKS:
        seldom = f"more than {formatting.count(_MOST_WEEKS)} feature-weeks"
    else:
        seldom = f"{weeks} feature-weeks"
    requests = f"{formatting.count(n)} {'request' if n == 1 else 'requests'}"
    return (
        f"{whose}: {what}{others}, {when}, {requests}.{money} "
        f"Chance shows one like this in {seldom}."
    )


def _what(
    kind: str, model: str | None, actual: float, expected: float, size: float
) -> str:
    if kind in ("traffic_high", "traffic_low"):
        was = f"{actual:,.0f} requests where {_figure(expected)} were expected"
        return f"{was}, {_times(size)}" if actual else f"silence: {was}"
    if kind == "spend":
        return (
            f"{formatting.usd(actual)} spent where {formatting.usd(expected)} was "
            f"expected, {_times(size)}"
        )
    if kind == "models":
        whose = formatting.name(model) if model else "seldom models"
        return (
            f"{formatting.percent(actual)} of requests went to {whose}, "
            f"{formatting.percent(expected)} was expected"
        )
    if kind in ("errors", "latency_tail", "cache"):
        of = {
            "errors": "of requests failed",
            "latency_tail": "of answers were slower than the p95 of the week before",
            "cache": "of the input came from the cache",
        }[kind]
        was = formatting.percent(expected)
        return f"{formatting.percent(actual)} {of}, {was} was expected"
    shown, usual, of = {
        "latency": (*map(formatting.duration, (actual, expected)), "answer took"),
        "unit_cost": (*map(formatting.usd, (actual, expected)), "request cost"),
        "prompt": (*map(_tokens, (actual, expected)), "prompt had"),
        "answer": (*map(_tokens, (actual, expected)), "answer had"),
    }[kind]
    return f"a typical {of} {shown}, not {usual}, {_times(size)} as much"


def _tokens(n: float) -> str:
    return f"{formatting.tokens(round(n))} tokens"


def _figure(n: float) -> str:
    return f"{n:,.0f}" if n >= 10 else f"{n:.2g}"


def _times(size: float) -> str:
    if size == float("inf"):
        return "from nothing"
    return f"{size:.3g} times" if size >= 0.1 else f"{size:.1g} times"


def _money(usd_over: float, parts: Mapping[str, float]) -> str:
    if abs(usd_over) < 0.005:
        return ""
    way = "over" if usd_over > 0 else "under"
    large = [
        f"{'' if usd > 0 else '-'}{formatting.usd(abs(usd))} by {_PARTS[name]}"
        for name, usd in sorted(parts.items(), key=lambda part: -abs(part[1]))
        if abs(usd) >= 0.1 * abs(usd_over)
    ]
    split = f": {', '.join(large)}" if large else ""
    return f" {formatting.usd(abs(usd_over))} {way} what was expected{split}."


def _span(since: datetime, until: datetime) -> str:
    return f"from {_moment(since)} for {_length(until - since)}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _length(time: timedelta) -> str:
    return formatting.duration(time.total_seconds() * 1000)
