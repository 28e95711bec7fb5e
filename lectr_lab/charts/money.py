"""Where the money goes."""

from typing import Any

import altair as alt
import polars as pl

from lectr_lab.charts import style
from lectr_lab.core.formatting import count, names, percent, usd

_TIME_PX = 220
_DAY_HOUR = "%-d %b %H:%M"  # 24 hours, not Vega's 12
_CLOCK = {"1m": "%H:%M", "10m": "%H:%M", "1h": _DAY_HOUR, "6h": _DAY_HOUR}
# Steps so long that a log may have the same day of two years.
_LONG = {"1w": "%-d %b %Y", "1mo": "%b %Y"}
_DAY = "%-d %b"
_UNITS = {"1mo": "month", "1w": "week", "1d": "day", "1h": "hour", "1m": "minute"}
_OF_A_STEP = {"time", "rank", "requests", "spend_usd"}
_UNITS |= {"10m": "10 minutes", "6h": "6 hours"}


def spend_bars(spend: pl.DataFrame | pl.LazyFrame) -> alt.LayerChart:
    """Spend per group, dearest on top, in US dollars. Takes what `spend` gives.

    Raises:
        LabError: it is no view, but a log, say.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> chart = lectr.spend_bars(lectr.spend(log).collect())
    >>> print(chart.to_dict()["title"]["text"])
    report-writer: 32 % of the spend
    """
    groups = style.finished(spend, "spend")
    shown = style.labelled(groups, _spend_text, others=True)
    shown = shown.with_columns(style.bar_colours(shown))
    top = style.first_row(shown)
    title = "No spend that is known"
    if top is not None and top["share_of_spend"]:
        share = percent(top["share_of_spend"])
        title = f"{top['short']}: {share} of the spend"
    elif top is not None and top["spend_usd"] == 0:
        title = "Nothing was spent"
    y = style.names_on_y(shown)
    tips = [style.tip("label", style.whose(groups)), style.tip("text", "spend")]
    x = style.length("spend_usd", style.largest(shown, "spend_usd"), style.room(shown))
    bars = alt.Chart(shown).mark_bar(cornerRadiusEnd=2, **style.BAR)
    labelled = alt.Chart(shown.with_columns(pl.col("spend_usd").fill_null(0)))
    layers = (
        bars.encode(x, y, alt.Color("colour").scale(None), tooltip=tips),
        labelled.mark_text(**style.TEXT).encode(x, y, text="text"),
    )
    subtitle = style.subtitle("US dollars · share · n requests", groups)
    return style.titled(title, subtitle, style.height(len(shown)), *layers)


def _spend_text(row: style.Row) -> str:
    n = f"n {count(row['requests'])}"
    if row["spend_usd"] is None:
        return f"no price known · {n}"
    unpriced = f" · {count(row['unpriced'])} unpriced" if row["unpriced"] else ""
    share = percent(row["share_of_spend"])
    return f"{usd(row['spend_usd'])} · {share} · {n}{unpriced}"


def _label(every: str) -> str:
    return f"utcFormat(datum.value, '{(_CLOCK | _LONG).get(every, _DAY)}')"


def spend_timeline(
    steps: pl.DataFrame | pl.LazyFrame, every: str = "1d"
) -> alt.LayerChart:
    """Spend per step of time, by feature. Takes what `spend_over_time` gives.

    Args:
        steps: `time`, `feature` or another key (null: all others), `rank` (1 the
            dearest; 0 the others), `spend_usd`, `requests`.
        every: the length of a step, as it was given to `spend_over_time`.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> chart = lectr.spend_timeline(lectr.spend_over_time(log).collect())
    >>> print(chart.to_dict()["title"]["text"])
    $79.68 in all; the most, $5.37, on 17 Nov
    """
    steps = style.finished(steps, "spend_over_time")
    ranks = sorted(steps["rank"].unique(), key=lambda rank: (rank == 0, rank))
    [by] = set(steps.columns) - _OF_A_STEP
    by_rank = dict(zip(steps["rank"], steps[by], strict=True))
    features = [style.key_text(by_rank[r]) if r else style.OTHERS for r in ranks]
    labels = names(features, style.NAME_LETTERS)
    keys, places = style.keyed(labels), range(len(ranks))
    types: dict[str, pl.DataType] = {"rank": steps.schema["rank"], "place": pl.Int64()}
    types |= {"label": pl.String(), "key": pl.String()}
    series = pl.DataFrame(
        {"rank": ranks, "place": places, "label": labels, "key": keys}, types
    )
    # Wall-clock time, then called UTC: it reads the same in every browser.
    wall = pl.col("time").dt.replace_time_zone(None).dt.replace_time_zone("UTC")
    shown = (
        steps.with_columns(style.texts(steps, lambda row: usd(row["spend_usd"])))
        .join(series, on="rank", maintain_order="left")
        .with_columns(time=wall, end=wall.dt.offset_by(every))
        .select("time", "end", "label", "key", "place", "spend_usd", "text")
    )
    colours: dict[str, Any] = {
        "domain": keys,
        "range": style.series_colours(features),
    }
    bars = (
        alt.Chart(shown)
        .mark_bar(binSpacing=2)
        .encode(
            alt.X("time")
            .bin("binned")
            .scale(type="utc")
            # Not `format`: it would also be that of a bar's range, read as a number's.
            .axis(**style.quiet(grid=False, labelExpr=_label(every))),
            alt.X2("end"),
            alt.Y("spend_usd").axis(**style.quiet(format="$~f", tickCount=4)),
            alt.Color("key")
            .scale(**colours)
            .legend(**style.legend(columns=3), **style.UNKEYED),
            alt.Order("place"),
            tooltip=[style.tip("label", by), "time", style.tip("text", "spend")],
        )
    )
    title = f"{usd(float(steps['spend_usd'].sum()))} in all{_most(steps, every)}"
    subtitle = f"US dollars per {_UNITS.get(every, every)}"
    return style.titled(title, subtitle, _TIME_PX, bars)


def _most(steps: pl.DataFrame, every: str) -> str:
    """The dearest step, in words, where there is more than one."""
    sums = steps.group_by("time").agg(pl.col("spend_usd").sum())
    top = sums.sort("spend_usd", "time", descending=[True, False]).head(1).to_dicts()
    if sums.height < 2 or not top[0]["spend_usd"]:
        return ""
    at = top[0]["time"]
    day = _LONG.get(every, _DAY_HOUR if every in _CLOCK else _DAY)
    word = "at" if every in _CLOCK else "in" if every == "1mo" else "on"
    return f"; the most, {usd(top[0]['spend_usd'])}, {word} {at:{day}}"
