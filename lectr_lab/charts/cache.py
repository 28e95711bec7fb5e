"""What the cache missed."""

import altair as alt
import polars as pl

from lectr_lab.charts import style
from lectr_lab.core.formatting import count, percent, usd

_WORDS = {
    "pause": "pauses longer than it lasts",
    "tools": "other tools",
    "system": "another system prompt",
    "history": "edited messages",
    "model": "another model",
    "parameters": "other parameters",
    "provider": "the provider",
    "too_short": "prompts too short",
    "unmarked": "nothing marked",
}


def cache_loss_bars(losses: pl.DataFrame | pl.LazyFrame) -> alt.LayerChart:
    """Dollars lost by each cause, most on top. Takes what `cache_losses` gives.

    Raises:
        LabError: it is no view, but a log, say.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> chart = lectr.cache_loss_bars(lectr.cache_losses(log).collect())
    >>> print(chart.to_dict()["title"]["text"])
    $6.94 that a cache could have saved; most: pauses longer than it lasts
    """
    found = style.finished(losses, "cache_losses")
    total = float(found["lost_usd"].fill_null(0).sum())
    words = found.with_columns(pl.col("cause").replace(_WORDS))

    def text(row: style.Row) -> str:
        n = f"n {count(row['requests'])}"
        if row["lost_usd"] is None:
            return f"no price known · {n}"
        share = percent(row["lost_usd"] / total) if total else "0 %"
        return f"{usd(row['lost_usd'])} · {share} · {n}"

    shown = style.labelled(words, text)
    shown = shown.with_columns(lost_usd=pl.col("lost_usd").fill_null(0))
    top = style.first_row(shown)
    title = "Nothing that a cache could have read was missed"
    if top is not None:
        title = f"{usd(total)} that a cache could have saved; most: {top['short']}"
    x = style.length("lost_usd", style.largest(shown, "lost_usd"), style.room(shown))
    base = alt.Chart(shown).encode(
        x,
        style.names_on_y(shown),
        tooltip=[style.tip("label", "cause"), style.tip("text", "lost")],
    )
    layers = (
        base.mark_bar(cornerRadiusEnd=2, color=style.BLUE, **style.BAR),
        base.mark_text(**style.TEXT).encode(text="text"),
    )
    words_below = "US dollars lost · share · n requests"
    subtitle = style.subtitle(words_below, found)
    return style.beside(title, subtitle, shown, *layers)
