"""What was sent: tokens by kind, and how much of it named no feature."""

from typing import Any

import altair as alt
import polars as pl

from lectr_lab.charts import style
from lectr_lab.charts.axes import tokens_axis
from lectr_lab.charts.over_time import (
    is_over_time,
    largest_step,
    leading_steps,
    step_of,
    timeline,
)
from lectr_lab.core.event import UNTAGGED
from lectr_lab.core.formatting import count, percent
from lectr_lab.core.formatting import tokens as tokens_text

_KINDS = {
    "input": style.BLUE,
    "cached input": style.SKY,
    "output": style.ORANGE,
    "reasoning": style.PINK,
}


def token_bars(tokens: pl.DataFrame | pl.LazyFrame) -> alt.LayerChart:
    """Tokens per group by kind, most on top; with a step of time, all of them over time.
    Takes what `tokens` gives.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> chart = lectr.token_bars(lectr.tokens(log).collect())
    >>> print(chart.to_dict()["title"]["text"])
    5.4 % of the tokens are output
    """
    counted = (
        style.finished(tokens, "tokens")
        .filter(pl.col("counted") > 0)
        .with_columns(all=pl.sum_horizontal("input_tokens", "output_tokens"))
    )
    if is_over_time(counted):
        return _over_time(counted)
    shown = style.labelled(counted, _token_text)
    longest, y = style.largest(shown, "all"), style.names_on_y(shown)
    room = style.room(shown)
    kinds: dict[str, Any] = {"domain": list(_KINDS), "range": list(_KINDS.values())}
    tips = ["kind", style.tip("tokens", "tokens", ",")]
    layers = (
        alt.Chart(_by_kind(shown))
        .mark_bar(**style.BAR)
        .encode(
            style.length("tokens", longest, room),
            y,
            alt.Color("kind").scale(**kinds).legend(**style.legend(_KINDS)),
            alt.Order("place"),
            tooltip=[style.tip("label", style.whose(counted)), *tips],
        ),
        alt.Chart(shown)
        .mark_text(**style.TEXT)
        .encode(style.length("all", longest, room), y, text="text"),
    )
    total, out = int(counted["all"].sum()), int(counted["output_tokens"].sum())
    title = "No tokens were counted"
    if total:
        title = f"{percent(out / total)} of the tokens are output"
    subtitle = style.subtitle("tokens by kind · n requests", counted)
    return style.beside(title, subtitle, shown, *layers)


def _over_time(counted: pl.DataFrame) -> alt.LayerChart:
    every = step_of(counted["time"])
    steps, whose = leading_steps(counted, "all")
    most = largest_step(steps, "all", tokens_text, every)
    title = f"{tokens_text(int(counted['all'].sum()))} tokens in all{most}"
    return timeline(
        steps,
        "all",
        tokens_text,
        every=every,
        whose=whose,
        title=title,
        words="tokens",
        axis=tokens_axis,
    )


def _by_kind(shown: pl.DataFrame) -> pl.DataFrame:
    """One row per group and kind: what is cached or reasoning is taken off the whole."""
    cached, reasoning = pl.col("cache_read_tokens"), pl.col("reasoning_tokens")
    kinds: dict[str, Any] = {
        "input": pl.col("input_tokens") - cached.fill_null(0),
        "cached input": cached,
        "output": pl.col("output_tokens") - reasoning.fill_null(0),
        "reasoning": reasoning,
    }
    places = {kind: place for place, kind in enumerate(_KINDS)}
    return (
        shown.select("label", "key", **kinds)
        .unpivot(index=["label", "key"], variable_name="kind", value_name="tokens")
        .filter(pl.col("tokens") > 0)
        .with_columns(
            place=pl.col("kind").replace_strict(places, return_dtype=pl.Int64)
        )
    )


def _token_text(row: style.Row) -> str:
    n = f"n {count(row['counted'])}"
    return f"{tokens_text(row['all'])} · {n}"


def untagged_bars(totals: pl.DataFrame | pl.LazyFrame) -> alt.LayerChart:
    """How much names no feature, of requests and of spend. Takes what `totals` gives.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> chart = lectr.untagged_bars(lectr.totals(log).collect())
    >>> print(chart.to_dict()["title"]["text"])
    15 % of requests name no feature
    """
    [row] = totals.lazy().collect().to_dicts()
    shares = {of: row[f"untagged_of_{of}"] for of in ("requests", "spend")}
    shown = pl.DataFrame(
        {
            "key": style.keyed(list(shares)),
            "share": [share or 0.0 for share in shares.values()],
            "whole": [1.0, 1.0],
            "text": [f"{percent(share)} {UNTAGGED}" for share in shares.values()],
        }
    )
    title = "Every request names its feature"
    if row["untagged_requests"]:
        title = f"{percent(shares['requests'])} of requests name no feature"
    base = alt.Chart(shown).encode(style.names_on_y(shown))
    bar = {"cornerRadiusEnd": 2, **style.BAR}
    whole = style.length("whole", 1, style.room(shown))
    layers = (
        base.mark_bar(color=style.REST, **bar).encode(whole),
        base.mark_bar(color=style.GREY, **bar).encode(
            style.length("share", 1, style.room(shown))
        ),
        base.mark_text(**style.TEXT).encode(whole, text="text"),
    )
    subtitle = "share without the header X-Lectr-Feature"
    return style.beside(title, subtitle, shown, *layers)
