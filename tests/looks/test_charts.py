"""Every chart, drawn by a browser as a cell shows it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from charts.test_hostile_names import VIEWS, log
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lectr_lab as lectr
from lectr_lab import charts
from lectr_lab.charts import style

LONG = [
    "مساعد الدعم الفني للعملاء الجدد",
    "顧客対応支援アシスタント新規登録用途",
    "🎉" * 20,
    "W" * 100,
    "Щ" * 100,
    "<b>bold</b><script>",
    "onboarding-assistant",
    "support-triage",
    "a",
]
OVER_TIME: dict[str, Callable[..., Any]] = {
    "spend_bars": lectr.spend,
    "error_rates": lectr.errors,
    "token_bars": lectr.tokens,
    "latency_ranges": lectr.latency,
}


def logs() -> dict[str, pl.LazyFrame]:
    """Four weeks, one day, one row, none; long names, and more than have a bar."""
    demo = lectr.demo_log()
    last = demo.select(pl.col("started_at").max()).collect().item()
    return {
        "demo": demo,
        "day": demo.filter(pl.col("started_at") > last - timedelta(hours=20)),
        "one": demo.head(1),
        "empty": demo.head(0),
        "long": log(LONG),
        "many": log([f"feature-{n}" for n in range(80)]),
    }


def cells(some: pl.LazyFrame, steps: tuple[str, ...]) -> dict[str, str]:
    """The HTML of every chart of a log, by its name."""
    made: dict[str, Any] = {
        chart: getattr(charts, chart)(view(some))
        for chart, view in VIEWS.items()
        if chart != "spend_timeline"
    }
    for every in steps:
        timeline = lectr.spend_over_time(some, every)
        made[f"spend_timeline by {every}"] = charts.spend_timeline(timeline, every)
        for chart, view in OVER_TIME.items():
            over = getattr(charts, chart)(view(some, every=every))
            made[f"{chart} by {every}"] = over
    ids = lectr.sessions(some).collect()["session"].drop_nulls()
    if len(ids):
        run = lectr.session(some, ids[0])
        made |= {f"session, {px} px": run.chart(px) for px in (360, 640)}
    return {name: one._repr_mimebundle_()["text/html"] for name, one in made.items()}


def page(parts: dict[str, str], *, dark: bool = False) -> str:
    """Cells below each other."""
    ground = "color-scheme: dark; background: #111; color: #eee" if dark else ""
    drawn = [f'<div data-name="{name}">{html}</div>' for name, html in parts.items()]
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Cells</title>'
    style = f"margin: 0; font: 14px sans-serif; {ground}"
    return f'{head}<body style="{style}"><main>{"".join(drawn)}</main>'


@pytest.mark.slow
def test_no_word_of_a_chart_is_cut_or_stands_upon_another(faults):
    """On every log, in a phone's cell and in a wide one; four weeks in the dark, too."""
    for name, some in logs().items():
        parts = cells(some, ("1h", "1d", "1w") if name == "demo" else ("1d",))
        for width in (390, 900):
            assert faults(page(parts), width, f"charts-{name}") == [], (name, width)
        if name == "demo":
            dark = page(parts, dark=True)
            assert faults(dark, 900, f"charts-{name}", dark=True) == []


@pytest.mark.slow
def test_no_name_is_cut_in_any_script(faults):
    """Random ones, of which any letter may be the first or the last."""

    @settings(
        max_examples=8,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.lists(
            st.text(
                st.characters(codec="utf-8", exclude_categories=["Cs", "Cn", "Co"]),
                min_size=1,
                max_size=40,
            ),
            min_size=20,
            max_size=20,
            unique=True,
        )
    )
    def law(features: list[str]) -> None:
        some = log(features)
        drawn = {
            chart: getattr(charts, chart)(VIEWS[chart](some))._repr_mimebundle_()
            for chart in ("spend_bars", "token_bars")
        }
        html = page({chart: one["text/html"] for chart, one in drawn.items()})
        assert faults(html, 900, "charts-random") == []

    law()


def test_a_chart_has_what_its_names_leave_of_a_cell():
    """Of long names, as much as bars need."""
    for features, least in ((["a", "b"], 680), (LONG, style.LEAST_PX)):
        width = charts.spend_bars(VIEWS["spend_bars"](log(features))).width
        assert least <= width <= style.CELL_PX
