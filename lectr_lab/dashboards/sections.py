"""The sections of a page: each a piece of HTML, empty where there is nothing to say.

Everything that a client sent is escaped here.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import Any

import polars as pl

from lectr_lab.analysis import quality
from lectr_lab.core.readable import count, duration, name, percent, usd

TABLE_ROWS = 50
_NAMED = 5

Row = dict[str, Any]


def heading(title: str, head: Row, tz: str) -> str:
    """The title, whose log it is where that is one, and the time it covers."""
    period = "No request has been logged yet."
    if head["first_at"] is not None:
        first, last = (_moment(head[at], tz) for at in ("first_at", "last_at"))
        period = f"{first} to {last} ({escape(tz)})"
    whose = f"{escape(name(head['org']))} · " if head["org"] else ""
    said = f'<p class="soft">{whose}{period}</p>'
    return f"<header><h1>{escape(title)}</h1>{said}</header>"


def _moment(at: datetime, tz: str) -> str:
    local = pl.Series([at]).dt.convert_time_zone(tz).dt.replace_time_zone(None).item()
    return f"{local:%-d %B %Y, %H:%M}"


def banner(dropped: int) -> str:
    """That the log is incomplete, where it is."""
    if not dropped:
        return ""
    events = "event" if dropped == 1 else "events"
    return (
        f'<p class="banner" role="alert">Log incomplete: {count(dropped)} {events} '
        "dropped. The figures below lack them.</p>"
    )


def figures(head: Row) -> str:
    """The figures to read first."""
    low, high = percent(head["error_rate_low"]), percent(head["error_rate_high"])
    spent = "of what has a price" if head["unpriced"] + head["uncounted"] else "in all"
    figures = [
        ("Requests", count(head["requests"]), f"{count(head['features'])} features"),
        ("Spend", usd(head["spend_usd"]), spent),
        (
            "Error rate",
            percent(head["error_rate"]),
            f"{count(head['errors'])} errors; 95 % interval {low} to {high}",
        ),
        (
            "p95 latency",
            duration(head["total_p95_ms"]),
            f"half within {duration(head['total_p50_ms'])}; n {count(head['total_n'])}",
        ),
        (
            "Untagged",
            percent(head["untagged_of_requests"]),
            f"of requests; {percent(head['untagged_of_spend'])} of spend",
        ),
    ]
    tiles = (
        f"<div><dt>{what}</dt><dd>{figure}</dd><dd class='soft'>{said}</dd></div>"
        for what, figure, said in figures
    )
    return f'<dl class="figures">{"".join(tiles)}</dl>'


def reliability(head: Row, dropped: int) -> str:
    """How many rows to take with care, by reason."""
    always = [
        (head["estimated"], "with estimated tokens, not the provider's count"),
        (head["unpriced"], "without a known price"),
        (dropped, "dropped from the log"),
    ]
    where_any = [
        (head["uncounted"], "answered without a token count"),
        (head["retries"], "repeated by an SDK"),
        (head["client_disconnects"], "left early by their client"),
    ]
    pills = (
        f'<li class="{"some" if n else "none"}"><b>{count(n)}</b> {what}</li>'
        for n, what in [*always, *((n, what) for n, what in where_any if n)]
    )
    return f'<ul class="quality" aria-label="Data quality">{"".join(pills)}</ul>'


def advice(head: Row) -> str:
    """What to add where, when much of the traffic names no feature."""
    advice = quality.untagged_advice(
        head["untagged_of_requests"], head["untagged_of_spend"]
    )
    return f'<p class="advice">{escape(advice)}</p>' if advice else ""


def usage_advice(silent: pl.DataFrame) -> str:
    """Which features stream without reporting their tokens, and what mends it."""
    if silent.is_empty():
        return ""
    features = list(dict.fromkeys(map(name, silent["feature"])))
    named = ", ".join(features[:_NAMED])
    more = f" and {len(features) - _NAMED} more" if len(features) > _NAMED else ""
    return (
        f'<p class="advice">{count(int(silent["requests"].sum()))} streams did not report '
        f"their tokens: {escape(named + more)}. Add to the call: "
        f"<code>{escape(quality.USAGE_ADVICE)}</code></p>"
    )


def places(charts: Iterable[str]) -> str:
    """Where each chart is drawn."""
    found = [f'<figure><div id="chart-{key}"></div></figure>' for key in charts]
    return f'<section class="charts">{"".join(found)}</section>' if found else ""


def table(rows: pl.DataFrame, with_org: bool) -> str:
    """Cost, latency and errors per feature."""
    if rows.is_empty():
        return ""
    titles = "Requests Spend Share p50 p95 TTFT&nbsp;p50 Errors Unpriced".split()
    orgs = ["<th>Org</th>"] if with_org else []
    heads = [*orgs, "<th>Feature</th>", *(f'<th class="n">{t}</th>' for t in titles)]
    body = "".join(_table_row(row, with_org) for row in rows.iter_rows(named=True))
    more = ""
    if rows.height == TABLE_ROWS:
        more = f'<p class="soft">The {TABLE_ROWS} dearest are shown.</p>'
    return (
        '<section class="table"><h2>Per feature</h2><table>'
        f"<thead><tr>{''.join(heads)}</tr></thead><tbody>{body}</tbody></table>"
        f"{more}</section>"
    )


def _table_row(row: Row, with_org: bool) -> str:
    texts = [name(row["org"])] if with_org else []
    texts.append(name(row["feature"], 80))
    share = row["share_of_spend"] or 0.0
    figures = [
        count(row["requests"]),
        usd(row["spend_usd"]),
        percent(row["share_of_spend"]),
        duration(row["total_p50_ms"]),
        duration(row["total_p95_ms"]),
        duration(row["ttft_p50_ms"]),
        percent(row["error_rate"]),
        count(row["unpriced"]) if row["unpriced"] else "",
    ]
    cells = [f"<td>{escape(text)}</td>" for text in texts]
    cells += [f'<td class="n">{escape(figure)}</td>' for figure in figures]
    return f'<tr style="--share:{share:.4f}">{"".join(cells)}</tr>'


def price_help(unpriced: pl.DataFrame) -> str:
    """What to write in prices.toml for the models without a price."""
    if unpriced.is_empty():
        return ""
    lines = [
        f"# {count(row['requests'])} requests of {name(row['provider'])}\n"
        f"[[price]]\nmodel = {_toml_string(row['model'] or '*')}\n"
        "input_usd_per_mtok = …\noutput_usd_per_mtok = …\n"
        for row in unpriced.iter_rows(named=True)
    ]
    return (
        "<details><summary>Models without a price: what to write in prices.toml"
        f"</summary><pre>{escape(chr(10).join(lines))}</pre></details>"
    )


def _toml_string(text: str) -> str:
    return json.dumps(name(text, 200), ensure_ascii=False)


def notes(notes: Sequence[str]) -> str:
    """What a reader should know of the data."""
    said = [*notes, "This page is complete in itself: it loads and sends nothing."]
    return f"<footer>{''.join(f'<p>{escape(note)}</p>' for note in said)}</footer>"
