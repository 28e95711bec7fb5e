"""The page's sums and shares, against those of polars, selection by selection."""

import csv
import io
import random
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import polars as pl
import pytest

from lectr_lab.analysis.views import rows
from lectr_lab.dashboards import page
from lectr_lab.dashboards.rows_behind import rows_of

START = datetime(2026, 11, 2, tzinfo=UTC)
FEATURES = ["chat", "search", "triage", None]
MODELS = [
    ("openai", "gpt-4o-mini"),
    ("openai", "gpt-4o"),
    ("anthropic", "claude-haiku-4-5"),
]
ERRORS = ["timeout", "unreachable", None, None, None, None]


def made_up(seed):
    """Requests of four weeks, of all kinds."""
    draw = random.Random(seed)
    for _ in range(400):
        provider, model = draw.choice(MODELS)
        error = draw.choice(ERRORS)
        yield {
            "started_at": START + timedelta(minutes=draw.randrange(28 * 24 * 60)),
            "feature": draw.choice(FEATURES),
            "provider": provider,
            "model_actual": model,
            "session": draw.choice(["s1", "s2", None]),
            "outcome": error or "ok",
            "input_tokens": None if error else draw.randrange(10_000),
            "output_tokens": None if error else draw.randrange(1_000),
            "total_ms": draw.random() * 9_000,
        }  # fmt: skip


def exported(tab):
    """The figures of every chart, as the page saves them: by chart, name and measure."""
    with tab.expect_download() as waiting:
        tab.locator("[data-export=csv][data-of=page]").click()
    text = waiting.value.path().read_text("utf-8-sig")
    return {
        (row["chart"], row["name"], row["measure"]): row["value"]
        for row in csv.DictReader(io.StringIO(text))
    }


SELECTIONS = [
    {},
    {"features": ["chat"]},
    {"features": ["chat", "untagged"]},
    {"providers": ["openai"]},
    {"models": ["openai · gpt-4o", "anthropic · claude-haiku-4-5"]},
    {"errors": ["timeout"]},
    {"sessions": ["s1"], "features": ["search"]},
    {"time": (3, 9)},
    {"time": (20, 21), "providers": ["anthropic"], "features": ["chat", "triage"]},
    {"time": (5, 19), "errors": ["unreachable", "timeout"]},
    {"sessions": ["all others"]},
]
ONE = {"features": "feature", "providers": "provider", "models": "model",
       "errors": "error", "sessions": "session"}  # fmt: skip


def address_of(selection):
    parts = [
        (ONE[key], value)
        for key, some in selection.items()
        if key in ONE
        for value in some
    ]
    if "time" in selection:
        days = [(START + timedelta(days=n)).timestamp() for n in selection["time"]]
        parts.append(("time", "-".join(str(round(day)) for day in days)))
    return urlencode(parts)


def asked(selection):
    """The same, as a kernel is asked."""
    days = [
        (START + timedelta(days=n)).timestamp() * 1000
        for n in selection.get("time", ())
    ]
    found = dict(zip(("from", "to"), days, strict=False))
    named = {"untagged": None}
    for key, some in selection.items():
        if key == "providers":
            found[key] = some
        elif key == "features":
            found[key] = [["local", named.get(one, one)] for one in some]
        elif key == "models":
            found[key] = [one.split(" · ") for one in some]
        elif key == "errors":
            found[key] = [[one, None] for one in some]
        elif key == "sessions":
            found[key] = [["local", one] for one in some if one != "all others"]
            if "all others" in some:
                found["not_sessions"] = [["local", "s1"], ["local", "s2"]]
    return found


@pytest.mark.parametrize("selection", SELECTIONS, ids=address_of)
def test_what_is_drawn_is_what_polars_adds_up(log, opened, selection):
    """Requests, spend, errors, shares and n, by feature, model, error and session."""
    some = log(*made_up(7))
    tab = opened(page(some))
    tab.evaluate("text => { location.hash = text; }", address_of(selection))
    if selection:
        tab.wait_for_selector("[data-clear=all]")

    found = exported(tab)

    for panel, own, key in [("spend", "features", rows.feature()), ("models", "models", rows.model()),
                            ("kinds", "errors", pl.col("outcome"))]:  # fmt: skip
        # A chart shows all of its own kind, of which some are selected.
        others = {
            k: v for k, v in asked(selection).items() if k not in (own, f"not_{own}")
        }
        taken = rows_of(some, others).with_columns(failed=rows.failed())
        groups = taken.group_by(key.alias("name")).agg(
            pl.len().alias("requests"), pl.col("cost_usd").sum().alias("spend_usd"),
            pl.col("failed").sum().alias("errors"),
        ).collect()  # fmt: skip
        if panel == "kinds":
            groups = groups.filter(pl.col("errors") > 0)
        named = {name for chart, name, _ in found if chart == panel}
        assert named == set(groups["name"])
        spent = groups["spend_usd"].sum()
        for row in groups.iter_rows(named=True):
            if panel == "kinds":
                assert int(found[panel, row["name"], "errors"]) == row["errors"]
                continue
            assert int(found[panel, row["name"], "requests"]) == row["requests"]
            shown = float(found[panel, row["name"], "spend_usd"] or 0)
            assert shown == pytest.approx(row["spend_usd"], rel=1e-5)
            share = float(found[panel, row["name"], "share"] or 0)
            if not spent and "time" in selection:
                continue  # nothing of a span that cost nothing is a share
            whole = (
                row["spend_usd"] / spent
                if spent
                else row["requests"] / groups["requests"].sum()
            )
            assert share == pytest.approx(whole, rel=1e-4)
    own = (
        rows_of(some, asked(selection))
        .select(pl.len(), pl.col("cost_usd").sum())
        .collect()
    )
    n, usd = own.row(0)
    assert tab.locator(".figures dd").first.inner_text() == f"{n:,}"
    assert (
        usd == 0
        or abs(float(tab.locator(".figures dd").nth(3).inner_text()[1:]) / usd - 1)
        < 0.06
    )


def test_the_shares_of_a_chart_are_of_what_it_draws(log, opened):
    """They add up to one, whatever is selected."""
    tab = opened(page(log(*made_up(8))))
    tab.locator("[data-provider=openai]").click()

    found = exported(tab)

    for panel in ("spend", "models", "sessions"):
        shares = [
            float(v)
            for (chart, _, what), v in found.items()
            if chart == panel and what == "share"
        ]
        assert sum(shares) == pytest.approx(1)


def test_steps_add_up_to_all(log, opened):
    """However long they are, in whatever zone."""
    some = log(*made_up(9))
    tab = opened(page(some), timezone_id="America/New_York")
    spent = some.select("cost_usd").sum().collect().item()
    for step in ("1h", "6h", "1d", "1w"):
        for zone in ("UTC", "America/New_York"):
            tab.locator("[data-control=zone]").select_option(zone)
            tab.locator("[data-control=step]").select_option(step)
            found = exported(tab)
            time = [float(v) for (chart, *_), v in found.items() if chart == "time"]
            assert sum(time) == pytest.approx(spent, rel=1e-5)


def test_each_figure_says_how_it_stands_to_the_span_before(log, opened):
    """Of a selection of time; without one, the last seven whole days to the seven before."""
    daily = [{"started_at": START + timedelta(days=n, hours=h)}
             for n in range(20) for h in range(2 if n < 12 else 3)]  # fmt: skip
    tab = opened(page(log(*daily)))
    change = tab.locator(".figures dd.change")
    assert change.first.text_content() == "last 7 days: ▲ 50\u00a0% on 14"
    tab.locator("svg[data-brush]").focus()
    for key in ("ArrowLeft", *["ArrowLeft"] * 7):
        tab.keyboard.press(key)

    assert change.first.text_content() == "▲ 50\u00a0% on 2"
    assert "against 13 Nov" in tab.locator(".compared").inner_text()
    assert "▲ 50 %" in tab.locator("[data-panel=spend] .row").inner_text()
    tab.keyboard.press("ArrowRight")
    assert change.first.text_content() == "= 0\u00a0% on 3"
    for _ in range(30):
        tab.keyboard.press("ArrowLeft")
    assert "not go back far enough" in tab.locator(".compared").inner_text()
    assert change.first.inner_text() == ""


def test_a_change_that_chance_explains_is_none(log, opened):
    """Of an error rate; one that is clear has its interval."""
    from lectr_lab.core.intervals import wilson

    tab = opened(page(log({})))

    [low, high] = tab.evaluate("lectr.newcombe(50, 100, 40, 100)")

    (a, b), (c, d) = wilson(50, 100), wilson(40, 100)
    assert low == pytest.approx(0.1 - ((0.5 - a) ** 2 + (d - 0.4) ** 2) ** 0.5)
    assert high == pytest.approx(0.1 + ((b - 0.5) ** 2 + (0.4 - c) ** 2) ** 0.5)
    assert tab.evaluate("lectr.newcombe(1, 0, 1, 2)") == [None, None]
