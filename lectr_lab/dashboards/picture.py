"""The charts of a log as one picture, for places that show no pages."""

from typing import Any

import altair as alt
import polars as pl
import vl_convert

from lectr_lab import charts
from lectr_lab.analysis.views import health, spend, summary
from lectr_lab.charts import style
from lectr_lab.core.formatting import name
from lectr_lab.dashboards.payload import TITLE
from lectr_lab.dashboards.steps import step

_BARS = 12


def picture(
    log: pl.LazyFrame, *, title: str = TITLE, tz: str = "UTC", by: str = "feature"
) -> bytes:
    """The charts of a log as one PNG; `by` names a column in the place of the features.

    Raises:
        LabError: they cannot be drawn, or there is no such column.
    """
    white = {"background": "white"}
    whole = _whole(log, title, tz, by)
    return style.rendered(vl_convert.vegalite_to_png, whole, scale=2, config=white)


def _whole(log: pl.LazyFrame, title: str, tz: str, by: str) -> alt.ConcatChart:
    totals, charts = _charts(log, tz, by)
    whole = alt.concat(*charts or [_nothing_yet()], columns=2, spacing=44, align="none")
    own = whole.resolve_scale(color="independent").resolve_legend(color="independent")
    line, *_ = summary.totals_text(totals.row(0, named=True)).splitlines()
    head = alt.TitleParams(
        name(title),
        subtitle=line,
        anchor="start",
        fontSize=20,
        subtitleFontSize=13,
        subtitlePadding=8,
        offset=24,
    )
    return own.properties(title=head, padding=24)


def _nothing_yet() -> alt.LayerChart:
    nothing = alt.Chart(pl.DataFrame({"text": ["No request has been logged yet."]}))
    text = nothing.mark_text(fontSize=14, color=style.SOFT).encode(text="text")
    return alt.LayerChart(layer=[text])


def _charts(
    log: pl.LazyFrame, tz: str, by: str
) -> tuple[pl.DataFrame, list[alt.LayerChart]]:
    """The row of all, and what is drawn; nothing of an empty log."""
    when = pl.col("started_at")
    span = log.select(when.min().alias("first"), when.max().alias("last")).collect()
    every = step(*span.row(0))
    log = log.cache()  # read and priced once for all that follows
    totals, dear, steps, slow, bad, tokens = pl.collect_all(
        [
            summary.totals(log),
            spend.spend(log, by).head(_BARS),
            spend.spend_over_time(log, every, by=by, tz=tz),
            health.latency(log, by).head(_BARS),
            health.errors(log, by).head(_BARS),
            spend.tokens(log, by).head(_BARS),
        ]
    )
    if not totals["requests"].item():
        return totals, []
    drawn: list[Any] = [charts.spend_bars(dear)]
    if steps["time"].n_unique() > 1:  # one bar of everything says nothing of time
        drawn.append(charts.spend_timeline(steps, every))
    return totals, [
        *drawn,
        charts.latency_ranges(slow),
        charts.error_rates(bad),
        charts.token_bars(tokens),
        *([charts.untagged_bars(totals)] if by == "feature" else []),
    ]
