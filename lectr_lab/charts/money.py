"""Where the money goes."""

import altair as alt
import polars as pl

from lectr_lab.charts import style
from lectr_lab.charts.axes import usd_axis
from lectr_lab.charts.over_time import (
    is_over_time,
    largest_step,
    leading_steps,
    step_of,
    timeline,
)
from lectr_lab.core.formatting import count, percent, usd

_OF_A_STEP = {"time", "rank", "requests", "spend_usd"}


def spend_bars(spend: pl.DataFrame | pl.LazyFrame) -> alt.LayerChart:
    """Spend per group, dearest on top, in US dollars; with a step of time, over time.
    Takes what `spend` gives.

    Raises:
        LabError: it is no view, but a log, say.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> chart = lectr.spend_bars(lectr.spend(log).collect())
    >>> print(chart.to_dict()["title"]["text"])
    report-writer: 32 % of the spend
    """
    groups = style.finished(spend, "spend")
    if is_over_time(groups):
        steps, whose = leading_steps(groups, "spend_usd")
        return _over_time(steps, whose, step_of(groups["time"]))
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
    return style.beside(title, subtitle, shown, *layers)


def _spend_text(row: style.Row) -> str:
    n = f"n {count(row['requests'])}"
    if row["spend_usd"] is None:
        return f"no price known · {n}"
    unpriced = f" · {count(row['unpriced'])} unpriced" if row["unpriced"] else ""
    share = percent(row["share_of_spend"])
    return f"{usd(row['spend_usd'])} · {share} · {n}{unpriced}"


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
    [by] = set(steps.columns) - _OF_A_STEP
    named = [
        style.key_text(key) if rank else style.OTHERS
        for key, rank in steps.select(by, "rank").iter_rows()
    ]
    labelled = steps.with_columns(pl.Series("label", named, pl.String))
    return _over_time(labelled, by, every)


def _over_time(steps: pl.DataFrame, whose: str, every: str) -> alt.LayerChart:
    most = largest_step(steps, "spend_usd", usd, every)
    return timeline(
        steps,
        "spend_usd",
        usd,
        every=every,
        whose=whose,
        title=f"{usd(float(steps['spend_usd'].sum()))} in all{most}",
        words="US dollars",
        axis=usd_axis,
    )
