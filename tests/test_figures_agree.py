"""One quantity is one number, wherever it stands: in a view, a table, a report or a page.

One log, with two orgs, shadows, failures, calls without a price and others without
counts, is drawn through every door; each figure and each share is held to plain polars.
"""

import csv
import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from figures import TOKENS, added_up, cells_of, data_of, figures_of

import lectr_lab as lectr
from lectr_lab.cli.report import report
from lectr_lab.core import formatting
from lectr_lab.dashboards import counted, following, page
from lectr_lab.dashboards.following import Follower
from lectr_lab.dashboards.payload import Head, payload
from lectr_lab.log.schema import polars_schema
from lectr_lab.resources import shipped_traffic
from lectr_lab.tables import html_table, text_table

KEYS = ["org", "feature"]
FIGURES = [
    "requests",
    "errors",
    "error_rate",
    "total_n",
    "total_p50_ms",
    "total_p95_ms",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Path:
    """Two days of made-up traffic, a third of it another org's."""
    folder = tmp_path_factory.mktemp("agree") / "lab"
    rows = (
        pl.read_parquet(shipped_traffic() / "*.parquet").sort("started_at").tail(1_500)
    )
    n = pl.int_range(pl.len())
    changed = rows.with_columns(
        pl.when(n % 3 == 0).then(pl.lit("other")).otherwise("org").alias("org"),
        pl.when(n % 17 == 0)
        .then(pl.lit("ours"))
        .otherwise("model_actual")
        .alias("model_actual"),
        pl.when(n % 23 == 0).then(pl.lit("shadow")).otherwise("kind").alias("kind"),
        pl.when(n % 29 == 0).then(None).otherwise("feature").alias("feature"),
    )
    for (day,), part in changed.group_by(pl.col("started_at").dt.date()):
        at = folder / "log" / f"date={day}"
        at.mkdir(parents=True)
        part.select(polars_schema().names()).write_parquet(at / "one.parquet")
    (folder / "journal").mkdir()
    (folder / "state").mkdir()
    return folder


@pytest.fixture(scope="module")
def rows(lab) -> pl.DataFrame:
    return lectr.scan(lab).collect()


@pytest.fixture(scope="module")
def told(rows) -> dict[tuple[str, str], dict[str, Any]]:
    """Of each org and feature, what figures have to be."""
    named = rows.with_columns(pl.col("feature").fill_null("untagged"))
    groups = named.group_by(KEYS)
    found = {(org, feature): figures_of(part) for (org, feature), part in groups}
    total = sum(one["spend_usd"] or 0.0 for one in found.values())
    for one in found.values():
        spent = one["spend_usd"]
        one["share_of_spend"] = None if spent is None else spent / total
    return found


def agree(found: dict[str, Any], wanted: dict[str, Any], names: list[str]) -> None:
    # Estimates are added up before they are rounded.
    for name in names:
        most = 0.501 if name in ("input_tokens", "output_tokens") else None
        assert found[name] == (
            None
            if wanted[name] is None
            else pytest.approx(wanted[name], rel=1e-9, abs=most)
        ), name


def test_the_log_is_worth_it(told):
    """Several of everything."""
    assert len(told) > 15
    assert len({org for org, _ in told}) == 2
    assert any(one["errors"] for one in told.values())


@pytest.mark.parametrize("view", ["spend", "errors", "latency", "tokens", "summary"])
def test_a_view_is_what_its_rows_are(lab, told, view):
    """Each figure that it has, of each group; shares are of what is shown."""
    found = getattr(lectr, view)(lab).collect()

    names = [name for name in next(iter(told.values())) if name in found.columns]
    assert len(found) == len(told) and len(names) >= 3
    for row in found.iter_rows(named=True):
        agree(row, told[row["org"], row["feature"]], names)


def test_shares_sum_to_one(lab, rows):
    """In a view of both orgs, and of one alone."""
    for org in (None, "other"):
        shares = lectr.spend(lab, org=org).collect()["share_of_spend"]
        assert shares.sum() == pytest.approx(1)


def test_a_report_has_the_figures_of_the_views(lab, told, capsys):
    """As JSON and as CSV, to the last digit."""
    report(lab, format="json")
    groups = json.loads(capsys.readouterr().out)["groups"]
    report(lab, format="csv")
    lines = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))

    assert len(groups) == len(lines) == len(told)
    for group, line in zip(groups, lines, strict=True):
        wanted = told[group["org"], group["feature"]]
        agree(group, wanted, [*FIGURES, "spend_usd", "share_of_spend"])
        assert (line["org"], line["feature"]) == (group["org"], group["feature"])
        for name in FIGURES:
            assert float(line[name] or "nan") == pytest.approx(
                float("nan") if wanted[name] is None else wanted[name],
                rel=1e-9,
                nan_ok=True,
            )


def in_words(one: dict[str, Any]) -> dict[str, str]:
    """Figures as every table and chart writes them."""
    return {
        "requests": formatting.count(one["requests"]),
        "spend": formatting.usd(one["spend_usd"]),
        "share": formatting.percent(one["share_of_spend"]),
        "error rate": formatting.percent(one["error_rate"]),
        "p50": formatting.duration(one["total_p50_ms"]),
    }


def test_a_report_in_words_rounds_the_same_figures(lab, told, capsys, monkeypatch):
    """In a terminal and as Markdown."""
    monkeypatch.setenv("COLUMNS", "200")
    report(lab, all_groups=True, format="md")
    table = capsys.readouterr().out.split("\n\n")[0].splitlines()
    heads = [head.strip() for head in table[0].strip("|").split("|")]

    for line in table[2:]:
        row = dict(
            zip(heads, (c.strip() for c in line.strip("|").split("|")), strict=True)
        )
        words = in_words(told[row["org"], row["feature"]])
        for head, text in words.items():
            if head in row and text != formatting.UNKNOWN:
                assert row[head].replace("\\", "") == text, (row, head)


def test_tables_write_what_the_view_has(lab, told):
    """As text and as HTML, with the rounding of all others."""
    view = lectr.summary(lab).collect()
    text, table = text_table(view, most_rows=100), html_table(view, title="")
    cells = [row for row in cells_of(table) if len(row) > 5]

    for (org, feature), one in told.items():
        words = in_words(one)
        [line] = [
            s
            for s in text.splitlines()
            if s.startswith(f"{org} ") and f" {feature} " in s
        ]
        [row] = [
            row
            for row in cells
            if row[:2] == [org, feature] or {org, feature} <= {*row[:4]}
        ]
        for head in ("requests", "spend", "share", "error rate"):
            if words[head] != formatting.UNKNOWN:
                assert words[head] in line, (head, line)
                assert words[head] in row, (head, row)


def drawn_by(door: str, lab: Path) -> dict[str, Any]:
    """What a page, or the live one, draws."""
    if door == "page":
        return data_of(page(lectr.scan(lab)))
    read = Follower(lab).read()
    assert read is not None
    return json.loads(payload(read[0], Head("a", "UTC")))


@pytest.mark.parametrize("door", ["page", "live"])
def test_a_page_adds_up_to_the_same_figures(lab, told, door):
    """Of each leading feature and of all; its percentiles are exact."""
    data = drawn_by(door, lab)

    whole = added_up(data)
    # Of a log that grows, estimates of tokens learn from their own day alone.
    near = {"page": 1e-9, "live": 1e-3}[door]
    for name in ("requests", "errors"):
        assert whole[name] == sum(one[name] for one in told.values()), name
    for name in TOKENS:
        counted = sum(one[name] or 0 for one in told.values())
        # Rounded once a feature.
        most = 0.501 * len(data["features"])
        assert whole[name] == pytest.approx(counted, rel=near, abs=most), name
    spent = sum(one["spend_usd"] or 0.0 for one in told.values())
    assert whole["spend_usd"] == pytest.approx(spent, rel=near)
    for place, shown in enumerate(data["features"][: data["leading"]]):
        org, _, feature = shown.partition(" · ")
        one, mine = told[org, feature], added_up(data, features=[place])
        assert (mine["requests"], mine["errors"]) == (one["requests"], one["errors"])
        assert mine["spend_usd"] == pytest.approx(
            one["spend_usd"] or 0.0, rel=10 * near
        )
        exact = data["exact"][str(place)]
        assert exact["n"] == one["total_n"]
        for p in (50, 95, 99):
            assert exact[str(p)][0] == pytest.approx(one[f"total_p{p}_ms"]), (shown, p)


def test_pages_of_closed_days_add_up_to_the_same_figures(lab, told, monkeypatch):
    """Where rows are too many to be counted one by one: of cells, as of rows."""
    for module in (counted, following):
        monkeypatch.setattr(module, "MOST_EXACT_ROWS", 0)
    log = lectr.scan(lab)
    live = drawn_by("live", lab)

    for data in (data_of(page(log)), data_of(page(log.lazy())), live):
        assert data["exact"] is None
        for place, shown in enumerate(data["features"][: data["leading"]]):
            org, _, feature = shown.partition(" · ")
            one, mine = told[org, feature], added_up(data, features=[place])
            assert (mine["requests"], mine["errors"]) == (
                one["requests"],
                one["errors"],
            )
            spent = one["spend_usd"] or 0.0
            assert mine["spend_usd"] == pytest.approx(spent, rel=1e-9, abs=1e-9)
            for name in TOKENS:
                assert mine[name] == pytest.approx(one[name] or 0, abs=0.501), name


def test_a_comparison_has_the_figures_of_spend(lab, rows):
    """Each span's dollars and requests are those of a view of it."""
    found = lectr.compare(lab, "2026-11-20", "2026-11-21")

    for end, day in (("before", 20), ("after", 21)):
        at = pl.col("started_at").dt.date() == pl.date(2026, 11, day)
        view = lectr.spend(rows.filter(at)).collect()
        there = {row[:2]: row[2] for row in view.select(*KEYS, "spend_usd").iter_rows()}
        for row in found.frame().select(*KEYS, f"{end}_usd").iter_rows():
            assert row[2] == there.get(row[:2], 0.0)


def test_a_chart_says_what_the_view_says(lab, told):
    """Its text beside each bar, and the share in its title."""
    chart = lectr.spend_bars(lectr.spend(lab))
    texts = [*chart.layer[0].data["text"]]

    (org, feature), one = max(
        told.items(), key=lambda item: item[1]["spend_usd"] or 0.0
    )
    share = formatting.percent(one["share_of_spend"])
    assert chart.title.text == f"{org} · {feature}: {share} of the spend"
    said = f"{formatting.usd(one['spend_usd'])} · {share} · n {one['requests']}"
    assert any(text.startswith(said) for text in texts)


@pytest.mark.parametrize("how", ["exact", "binned"])
def test_percentiles_are_exact_or_say_that_they_are_not(lab, told, how):
    """By one rule: exact up to ten million rows; a binned one is within 1 %, and ≈."""
    found = lectr.summary(lab, percentiles=how)
    table = repr(lectr.table(found))

    for row in found.collect().iter_rows(named=True):
        wanted = told[row["org"], row["feature"]]
        assert row["percentiles"] == how
        if how == "exact":
            agree(row, wanted, ["total_p50_ms", "total_p95_ms"])
    drawn = lectr.latency_ranges(lectr.latency(lab, percentiles=how))
    for said in (table, drawn.title.text, drawn.to_json()):
        assert ("≈" in said or "\\u2248" in said) == (how == "binned")
