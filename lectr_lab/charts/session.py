"""One run of an agent: what each request held and cost, who asked, and what went wrong."""

from collections.abc import Sequence
from math import ceil
from typing import Any

import altair as alt
import polars as pl

from lectr_lab.charts import style
from lectr_lab.charts.axes import tokens_axis, usd_axis
from lectr_lab.charts.measured import widest_px
from lectr_lab.core.errors import LabError
from lectr_lab.core.formatting import count, name, names, tokens, usd

_KINDS = {
    "cache read": ("cache_read_tokens", style.SKY),
    "cache write": ("cache_write_tokens", style.GREEN),
    "fresh input": ("fresh_input_tokens", style.BLUE),
    "output": ("output_tokens", style.ORANGE),
}
_MOST_BARS = 500
_MOST_LANES = 8
_PANEL_PX, _LANE_PX = 190, 16
WIDTH_PX = 640
_MAIN = "main"
_GAP = 0.08  # of a bar's width, on each side, while bars are wide
_GAP_UP_TO = 120
_LETTERS = 18
_BESIDE_PX = 100  # of a panel, where names and figures stand
_CROSS = "M-.6,-.6L.6,.6M.6,-.6L-.6,.6"


class Stacked(alt.VConcatChart):
    """Charts one below the other, which show themselves as a picture in a cell."""

    def _repr_mimebundle_(self, *_: Any, **__: Any) -> dict[str, str]:
        """A picture for a cell."""
        return style.bundle(self.properties(padding=style.PADDING), "session")


def session_turns(
    *runs: pl.DataFrame, titles: Sequence[str] = (), width: int = WIDTH_PX
) -> Stacked:
    """Runs, one below the other and on one scale: tokens of each request by kind, the
    dollars spent so far as a line, and below who asked, a lane each.

    A cross is a request that failed; a dashed line stands where the conversation was
    compacted.

    Args:
        runs: what `turns` gives for each session, collected.
        titles: what each is called, with what is said of it.
        width: of the picture without its labels, in pixels.

    Raises:
        LabError: there is no run, or it is not what `turns` gives.

    >>> from lectr_lab.analysis.pricing.priced import priced
    >>> from lectr_lab.analysis.views.turns import turns
    >>> from lectr_lab.log.schema import frame
    >>> run = turns(priced(frame([]).lazy()), "s1").collect()
    >>> session_turns(run).vconcat[0].vconcat[0].title.text
    'No request in this session'
    """
    if not runs or any("spent_usd" not in run.columns for run in runs):
        raise LabError(
            "This chart takes what the view `turns` gives, for each session."
        )
    scale = _Scale(runs)
    said = [*titles, *[""] * len(runs)]
    parts = [
        alt.vconcat(_panel(run, words, scale, width), _lanes(run, scale, width))
        .properties(spacing=6)
        .resolve_scale(color="independent")
        for run, words in zip(runs, said, strict=False)
    ]
    return Stacked(vconcat=parts, spacing=30).resolve_scale(color="independent")


class _Scale:
    """What all runs of a picture share."""

    def __init__(self, runs: Sequence[pl.DataFrame]) -> None:
        self.requests = max(run.height for run in runs) or 1
        self.tokens = max(style.largest(_held(run), "held") for run in runs) or 1.0
        self.usd = max(style.largest(run, "spent_usd") for run in runs) or 1.0
        self.a_bar = ceil(self.requests / _MOST_BARS)

    def x(self, field: str, **axis: Any) -> alt.X:
        """Requests in their order, each one unit wide."""
        domain = [0.5, self.requests + 0.5]
        quiet = style.quiet(grid=False, tickMinStep=1, format="d", **axis)
        return alt.X(f"{field}:Q").scale(domain=domain, nice=False).axis(**quiet)


def _held(run: pl.DataFrame) -> pl.DataFrame:
    """All tokens of each request, as `held`."""
    columns = [column for column, _ in _KINDS.values()]
    return run.select(held=pl.sum_horizontal(columns))


def _panel(run: pl.DataFrame, words: str, scale: _Scale, width: int) -> alt.LayerChart:
    bars, gap = _bars(run, _bar(scale)), _GAP if scale.requests <= _GAP_UP_TO else 0.0
    bars = bars.with_columns(start=pl.col("start") + gap, end=pl.col("end") - gap)
    colours: dict[str, Any] = {
        "domain": list(_KINDS),
        "range": [c for _, c in _KINDS.values()],
    }
    x, y = (
        scale.x("start", labels=False),
        alt.Y("low:Q").scale(domain=[0, scale.tokens]),
    )
    left = style.quiet(**tokens_axis(scale.tokens))
    right = style.quiet(**usd_axis(scale.usd), grid=False, orient="right")
    legend = style.legend(_KINDS, width)
    spent = run.group_by(_bar(scale), maintain_order=True).agg(
        pl.col("request", "spent_usd").last()
    )
    compacted = run.filter(pl.col("turn_kind") == "compaction").select("request")
    of_tokens = alt.layer(
        alt.Chart(bars)
        .mark_bar()
        .encode(
            x,
            alt.X2("end"),
            y.axis(**left),
            alt.Y2("high"),
            alt.Color("kind:N").scale(**colours).legend(**legend),
            tooltip=["request", "kind", style.tip("tokens", "tokens", ",")],
        ),
        alt.Chart(compacted)
        .mark_rule(color=style.PINK, strokeDash=[5, 2], strokeWidth=1.5)
        .encode(scale.x("request", labels=False)),
    )
    money = alt.Y("spent_usd:Q").scale(domain=[0, scale.usd], nice=False)
    line = alt.Chart(spent).encode(
        scale.x("request", labels=False), money.axis(**right)
    )
    of_money = alt.layer(
        # Black in white: seen on bars and on the ground of any theme.
        line.mark_line(color="#FFFFFF", strokeWidth=4, interpolate="step-after"),
        line.mark_line(color="#000000", strokeWidth=1.8, interpolate="step-after"),
        alt.Chart(spent.tail(1))
        .mark_point(size=40, fill="#000000", stroke="#FFFFFF", opacity=1)
        .encode(scale.x("request", labels=False), money.axis(**right)),
    )
    both = alt.layer(of_tokens, of_money).resolve_scale(y="independent")
    head = style.head(_title(run), _subtitle(words, run, scale), width + _BESIDE_PX)
    return both.properties(
        title=head, width=width, height=_PANEL_PX, view=alt.ViewBackground(stroke=None)
    )


def _bar(scale: _Scale) -> pl.Expr:
    """The number of the bar that a request is in."""
    return ((pl.col("request") - 1) // scale.a_bar).alias("bar")


def _bars(run: pl.DataFrame, bar: pl.Expr) -> pl.DataFrame:
    """A row per bar and kind, stacked; of many requests the mean of so many a bar."""
    columns = {kind: column for kind, (column, _) in _KINDS.items()}
    means = [pl.col(column).mean().alias(kind) for kind, column in columns.items()]
    some = run.group_by(bar, maintain_order=True).agg(
        (pl.col("request").min() - 0.5).alias("start"),
        (pl.col("request").max() + 0.5).alias("end"),
        pl.col("request").min(),
        *means,
    )
    index = ["start", "end", "request"]
    long = some.select(*index, *columns).unpivot(
        index=index, variable_name="kind", value_name="tokens"
    )
    high = pl.col("tokens").fill_null(0).cum_sum().over("start")
    return long.with_columns(
        low=high - pl.col("tokens").fill_null(0), high=high
    ).filter(pl.col("tokens") > 0)


def _lanes(run: pl.DataFrame, scale: _Scale, width: int) -> alt.LayerChart:
    shown, lanes = _in_lanes(run)
    marks = ["lane", "failed", _bar(scale)]
    shown = shown.group_by(marks, maintain_order=True).agg(pl.col("request").first())
    y = alt.Y("lane:N").title(None).sort(lanes).scale(domain=lanes)
    named = y.axis(
        **(style.NAME_AXIS | style.UNKEYED | {"minExtent": _lanes_px(lanes)})
    )
    size = max(min(width / scale.requests * 0.7, 9.0), 1.5)
    asked, failed = (
        alt.Chart(some).encode(scale.x("request"), named)
        for some in (shown.filter(~pl.col("failed")), shown.filter("failed"))
    )
    layers = [
        asked.mark_tick(thickness=size, size=9, color=style.GREY, opacity=1),
        failed.mark_point(shape=_CROSS, color=style.VERMILLION, size=70, opacity=1),
    ]
    return alt.LayerChart(layer=layers).properties(
        width=width,
        height=max(len(lanes), 1) * _LANE_PX,
        view=alt.ViewBackground(stroke=None),
    )


def _lanes_px(lanes: list[str]) -> int:
    """Pixels that the names of the lanes take."""
    return ceil(widest_px(lanes, style.NAME_PX)) + style.LABEL_GAP_PX


def _in_lanes(run: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """The main agent first, then those that asked most as they came; the rest share a
    lane."""
    most = run.group_by("lane").agg(n=pl.len(), first=pl.col("request").min())
    main = pl.col("lane") != _MAIN
    order = most.sort(main, -pl.col("n").cast(pl.Int64), "first")
    kept = _MOST_LANES if order.height <= _MOST_LANES else _MOST_LANES - 1
    own = order.head(kept).sort(main, "first")["lane"].to_list()
    others = order.height - len(own)
    rest = f"{style.OTHERS} ({count(others)})" if others else ""
    labels = style.keyed(names(own, _LETTERS))
    lane = pl.col("lane").replace_strict(
        own, labels, default=f" {rest}", return_dtype=pl.String
    )
    return run.with_columns(lane=lane), [*labels, *([f" {rest}"] if rest else [])]


def _title(run: pl.DataFrame) -> str:
    if run.is_empty():
        return "No request in this session"
    unknown = int(
        run.select((pl.col("cost_usd").is_null() & ~pl.col("failed")).sum()).item()
    )
    spent = usd(style.largest(run, "spent_usd"))
    if unknown == run.height:
        spent = "Unknown cost"
    but = f" ({count(unknown)} of unknown cost)" if 0 < unknown < run.height else ""
    n = f"{count(run.height)} request{'' if run.height == 1 else 's'}"
    return f"{spent} in {n}{but}"


def _subtitle(words: str, run: pl.DataFrame, scale: _Scale) -> list[str]:
    each = "each request" if scale.a_bar == 1 else f"{scale.a_bar} requests, their mean"
    failed = int(run["failed"].sum())
    marks = [f"bars: tokens of {each}", "line: dollars so far"]
    if failed:
        marks.append(f"crosses: {count(failed)} failed")
    if (run["turn_kind"] == "compaction").any():
        marks.append("dashed: compacted")
    lines = [name(words, 200) if words else "", _growth(run), " · ".join(marks)]
    return [line for line in lines if line]


def _growth(run: pl.DataFrame) -> str:
    """How long the prompts of the main agent became."""
    main = run.filter(pl.col("lane") == _MAIN, pl.col("outcome") == "ok")
    out = pl.col("output_tokens").fill_null(0)
    prompts = main.select(_held(main)["held"] - out).to_series()
    held = [int(n) for n in prompts if n]
    if len(held) < 2:
        return ""
    first, last, most = held[0], held[-1], max(held)
    at_most = f", {tokens(most)} at most." if most > max(first, last) else "."
    went = f"went from {tokens(first)} to {tokens(last)} tokens"
    return f"The main agent's prompt {went}{at_most}"
