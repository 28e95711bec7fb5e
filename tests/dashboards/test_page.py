"""A page, whole, and as a browser shows it."""

import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from html.parser import HTMLParser

import polars as pl
import pytest

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views import cube
from lectr_lab.dashboards import page, write_page
from lectr_lab.dashboards.counted import count_log
from lectr_lab.log.frames import Unread
from lectr_lab.log.schema import frame

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
START = datetime(2026, 11, 2, 9, tzinfo=UTC)


class Seen(HTMLParser):
    """The elements and attributes a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs


def figure(tab, what):
    """What the tile of that name says."""
    return tab.locator(f".figures div:has(dt:text-is('{what}')) dd").first.inner_text()


def test_a_page_is_whole_in_itself(log):
    """Script and style stand in it, and nothing may be fetched from anywhere."""
    text = page(log({}, {"feature": None}))

    seen = Seen(text)
    assert {"link", "img", "iframe"}.isdisjoint(seen.tags)
    assert {"src", "href"}.isdisjoint(dict(seen.attributes))
    assert "default-src 'none'; script-src 'sha256-" in text
    assert len(text.encode()) < 160_000


@pytest.mark.slow
def test_its_tables_sort_under_its_own_policy(log, opened):
    """One script for all of them, which the page's policy names; nothing else runs."""
    rows = [{"feature": f"f{i:02}", "client": "codex"} for i in range(30)]
    html = page(log(*(row for i, row in enumerate(rows) for _ in range(i + 1))))
    tab = opened(html)
    per_feature = tab.locator(".lectr-table", has_text="Per feature")
    head = per_feature.get_by_role("columnheader", name="requests", exact=True)

    head.get_by_role("button").click()

    assert head.get_attribute("aria-sort") == "descending"
    assert per_feature.locator("tbody tr").first.inner_text().startswith("f29")
    assert html.count("DecompressionStream(") == 1


def test_a_page_needs_no_chart_library():
    """Altair takes seconds to load: only the picture does."""
    code = "import sys, lectr_lab.dashboards; print('altair' in sys.modules)"
    said = subprocess.check_output([sys.executable, "-c", code], text=True)

    assert said.strip() == "False"


def test_what_a_client_sent_stays_text(log, opened):
    """In the title, the table, the charts, the notes and the snippets."""
    plain = Seen(page(log({}, {"model_actual": "x"}), title="t", notes=["n"]))
    text = page(
        log({"feature": HOSTILE, "org": HOSTILE, "error_type": HOSTILE,
             "outcome": "provider_error"}, {"model_actual": HOSTILE}),
        title=HOSTILE,
        notes=[HOSTILE],
    )  # fmt: skip

    found = Seen(text)
    assert found.tags.count("script") == plain.tags.count("script") == 4
    assert {"onerror", "src"}.isdisjoint(dict(found.attributes))
    tab = opened(text)
    assert tab.locator("img").count() == 0 and tab.locator("script").count() == 4
    assert "alert(1)" in tab.locator("[data-panel=spend]").inner_text()


def test_any_column_stands_in_the_place_of_the_features(log, opened):
    """Charts, table and words are of it, and what is missing has its name there."""
    rows = [{"client": "codex"}, {"client": None}, {"client": "codex"}]
    text = page(log(*rows, {"client": HOSTILE}), by="client")

    tab = opened(text)

    spend = tab.locator("[data-panel=spend]").inner_text()
    assert "codex" in spend and "no client" in spend and "alert(1)" in spend
    assert figure(tab, "Requests") == "4"
    assert "2 clients" in tab.locator(".figures").inner_text()
    assert "Per client" in text and "no feature" not in tab.locator("body").inner_text()
    assert tab.locator("[data-panel=untagged]").count() == 0


BORN = """constructor toString valueOf hasOwnProperty isPrototypeOf toLocaleString
__proto__ __defineGetter__ __lookupSetter__ prototype length then""".split()


@pytest.mark.parametrize("some", [BORN[:10], BORN[2:]])
def test_what_javascript_is_born_with_is_a_feature_like_any_other(log, opened, some):
    """In every chart, and to be clicked on; as a model, an organisation and an error too."""
    rows = [
        {"feature": w, "model_actual": w, "org": w, "error_type": w, "outcome": o}
        for w in some
        for o in ("ok", "provider_error")
    ]
    tab = opened(page(log(*rows)))

    for panel in ("spend", "latency", "errors", "tokens"):
        shown = tab.locator(f"[data-panel={panel}] button").all_inner_texts()
        assert {line.split("\n")[0] for line in shown} == {f"{w} · {w}" for w in some}
    for word in some:
        button = tab.locator(
            f"[data-panel=spend] button[data-feature='{word} · {word}']"
        )
        button.click()
        assert figure(tab, "Requests") == "2"
        button.click()
    assert figure(tab, "Requests") == str(2 * len(some))


def test_names_that_look_alike_are_told_apart(log, opened):
    """By a mark in the place of what cannot be seen, in charts and in the table."""
    alike = ["chat", "ch\u200bat", "chat\xad", "ch\u202eat\u202c", "chat "]

    text = page(log(*[{"feature": feature} for feature in alike]))

    assert not re.search("[\u200b\xad\u202e]", text)
    tab = opened(text)
    for place in ("[data-panel=spend]", ".lectr-table"):
        shown = tab.locator(place).inner_text()
        assert "ch<U+200B>at" in shown and "chat<U+00AD>" in shown
        assert "ch<U+202E>at<U+202C>" in shown and "chat<U+0020>" in shown


def test_the_head_says_the_key_figures(log, opened):
    """Requests, spend, error rate, p95, and what is untagged."""
    failed = {"outcome": "timeout", "input_tokens": None, "output_tokens": None}
    tab = opened(page(log({}, {}, {"feature": None}, failed)))

    tiles = "Requests", "Spend", "Error rate", "p95 latency", "Untagged"
    assert [figure(tab, what) for what in tiles] == [
        "4", "$0.0014", "25 %", "802 ms", "25 %",
    ]  # fmt: skip
    assert "X-Lectr-Feature" in tab.locator(".advice").inner_text()
    assert tab.locator(".quality li").count() == 3


def test_every_panel_is_drawn_and_says_its_finding(log, opened):
    """In a light and in a dark theme, wide and narrow, without a scroll bar."""
    text = page(log({}, {"feature": None}, {"outcome": "timeout"}))
    for width, scheme in ((1200, "light"), (700, "dark"), (390, "dark")):
        tab = opened(text, width, color_scheme=scheme)

        panels = tab.locator("figure[data-panel]")
        assert panels.count() == 8
        assert all(panels.nth(i).locator("h3").inner_text() for i in range(8))
        wide = tab.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
        colours = tab.evaluate(
            "[getComputedStyle(document.documentElement).backgroundColor,"
            " getComputedStyle(document.querySelector('h3')).color]"
        )
        light = [sum(map(int, re.findall(r"\d+", c)[:3])) for c in colours]
        assert (light[0] > light[1]) == (scheme == "light")


def test_a_click_on_a_feature_filters_everything_else(log, opened):
    """And another click shows everything again."""
    tab = opened(page(log({}, {}, {"feature": "search", "model_actual": "gpt-4o"})))
    row = tab.locator("[data-panel=spend] button[data-feature=search]")

    row.click()

    assert figure(tab, "Requests") == "1"
    assert row.get_attribute("aria-pressed") == "true"
    assert "gpt-4o-mini" not in tab.locator("[data-panel=models]").inner_text()
    assert "exact" in tab.locator("[data-panel=latency]").inner_text()
    row.click()
    assert figure(tab, "Requests") == "3"
    assert "exact" in tab.locator("[data-panel=latency]").inner_text()


def test_a_brush_over_time_filters_everything_else(log, opened):
    """Half of the chart is half of the requests; a chip takes the brush away."""
    tab = opened(page(log(*[{}] * 20)))
    box = tab.locator("svg[data-brush]").bounding_box()
    middle = box["y"] + 80

    tab.mouse.move(box["x"] + 70, middle)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 58 + (box["width"] - 62) / 2, middle, steps=5)
    tab.mouse.up()

    assert 9 <= int(figure(tab, "Requests")) <= 11
    assert tab.locator("svg .bar.off").count() > 0
    tab.locator("[data-clear=time]").click()
    assert figure(tab, "Requests") == "20"


def test_keys_do_what_a_mouse_does(log, opened):
    """Focus stays on what was pressed, though all is drawn anew; arrows select time."""
    tab = opened(page(log(*[{}] * 20, {"feature": "search"})))

    tab.locator("[data-panel=spend] button[data-feature=search]").focus()
    for requests in ("1", "21"):
        tab.keyboard.press("Enter")
        assert figure(tab, "Requests") == requests
    tab.locator("svg[data-brush]").focus()
    for key, requests in (("ArrowRight", 1), ("Shift+ArrowRight", 2), ("ArrowLeft", 1)):
        tab.keyboard.press(key)
        assert int(figure(tab, "Requests")) == requests


def test_a_click_on_a_feature_changes_none_of_its_percentiles(log, opened):
    """What was counted exactly stays so; what is taken from bins says ≈."""
    slow = [{"total_ms": float(ms)} for ms in (126, 130, 142, 430)]
    tab = opened(page(log(*slow, {"feature": "search", "total_ms": 9.0})))
    row = tab.locator("[data-panel=latency] button[data-feature=chat]")
    before = row.inner_text()

    row.click()

    assert row.inner_text() == before and "387 ms" in before
    assert figure(tab, "p95 latency") == "387 ms"
    tab.locator("[data-panel=models] [data-model]").click()
    said = figure(tab, "p95 latency")
    assert said.startswith("≈") and abs(float(said[1:].split()[0]) / 387 - 1) < 0.025
    assert "within 2.0 %" in tab.locator("[data-panel=latency]").inner_text()


def test_a_selection_of_nothing_says_so(log, opened):
    """No title speaks of what was not selected."""
    tab = opened(page(log({"feature": "a"}, {"feature": "b", "provider": "groq"})))

    tab.locator("[data-panel=spend] button[data-feature=a]").click()
    tab.locator("[data-provider=groq]").click()

    assert figure(tab, "Requests") == "0"
    assert "b:" not in " ".join(tab.locator("h3").all_inner_texts())


def test_a_name_written_from_right_to_left_moves_no_figure(log, opened):
    """It stands apart from what is said of it."""
    tab = opened(page(log({"feature": "مساعد"})))

    title = tab.locator("[data-panel=spend] h3")
    assert title.locator("bdi").inner_text() == "مساعد"
    assert title.inner_text().endswith(": 100 % of the spend")


def test_a_failure_of_a_feature_without_a_row_of_its_own_is_in_the_title(log, opened):
    """Among forty features that did not fail."""
    many = [{"feature": f"f{n:02}", "input_tokens": 10**6 - n} for n in range(40)]
    tab = opened(page(log(*many, {"feature": "small", "outcome": "timeout"})))

    title = tab.locator("[data-panel=errors] h3").inner_text()
    assert title == "all others (31): 1 of 31 requests failed"


def test_years_are_said_where_a_log_has_several(log, opened):
    """And what was free is drawn by requests."""
    old = {"started_at": START.replace(year=2023), "input_tokens": 0}
    tab = opened(page(log(old, {"input_tokens": 0}).with_columns(cost_usd=0.0)))

    title = tab.locator("[data-panel=time] h3").inner_text()
    assert title == "2 requests in all; the most, 1, in Nov 2023"
    assert "Nothing was spent" in tab.locator("[data-panel=spend]").inner_text()
    assert tab.locator("[data-panel=spend] .bar").count() == 0


def test_a_provider_filters_the_models(log, opened):
    """And what else is shown."""
    groq = {"provider": "groq", "model_actual": "llama"}
    tab = opened(page(log({}, groq, groq)))

    tab.locator("[data-provider=groq]").click()

    assert "gpt-4o-mini" not in tab.locator("[data-panel=models]").inner_text()
    assert figure(tab, "Requests") == "2"


def test_an_incomplete_log_says_so(log, opened):
    """A banner, and only then."""
    said = opened(page(log({}), dropped=12)).locator("[role=alert]").inner_text()

    assert said == ("Log incomplete: 12 events dropped. The figures below lack them.")
    unread = Unread(2, 3400, 20)
    tab = opened(page(log({}), dropped=1, unread=unread))
    assert tab.locator("[role=alert]").inner_text() == (
        "Log incomplete: 1 event dropped; 2 batches (3,400 bytes, at least 20 events) "
        "could not be read. The figures below lack them."
    )
    quality = tab.locator("[aria-label='Data quality']").inner_text()
    assert "2 of its files and batches could not be read" in quality
    assert opened(page(log({}))).locator("[role=alert]").count() == 0


def test_requests_that_are_no_calls_are_a_line_above_the_figures(log, opened):
    """Also where there is no call at all."""
    none = {"operation": "count_tokens", "input_tokens": None, "output_tokens": None}
    line = "1 other request (1 count_tokens), 0 failed: not model calls."

    for requests in ([none], [{}, none]):
        assert line in opened(page(log(*requests))).inner_text("body")


def test_an_empty_log_has_a_page(log, opened):
    """It says that nothing has been logged, and draws nothing."""
    tab = opened(page(log()))

    assert "No request has been logged yet." in tab.locator("header").inner_text()
    assert tab.locator("figure").count() == 0


@pytest.mark.parametrize(
    "requests", [[{}], [{"outcome": "timeout", "input_tokens": None}]]
)
def test_one_request_is_enough_for_a_page(log, opened, requests):
    """A single one, even a failed one."""
    tab = opened(page(log(*requests), tz="Asia/Tokyo"))

    assert figure(tab, "Requests") == "1"


def test_figures_read_as_in_python(log, opened):
    """The page's words for figures, and its intervals of shares, are those of core."""
    from lectr_lab.core import formatting, intervals

    tab = opened(page(log({})))
    for write, values in (
        ("usd", [0.0, 1234.6, 12.346, 0.999, 0.5, 0.00042, 0.0000123, None]),
        (
            "duration",
            [0.42, 9.96, 345.6, 999.6, 4200.0, 59_960.0, 150_000.0, 9e6, None],
        ),
        ("percent", [0.431, 0.0123, 0.0001, 0.0, 0.0999, 1.0, None]),
        ("count", [0, 1234567, None]),
    ):
        said = tab.evaluate(f"values => values.map(lectr.words.{write})", values)
        assert said == [getattr(formatting, write)(value) for value in values]
    shares = [(0, 1), (1, 1), (0, 10), (3, 7), (12, 4000), (999_999, 1_000_000)]
    ends = tab.evaluate("shares => shares.map(share => lectr.wilson(...share))", shares)
    for drawn, share in zip(ends, shares, strict=True):
        assert drawn == pytest.approx(intervals.wilson(*share), abs=1e-12)


def test_an_end_that_nobody_knows_is_no_dash(log, opened):
    """Of few requests, an interval of the p95 has one end, and says which."""
    tab = opened(page(log(*({"total_ms": 100.0 + i} for i in range(20)))))

    said = tab.locator("dl.figures").inner_text()
    assert "interval ≥ 1" in said
    assert "—" not in said.partition("p95 latency")[2].partition("Untagged")[0]


@pytest.mark.slow
def test_a_million_rows_of_ten_thousand_features_stay_a_small_page():
    """Under 1 MB, and drawn in a few seconds, whatever the machine is doing."""
    n = 1_000_000
    one = frame([]).clear(1).with_columns(
        org=pl.lit("o"), kind=pl.lit("request"), operation=pl.lit("chat"),
        outcome=pl.lit("ok"), provider=pl.lit("openai"), token_source=pl.lit("provider"),
    )  # fmt: skip
    i = pl.int_range(n)
    many = pl.concat([one] * 1000).select(pl.all().repeat_by(1000).explode())
    log = priced(
        many.with_columns(
            started_at=pl.lit(START) + pl.duration(seconds=i * 7 % 5_000_000),
            feature=pl.format("feature-{}", i * 7919 % 10_000),
            model_actual=pl.concat_list(
                pl.lit("gpt-4o-mini"), pl.lit("gpt-4o"), pl.lit("gpt-4.1")
            ).list.get(i % 3),
            total_ms=(i % 9973 + 1) * 3.7,
            input_tokens=(i % 5000).cast(pl.Int64),
            output_tokens=(i % 700).cast(pl.Int64),
        ).lazy()
    )
    began = time.monotonic()

    text = page(log)

    assert time.monotonic() - began < 20
    assert len(text.encode()) < 1_000_000
    assert text.count("<tr>") == 51 and "all others (9,951)" in text


def test_the_shares_of_a_long_table_are_of_all_of_it(log):
    """Whosever the rows are, and all others in one."""
    many = [{"org": "a" if n % 2 else "b", "feature": f"f{n}"} for n in range(60)]
    rows = cube.needed(log(*many)).collect().lazy()

    found = (
        sys.modules[page.__module__]._by_feature(rows, count_log(rows, "UTC")).collect()
    )

    assert found.height == 50 and found["share_of_spend"].sum() == pytest.approx(1)
    assert found["share_of_spend"][-1] == pytest.approx(11 / 60)


def test_a_page_is_written_where_it_is_asked_for(log, tmp_path):
    """And its path comes back."""
    path = write_page(log({}), tmp_path / "report.html", title="Ours", dropped=1)

    assert path == tmp_path / "report.html"
    assert "<title>Ours</title>" in path.read_text("utf-8")


def test_a_page_in_a_cell_is_as_high_as_what_it_shows(log, opened):
    """And dark where the notebook is, though the browser is light."""
    from html import escape

    frame_of = f'<iframe style="border:0;width:100%" srcdoc="{escape(page(log({})))}">'
    tab = opened(f"<body style='background:#111;color:#eee'>{frame_of}</iframe>")
    inside = tab.frames[1]
    inside.wait_for_selector("figure")
    tab.wait_for_function("document.querySelector('iframe').clientHeight > 1000")

    scheme = "getComputedStyle(document.documentElement).colorScheme"
    assert inside.evaluate(scheme) == "dark"


BOOTSTRAP = """<style>.row { margin-left: -15px; margin-right: -15px; }
.row:before, .row:after { content: " "; display: table; }</style>"""


def test_bars_stand_beside_their_names_in_classic_notebook(log, opened):
    """Its style sheet has rows of its own, whose boxes took the places of ours."""
    html = page(log({"feature": "search"})).replace("<style>", BOOTSTRAP + "<style>", 1)

    row = opened(html).locator(".rows .row").first

    name, bar, text = (
        row.locator(part).bounding_box() for part in (".name", ".track", ".text")
    )
    assert name["x"] < bar["x"] < text["x"]
    assert bar["width"] > 80 and abs(name["y"] - text["y"]) < 8
