"""Every chart, drawn for real, of features that bear the names of other things."""

import html
import inspect
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import altair as alt
import polars as pl
import pytest
import vl_convert

from lectr_lab import charts
from lectr_lab.analysis.compare import compare
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views import cache, health, spend, summary
from lectr_lab.charts import style
from lectr_lab.core.errors import LabError
from lectr_lab.core.event import Event
from lectr_lab.core.formatting import name
from lectr_lab.dashboards.picture import picture
from lectr_lab.log.schema import frame

# What an object of JavaScript has by birth, and what its functions and arrays have.
BORN = """constructor toString valueOf hasOwnProperty isPrototypeOf toLocaleString
propertyIsEnumerable __proto__ __defineGetter__ __defineSetter__ __lookupGetter__
__lookupSetter__ prototype length name caller arguments apply call bind concat map keys
sort push at then toJSON""".split()
WORDS = (
    "null undefined NaN Infinity true false this datum item event parent key".split()
)
NUMBERS = "0 1 -1 1e3 0x10 007 2026-11-02".split()
MARKS = [
    "</script><script>alert(1)</script>",
    "<b>",
    "&lt;",
    "a.b",
    "a[0]",
    "a\\",
    "\\.",
    "'",
    '"',
    "`${x}`",
    "{{x}}",
    "[]",
    "{}",
    "$x",
    "@x",
    "#",
    "%s",
    "=1+1",
    "|",
    "*",
    "—",
    "all others",
    "untagged",
]
LETTERS = [
    "ch\u200bat",
    "ch\xadat",
    "\u202etahc",
    "a\u061cb",
    "\u2028",
    "\U000e0041",
    "é",
    "e\u0301",
    "日本語",
    "عربي",
    "👩‍👩‍👧‍👦",
    "\x00",
    "\t",
    "a\nb",
    "x" * 300,
    "x" * 300 + "y",
]
NAMES = [*BORN, *WORDS, *NUMBERS, *MARKS, *LETTERS]
START = datetime(2026, 11, 2, 9, tzinfo=UTC)
MANY = style.MOST_GROUPS


def log(features: list[str]) -> pl.LazyFrame:
    """Three requests of each, one of which failed, an hour apart."""
    plain: dict[str, Any] = {
        "path": "/v1/chat/completions",
        "operation": "chat",
        "total_ms": 100.0,
        "ttft_ms": 10.0,
        "provider": "openai",
        "model_actual": "gpt-4o-mini",
        "input_tokens": 1000,
        "cache_read_tokens": 100,
        "prompt_chars": 4000,
        "prefix_chars": 3600,
        "prefix_kept_chars": 0,
        "prefix_break": "tools",
        "output_tokens": 500,
        "reasoning_tokens": 5,
        "token_source": "provider",
    }
    events = [
        Event(
            event_id=(3 * n + hour).to_bytes(16, "big"),
            started_at=START + timedelta(hours=hour),
            org="local",
            feature=feature,
            outcome="timeout" if hour == 2 else "ok",
            **plain,
        )
        for n, feature in enumerate(features)
        for hour in range(3)
    ]
    return priced(frame(events).lazy())


VIEWS: dict[str, Callable[[pl.LazyFrame], Any]] = {
    "cache_loss_bars": cache.cache_losses,
    "compare_bars": compare,
    "error_rates": health.errors,
    "latency_ranges": health.latency,
    "spend_bars": spend.spend,
    "spend_timeline": lambda log: spend.spend_over_time(log, "1h", leading=MANY),
    "token_bars": spend.tokens,
    "untagged_bars": summary.totals,
}


@pytest.mark.parametrize("chart", charts.__all__)
@pytest.mark.parametrize("start", range(0, len(NAMES), MANY))
def test_every_chart_is_drawn_and_names_them_as_they_are(chart, start, texts):
    """All together: as SVG, with each name beside its mark, and as PNG."""
    some = NAMES[start : start + MANY]
    options = {"every": "1h"} if chart == "spend_timeline" else {}

    made = getattr(charts, chart)(VIEWS[chart](log(some)), **options)

    png = vl_convert.vegalite_to_png(made.to_json())
    assert png.startswith(b"\x89PNG")
    read = html.unescape(texts(made)).splitlines()
    if chart not in (
        "cache_loss_bars",
        "compare_bars",
        "untagged_bars",
    ):  # which are of no feature
        for one in some:
            assert any(_is_of(one, line) for line in read), one


def _is_of(feature: str, line: str) -> bool:
    """A line of the picture names this feature; Vega cuts what has no room there."""
    shown = name(feature, style.NAME_LETTERS)
    return line.strip() == shown or (len(line) > 9 and shown.startswith(line[:-1]))


@pytest.mark.parametrize("feature", ["constructor", "toString", "__proto__"])
def test_one_of_them_alone_is_drawn(feature, texts):
    """The first of its kind met the worst: Vega looked it up where objects are born."""
    for chart in ("spend_bars", "error_rates", "latency_ranges", "token_bars"):
        made = getattr(charts, chart)(VIEWS[chart](log([feature])))

        assert feature in texts(made).splitlines()


def test_all_charts_are_looked_at():
    """One that is new is drawn here as well."""
    made = {n for n, f in vars(charts).items() if inspect.isfunction(f)}

    assert set(VIEWS) == set(charts.__all__) == made


def test_the_picture_of_all_of_them_is_drawn():
    """What `report --png` writes."""
    assert picture(log(NAMES[:12])).startswith(b"\x89PNG")


@pytest.mark.parametrize("chart", ["spend_bars", "error_rates", "latency_ranges"])
def test_of_very_many_groups_the_first_are_drawn(chart, texts):
    """And how many there are is said. Altair itself would take no more than 5,000."""
    made = getattr(charts, chart)(VIEWS[chart](log([f"f-{n}" for n in range(6_000)])))

    assert f"the first {MANY} of 6,000" in texts(made)
    assert texts(made).count("f-") >= MANY


def test_what_cannot_be_drawn_is_said_in_a_line(monkeypatch):
    """By Vega, or for its number of rows: no traceback of a renderer's, in cells neither."""
    rows = pl.DataFrame({"n": range(6_000)})
    many = style.titled(
        "Many", "rows", 60, alt.Chart(rows).mark_bar().encode(alt.X("n"))
    )
    odd = style.titled(
        "Odd", "an expression", 60, alt.Chart(rows.head(1)).mark_bar()
    ).transform_filter("no such +")

    for chart, words in ((many, "too many marks"), (odd, "cannot be drawn: ")):
        with pytest.raises(LabError, match=words) as raised:
            style.rendered(vl_convert.vegalite_to_svg, chart)
        assert "\n" not in str(raised.value) and not raised.value.__cause__
        shown = chart._repr_mimebundle_()
        assert shown.keys() == {"text/plain"}
        assert re.search(words, shown["text/plain"])
