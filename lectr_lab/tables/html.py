"""A frame as an HTML table: a few lines of style, no script, nothing to fetch.

Colours are those of the page around it, so that it reads in a dark theme as well.
Everything in the frame is escaped.
"""

from collections.abc import Sequence
from html import escape
from itertools import pairwise

import polars as pl

from lectr_lab.core.formatting import NO_MATH
from lectr_lab.others import with_others
from lectr_lab.tables.columns import MOST_ROWS, Column, written

_SPARK_PX = (96, 20)
_STYLE = """\
<style>
.lectr-table { color: inherit; font-size: 13px; line-height: 1.4; }
.lectr-table > div { overflow-x: auto; }
.lectr-table table { width: auto; margin: 0 0 .5em; border-collapse: collapse;
  font-variant-numeric: tabular-nums; }
.lectr-table p.title { opacity: 1; font-size: 15px; font-weight: 600; }
.lectr-table table th, .lectr-table table td { padding: .35em .9em .35em .6em;
  text-align: left !important; vertical-align: baseline; white-space: normal; max-width: 32em;
  overflow-wrap: break-word;
  border: 0; border-bottom: 1px solid rgba(127,127,127,.28); }
.lectr-table tbody tr:nth-child(n) { background: none; }
.lectr-table table th { font-weight: 500; opacity: .75; }
.lectr-table table .n { text-align: right !important; }
.lectr-table table td.n, .lectr-table table td.w { white-space: nowrap; }
.lectr-table svg { display: inline-block; vertical-align: middle; }
.lectr-table p { margin: .2em .6em .6em; opacity: .75; font-size: 12px; }
</style>"""


def html_table(
    frame: pl.DataFrame, *, title: str, note: str | Sequence[str] = ""
) -> str:
    """A finished frame as HTML that can stand in a cell or a page.

    Args:
        frame: one row per line. Column names say the units (`spend_usd`, `p95_ms`,
            `error_rate`); `x_low` and `x_high` join `x`; a list of numbers is drawn.
        title: what the table shows; empty for none.
        note: a sentence below it, or several, one below the other.

    Returns:
        One `div`. Of a long frame the first rows, and all others in one, where it is a
        view of groups; else how many more there are.

    >>> "<td>a &lt;b&gt;</td>" in html_table(pl.DataFrame({"why": ["a <b>"]}), title="")
    True
    """
    some = with_others(frame, MOST_ROWS)
    columns = written(some)
    above = f'<p class="title">{escape(title)}</p>' if title else ""
    heads = "".join(f"<th{_right(c)}>{escape(c.heading)}</th>" for c in columns)
    shown = range(some.height)
    rows = "".join(f"<tr>{_cells(columns, i)}</tr>" for i in shown)
    cut = some.height == MOST_ROWS < frame.height  # and no row is of the others
    notes = [f"… and {frame.height - MOST_ROWS:,} more"] if cut else []
    notes += ["No rows."] if frame.is_empty() else []
    notes += [note] if isinstance(note, str) else note
    below = "".join(f"<p>{escape(note)}</p>" for note in notes if note)
    return (
        f'<div class="lectr-table {NO_MATH}">{_STYLE}{above}<div><table><thead><tr>{heads}</tr>'
        f"</thead><tbody>{rows}</tbody></table></div>{below}</div>"
    )


def _right(column: Column) -> str:
    return ' class="n"' if column.right else ""


def _side(column: Column) -> str:
    return ' class="w"' if column.whole else _right(column)


def _cells(columns: list[Column], i: int) -> str:
    return "".join(_cell(column, i) for column in columns)


def _cell(column: Column, i: int) -> str:
    if column.lines is not None:
        return f"<td>{sparkline(column.lines[i])}</td>"
    share = column.shares[i] if column.shares else None
    bar = ""
    if share is not None:
        width = 100 * min(max(share, 0.0), 1.0)
        bar = (
            ' style="background:linear-gradient(rgba(86,180,233,.3),'
            f'rgba(86,180,233,.3)) left/{width:.1f}% 100% no-repeat"'
        )
    return f"<td{_side(column)}{bar}>{escape(column.texts[i])}</td>"


def sparkline(values: list[float | None]) -> str:
    """A small line from zero, in the colour of the text; gaps where a value is missing."""
    known = [v for v in values if v is not None]
    if not known:
        return ""
    (width, height), low, top = _SPARK_PX, min(0.0, *known), max(0.0, *known)
    step = (width - 4) / max(len(values) - 1, 1)

    def point(i: int, value: float) -> str:
        up = (value - low) / (top - low or 1.0) * (height - 4)
        return f"{2 + i * step:.1f},{height - 2 - up:.1f}"

    pieces = [
        f"M{point(i, a)}L{point(i + 1, b)}"
        for i, (a, b) in enumerate(pairwise(values))
        if a is not None and b is not None
    ]
    last = max(i for i, v in enumerate(values) if v is not None)
    x, y = point(last, values[last] or 0.0).split(",")
    return (
        f'<svg width="{width}" height="{height}" role="img" aria-label="'
        f'{len(values)} values"><path d="{"".join(pieces)}" fill="none" '
        'stroke="currentColor" stroke-width="1.2" opacity=".8"/>'
        f'<circle cx="{x}" cy="{y}" r="2" fill="#D55E00"/></svg>'
    )
