"""The charts arranged: one HTML file that opens with the network cut, or one picture.

Everything a client sent is escaped for the place it stands in: HTML text, a script
block, a TOML snippet. The page's own policy forbids it to load or send anything.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import altair as alt
import polars as pl
import vl_convert

from lectr_lab import charts
from lectr_lab.analysis import health, quality, spend, summary
from lectr_lab.charts import style
from lectr_lab.core.readable import name
from lectr_lab.dashboards import sections

TITLE = "What it cost, how slow it was"

_BARS = 12
_PICTURE_PX = 360
_STEP_S = {"1m": 60, "1h": 3_600, "1d": 86_400, "1w": 604_800}
_MOST_STEPS = 72
_FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
_FIT = alt.AutoSizeParams(type="fit-x", contains="padding")
_CONFIG: dict[str, Any] = {"font": _FONT, "background": "white"}


class _Views(NamedTuple):
    """Everything a page shows: small, finished frames."""

    head: dict[str, Any]  # the one row of totals
    summary: pl.DataFrame
    charts: dict[str, alt.LayerChart]
    unpriced: pl.DataFrame
    silent: pl.DataFrame  # features whose streams do not report their tokens


def page(
    log: pl.LazyFrame,
    *,
    title: str = TITLE,
    notes: Sequence[str] = (),
    dropped: int = 0,
    tz: str = "UTC",
) -> str:
    """A log as one self-contained HTML page.

    Args:
        log: events with `cost_usd`, as `scan` gives them.
        title: the heading.
        notes: what a reader should know of the data, a sentence each.
        dropped: events that could not be written; the page says they are missing.
        tz: the time zone in which days begin.

    Returns:
        HTML under 2 MB, which loads nothing from anywhere.

    >>> from lectr_lab.analysis.pricing import priced
    >>> from lectr_lab.log.schema import frame
    >>> "No request has been logged yet." in page(priced(frame([]).lazy()))
    True
    """
    views = _views(log, tz)
    body = [
        sections.heading(title, views.head, tz),
        sections.banner(dropped),
        sections.figures(views.head) if views.charts else "",
        sections.reliability(views.head, dropped),
        sections.advice(views.head),
        sections.usage_advice(views.silent),
        sections.places(views.charts),
        sections.table(views.summary, with_org=views.head["orgs"] > 1),
        sections.price_help(views.unpriced),
        sections.notes(notes),
    ]
    template = files("lectr_lab.dashboards").joinpath("page.html").read_text("utf-8")
    return Template(template).substitute(
        title=escape(title),
        body="\n".join(section for section in body if section),
        specs=_script_json({k: _spec(chart) for k, chart in views.charts.items()}),
        bundle=_bundle(),
    )


def write_page(log: pl.LazyFrame, path: Path | str, **options: Any) -> Path:
    """Write `page(log, …)` to a file, and say where it is.

    Raises:
        OSError: the file cannot be written.
    """
    file = Path(path)
    file.write_text(page(log, **options), "utf-8")
    return file


def picture(log: pl.LazyFrame, *, title: str = TITLE, tz: str = "UTC") -> bytes:
    """The charts of a log as one PNG."""
    charts = list(_views(log, tz).charts.values()) or [_nothing_yet()]
    sized = [chart.properties(width=_PICTURE_PX) for chart in charts]
    whole = alt.concat(*sized, columns=2, spacing=44)
    own = whole.resolve_scale(color="independent").resolve_legend(color="independent")
    head = alt.TitleParams(name(title), anchor="start", fontSize=20, offset=24)
    spec = own.properties(title=head, padding=24)
    return vl_convert.vegalite_to_png(
        spec.to_json(), scale=2, config={"background": "white"}
    )


def _nothing_yet() -> alt.LayerChart:
    nothing = alt.Chart(pl.DataFrame({"text": ["No request has been logged yet."]}))
    text = nothing.mark_text(fontSize=14, color=style.SOFT).encode(text="text")
    return alt.LayerChart(layer=[text])


def _views(log: pl.LazyFrame, tz: str) -> _Views:
    when = pl.col("started_at")
    span = log.select(when.min().alias("first"), when.max().alias("last")).collect()
    every = _step(*span.row(0))
    log = log.cache()  # read and priced once for all that follows
    totals, by_feature, dear, steps, slow, bad, tokens, unpriced, silent = (
        pl.collect_all(
            [
                summary.totals(log),
                summary.summary(log).head(sections.TABLE_ROWS),
                spend.spend(log).head(_BARS),
                spend.spend_over_time(log, every, tz=tz),
                health.latency(log).head(_BARS),
                health.errors(log).head(_BARS),
                spend.tokens(log).head(_BARS),
                quality.unpriced_models(log).head(_BARS),
                quality.streams_without_usage(log),
            ]
        )
    )
    drawn = {
        "spend": charts.spend_bars(dear),
        "time": charts.spend_over_time(steps, every),
        "latency": charts.latency_ranges(slow),
        "errors": charts.error_rates(bad),
        "tokens": charts.token_bars(tokens),
        "untagged": charts.untagged_bars(totals),
    }
    if steps["time"].n_unique() < 2:  # one bar of everything says nothing of time
        del drawn["time"]
    head = totals.row(0, named=True)
    shown = drawn if head["requests"] else {}
    return _Views(head, by_feature, shown, unpriced, silent)


def _step(first: datetime | None, last: datetime | None) -> str:
    """The shortest step that keeps the time chart readable."""
    span_s = (last - first).total_seconds() if first and last else 0.0
    fit = (step for step, s in _STEP_S.items() if span_s / s <= _MOST_STEPS)
    return next(fit, "1w")


def _spec(chart: alt.LayerChart) -> dict[str, Any]:
    return chart.properties(width="container", autosize=_FIT).to_dict() | {
        "config": _CONFIG
    }


@cache
def _bundle() -> str:
    """Vega, Vega-Lite and their glue, as one script that needs nothing else."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").replace(
        "</script", r"<\/script"
    )


def _script_json(value: object) -> str:
    """JSON that can stand in a script element, whatever strings are in it."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")
