"""Views with a step of time, drawn: bars upon each other, or lines.

A group is a colour, the largest have one of their own, and what adds up is added up for
all others.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import altair as alt
import polars as pl

from lectr_lab.charts import style
from lectr_lab.charts.axes import time_axis
from lectr_lab.core.formatting import names

LEADING = 5
_PX = 220
_DAY_HOUR = "%-d %b %H:%M"  # 24 hours, not Vega's 12
_DAY = "%-d %b"
# The longest gap that a step leaves, its length, its word, and how its start is written.
_STEPS = (
    (timedelta(minutes=1), "1m", "minute", "%H:%M"),
    (timedelta(minutes=10), "10m", "10 minutes", "%H:%M"),
    (timedelta(hours=2), "1h", "hour", _DAY_HOUR),
    (timedelta(hours=7), "6h", "6 hours", _DAY_HOUR),
    (timedelta(hours=49), "1d", "day", _DAY),
    # Steps so long that a log may have the same day of two years.
    (timedelta(days=8), "1w", "week", "%-d %b %Y"),
    (timedelta(days=32), "1mo", "month", "%b %Y"),
)
_OF_STEP = {length: (word, form) for _, length, word, form in _STEPS}
_WORDS = {"1w": "in the week of", "1mo": "in"}  # else on, or at


def is_over_time(view: pl.DataFrame) -> bool:
    """It has rows, and its keys, which stand before `requests`, name a step of time."""
    keys = view.columns[: view.columns.index("requests")]
    return "time" in keys and not view.is_empty()


def step_of(times: pl.Series) -> str:
    """How long the steps of a view are, told by the least gap between two; of one step
    alone, a day.

    >>> step_of(pl.Series([timedelta(0), timedelta(days=1)]) + pl.datetime(2026, 11, 2))
    '1d'
    """
    gap = times.unique().sort().diff().min()
    if not isinstance(gap, timedelta):
        return "1d"
    whole = next((length for most, length, *_ in _STEPS if gap <= most), None)
    seconds = int(gap.total_seconds())
    exact = {60: "1m", 600: "10m", 3_600: "1h", 21_600: "6h"}
    short = exact.get(seconds, f"{seconds}s")
    return short if gap < timedelta(hours=23) else whole or f"{gap.days}d"


def unit_of(every: str) -> str:
    """A step in a word, such as `day` of "1d"."""
    return _OF_STEP[every][0] if every in _OF_STEP else every


def moment_text(at: Any, every: str) -> str:
    """When a step began, with the word before it: "on 9 Nov"."""
    form = _form(every)
    word = "at" if "%H" in form else _WORDS.get(every, "on")
    return f"{word} {at:{form}}"


def _form(every: str) -> str:
    if every in _OF_STEP:
        return _OF_STEP[every][1]
    return _DAY_HOUR if every[-1] in "smh" else "%-d %b %Y"


def leading_steps(
    view: pl.DataFrame, value: str, *, others: bool = True
) -> tuple[pl.DataFrame, str]:
    """The steps of a view's largest groups, and of all others together.

    Args:
        view: its keys stand before `requests`, `time` among them.
        value: the column that is drawn.
        others: it adds up; else all others are left out, and the largest are those of
            most requests.

    Returns:
        `time`, `label`, `rank` (1 the largest; 0 all others), `requests` and the value,
        in the order of time; and what the labels name.
    """
    keys = [key for key in style.keys_of(view) if key != "time"]
    words = [
        " · ".join(map(style.key_text, row)) for row in view.select(keys).iter_rows()
    ]
    labelled = view.select(
        "time",
        pl.Series("label", words or [""] * len(view), pl.String),
        "requests",
        value,
    )
    size = value if others else "requests"
    sums = labelled.group_by("label").agg(pl.col(size).sum().alias("size"))
    ranks = sums.sort(
        "size", "label", descending=[True, False], nulls_last=True
    ).with_row_index("rank", 1)
    ranked = labelled.join(ranks, on="label").with_columns(
        pl.col("rank").cast(pl.Int64)
    )
    if ranks.height > LEADING:
        lead = pl.col("rank") <= LEADING
        if not others:
            ranked = ranked.filter(lead)
        ranked = ranked.with_columns(
            pl.when(lead).then("label").otherwise(pl.lit(style.OTHERS)).alias("label"),
            pl.when(lead).then("rank").otherwise(0).alias("rank"),
        )
    known = pl.col(value)
    summed = pl.when(known.is_not_null().any()).then(known.sum()).alias(value)
    found = ranked.group_by("time", "label", "rank").agg(
        pl.col("requests").sum(), summed
    )
    return found.sort("time", "rank"), " · ".join(keys) or "all"


def timeline(
    steps: pl.DataFrame,
    value: str,
    write: Callable[[Any], str],
    *,
    every: str,
    whose: str,
    title: str,
    words: str,
    axis: Callable[[float], dict[str, Any]],
    lines: bool = False,
) -> alt.LayerChart:
    """Steps of time, a colour for each group.

    Args:
        steps: as `leading_steps` gives them.
        value: what is drawn.
        write: how a value is written in a tooltip.
        every: how long a step is.
        whose: what the groups are, such as `feature`.
        title: what was found.
        words: what is drawn, for the subtitle.
        axis: of the value, up to its largest.
        lines: lines in place of bars, for what does not add up.
    """
    series = (
        steps.select("rank", "label").unique("rank").sort(pl.col("rank") == 0, "rank")
    )
    groups = series["label"].to_list()
    labels = names(groups, style.NAME_LETTERS)
    keys = style.keyed(labels)
    places = {rank: place for place, rank in enumerate(series["rank"])}
    by_place: list[int] = [places[rank] for rank in steps["rank"]]
    # Wall-clock time, then called UTC: it reads the same in every browser.
    wall = pl.col("time").dt.replace_time_zone(None).dt.replace_time_zone("UTC")
    shown = steps.with_columns(
        wall,
        wall.dt.offset_by(every).alias("end"),
        pl.Series("place", by_place, pl.Int64),
        pl.Series("key", [keys[place] for place in by_place], pl.String),
        pl.Series("label", [labels[place] for place in by_place], pl.String),
        style.texts(steps, lambda row: write(row[value])),
    ).select("time", "end", "label", "key", "place", value, "text")
    colours: dict[str, Any] = {"domain": keys, "range": style.series_colours(groups)}
    most = style.largest(shown if lines else _sums(shown, value), value) or 1.0
    up = style.quiet(**axis(most))
    width = style.plot_px(up["minExtent"])
    first, end = shown["time"].min(), shown["end"].max()
    along = style.quiet(grid=False, values=[])
    if isinstance(first, datetime) and isinstance(end, datetime):
        along |= time_axis(first, end, every, width)
    x = alt.X("time").axis(**along)
    scale: dict[str, Any] = {"type": "utc"} | ({} if labels else {"domain": [0, 1]})
    legend = {**style.legend(labels), **style.UNKEYED} if labels else None
    encoded: dict[str, Any] = {
        "y": alt.Y(value).scale(domain=[0, most * 1.02], nice=False).axis(**up),
        "color": alt.Color("key", legend=legend).scale(**colours),
        "tooltip": [style.tip("label", whose), "time", style.tip("text", words)],
    }
    chart = alt.Chart(shown)
    if lines:
        point = {"filled": True, "size": 18}
        drawn = chart.mark_line(point=point, strokeWidth=1.6).encode(
            x.scale(**scale), **encoded
        )
    else:
        drawn = chart.mark_bar(binSpacing=2, **style.EDGED).encode(
            x.bin("binned").scale(**scale),
            x2=alt.X2("end"),
            order=alt.Order("place"),
            **encoded,
        )
    subtitle = f"{words} per {unit_of(every)}"
    return style.titled(title, subtitle, _PX, drawn, width=width)


def _sums(steps: pl.DataFrame, value: str) -> pl.DataFrame:
    """All groups of a step together."""
    return steps.group_by("time").agg(pl.col(value).sum())


def largest_step(
    steps: pl.DataFrame, value: str, write: Callable[[Any], str], every: str
) -> str:
    """The largest step of all groups together, in words, where there is more than one."""
    sums = steps.group_by("time").agg(pl.col(value).sum())
    top = sums.sort(value, "time", descending=[True, False], nulls_last=True).head(1)
    row = style.first_row(top)
    if sums.height < 2 or row is None or not row[value]:
        return ""
    return f"; the most, {write(row[value])}, {moment_text(row['time'], every)}"
