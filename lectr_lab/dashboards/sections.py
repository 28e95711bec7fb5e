"""What stands below the charts: pieces of HTML, empty where there is nothing to say.

Everything that a client sent is escaped here.
"""

import re
from collections.abc import Sequence
from html import escape

import polars as pl

from lectr_lab.analysis.recommend.result import Recommendations
from lectr_lab.analysis.views import data_gaps
from lectr_lab.core.formatting import count, name
from lectr_lab.tables import html_table

_PAGE = re.compile(r"(?<![\w./-])([\w-]+\.html)\b")  # beside this one
TABLE_ROWS = 49  # and a row of all others


def usage_advice(silent: pl.DataFrame) -> str:
    """Which features stream without reporting their tokens, and what mends it."""
    if silent.is_empty():
        return ""
    advice, code = (
        escape(data_gaps.streams_advice(silent)),
        escape(data_gaps.USAGE_ADVICE),
    )
    return f'<p class="advice">{advice.replace(code, f"<code>{code}</code>")}</p>'


def recommendations(found: Recommendations) -> str:
    """What a cheaper model could save, each with its confidence and its reasons."""
    return f"<section>{found._repr_html_()}</section>" if len(found) else ""


def table(rows: pl.DataFrame, by: str = "feature") -> str:
    """Cost, latency and errors per feature, or what stands in its place; exact."""
    if rows.is_empty():
        return ""
    shown = rows.drop("uncounted", "estimated")
    if shown["org"].n_unique() == 1:
        shown = shown.drop("org")
    if by not in shown.columns:
        shown = shown.rename({"feature": by})
    title = f"Per {by.replace('_', ' ')}"
    return f"<section>{html_table(shown, title=title, script=True)}</section>"


def price_help(unpriced: pl.DataFrame) -> str:
    """What to write in prices.toml for the models without a price."""
    if unpriced.is_empty():
        return ""
    lines = [
        f"# {count(row['requests'])} requests of {name(row['provider'])}\n"
        f"[[price]]\nmodel = {data_gaps.price_pattern(row['model'])}\n"
        "input_usd_per_mtok = …\noutput_usd_per_mtok = …\n"
        for row in unpriced.iter_rows(named=True)
    ]
    return (
        "<details><summary>Models without a price: what to write in prices.toml"
        f"</summary><pre>{escape(chr(10).join(lines))}</pre></details>"
    )


def notes(notes: Sequence[str]) -> str:
    """What a reader should know of the data; a page that is named is a link to it."""
    lines = [*notes, "This page is complete in itself: it loads and sends nothing."]
    said = (_PAGE.sub(r'<a href="\1">\1</a>', escape(note)) for note in lines)
    return f"<footer>{''.join(f'<p>{note}</p>' for note in said)}</footer>"
