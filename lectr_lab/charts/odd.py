"""One series around an incident, drawn: what was, what was expected, and since when."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import altair as alt
import polars as pl

from lectr_lab.charts import style
from lectr_lab.core.formatting import duration, percent, tokens, usd

_PX = 200
_HALF_HOUR = timedelta(minutes=30)
_ROOM = 1.15  # above the highest value
_BAND_ROOM = 1.6  # a band may reach so far above what was; the rest of it is cut
_CUT_AT = 1.2  # of the axis: far beyond it nothing can be drawn
_DURATION = (
    "datum.value >= 60000 ? format(datum.value / 60000, '.2~r') + ' min' : "
    "datum.value >= 1000 ? format(datum.value / 1000, '.2~r') + ' s' : "
    "format(datum.value, '.2~r') + ' ms'"
)


class _Unit(NamedTuple):
    """How the values of a kind are called and written."""

    words: str
    axis: dict[str, Any]
    write: Any


_COUNT = _Unit(
    "requests per hour",
    {"format": "~s"},
    lambda n: f"{n:,.0f}" if n >= 10 else f"{n:.2g}",
)
_SHARE: dict[str, Any] = {"format": ".0%"}
UNITS = {
    "traffic_high": _COUNT,
    "traffic_low": _COUNT,
    "spend": _Unit("USD per hour", {"format": "$~r"}, usd),
    "unit_cost": _Unit("USD per request", {"format": "$~r"}, usd),
    "errors": _Unit("share of requests that failed", _SHARE, percent),
    "latency": _Unit("time of a typical answer", {"labelExpr": _DURATION}, duration),
    "latency_tail": _Unit("share of slow answers", _SHARE, percent),
    "prompt": _Unit(
        "tokens of a typical prompt", {"format": "~s"}, lambda n: tokens(round(n))
    ),
    "answer": _Unit(
        "tokens of a typical answer", {"format": "~s"}, lambda n: tokens(round(n))
    ),
    "cache": _Unit("share of the input cached", _SHARE, percent),
    "models": _Unit("requests of seldom models", _SHARE, percent),
}
"""Of each kind of incident: what its values are, and how they are written."""


def odd_series(
    series: pl.DataFrame,
    kind: str,
    *,
    onset: datetime,
    end: datetime | None,
    title: str,
) -> style.Drawing:
    """A series by the hour, with its incident shaded and its onset marked.

    Args:
        series: `time` (in the zone that is to be read), `actual`, `expected`, `low` and
            `high`, an hour a row, as `Oddities.series` gives them.
        kind: of the incident, which says what the values are.
        onset: when it began, in that zone.
        end: when it ended; None while it goes on.
        title: what is drawn.
    """
    unit = UNITS[kind]
    # An hour stands at its middle, so that a short incident stands beside its hour.
    wall = pl.col("time").dt.replace_time_zone(None).dt.replace_time_zone("UTC")
    wall = wall + _HALF_HOUR
    top = _top(series)
    values = pl.col("actual", "expected", "low", "high")
    shown = series.select(wall, values.clip(0, top * _CUT_AT), *_words(series, unit))
    last = shown["time"].max()
    begins = onset.replace(tzinfo=None)
    ends = last if end is None else end.replace(tzinfo=None)
    x = (
        alt.X("time")
        .axis(
            **style.quiet(
                grid=False, format="%-d %b", tickCount={"interval": "day", "step": 1}
            )
        )
        .scale(type="utc")
    )
    y = (
        alt.Y("actual")
        .axis(**style.quiet(tickCount=4, **unit.axis))
        .scale(domain=[0, top], nice=True)
    )
    tips = ["time", style.tip("was", unit.words), style.tip("meant", "expected")]
    span = pl.DataFrame(
        {"time": [begins], "end": [ends], "word": [f"since {begins:%H:%M}"]}
    ).with_columns(
        pl.col("time", "end").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    )
    base, incident = alt.Chart(shown), alt.Chart(span)
    band = base.mark_area(color=style.REST, clip=True).encode(
        x, alt.Y("low").axis(**style.quiet(tickCount=4, **unit.axis)), alt.Y2("high")
    )
    shade = incident.mark_rect(color=style.VERMILLION, opacity=0.18).encode(
        x, x2=alt.X2("end")
    )
    rule = incident.mark_rule(color=style.VERMILLION, strokeWidth=1.5).encode(x)
    word = incident.mark_text(
        align="right", dx=-6, baseline="top", color=style.SOFT, fontSize=11
    ).encode(x, y=alt.value(2), text="word")
    expected = base.mark_line(
        color=style.SOFT, strokeDash=[4, 3], strokeWidth=1.2, clip=True
    ).encode(x, alt.Y("expected"))
    point = {"filled": True, "size": 16, "color": style.BLUE}
    actual = base.mark_line(color=style.BLUE, strokeWidth=1.6, point=point).encode(
        x, y, tooltip=tips
    )
    subtitle = f"{unit.words}; dashed: expected, grey: its band, shaded: the incident"
    return style.titled(title, subtitle, _PX, band, shade, expected, rule, actual, word)


def _words(series: pl.DataFrame, unit: _Unit) -> list[pl.Series]:
    """Values in words, for tooltips."""
    return [
        pl.Series(
            called,
            [None if v is None else unit.write(v) for v in series[column]],
            pl.String,
        )
        for called, column in (("was", "actual"), ("meant", "expected"))
    ]


def _top(series: pl.DataFrame) -> float:
    """Where the axis ends: above all that was, and above most of the band."""
    highest = series.select(pl.col("actual", "expected", "high").max())
    actual, expected, high = (float(v or 0) for v in highest.row(0))
    most = max(actual, expected)
    return max(most * _ROOM, min(high, most * _BAND_ROOM)) or 1.0
