"""A frame as an HTML table that can be read anywhere, and used where scripts run.

Without a script (an untrusted notebook, GitHub, a mail) it is a plain table of the first
rows. With `script=True` it brings `table.js` and its values: sort, search, all pages,
copy, CSV. Nothing is fetched. Colours are those of the page around it, so that it reads
in a dark theme as well. Everything in the frame is escaped.

Why a script of our own, of 9 kB: measured on 2026-11-30, itables 2.9.1 shows nothing but
"Loading" without scripts, and needs 726 kB in each exported notebook, or a CDN;
great-tables 1.1.0 puts 404 kB in each interactive table and loads React from a CDN; quak
0.3.5 (525 kB) and perspective 5.6.1 (6.3 MB) are empty without a kernel.
"""

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from itertools import pairwise

import polars as pl

from lectr_lab.core.formatting import NO_MATH
from lectr_lab.others import with_others
from lectr_lab.tables.arranged import is_upright, upright, without_dashes
from lectr_lab.tables.columns import MOST_ROWS, Column, written
from lectr_lab.tables.exact import most_rows, packed

_SPARK_PX = (96, 20)
_SCRIPTS = re.compile(r"<script\b.*?</script>", re.DOTALL)


def html_table(
    frame: pl.DataFrame,
    *,
    title: str,
    note: str | Sequence[str] = "",
    script: bool = False,
    exact: pl.DataFrame | None = None,
    rows: int | None = None,
) -> str:
    """A finished frame as HTML that can stand in a cell or a page.

    Args:
        frame: one row per line. Column names say the units (`spend_usd`, `p95_ms`,
            `error_rate`); `x_low` and `x_high` join `x`; a list of numbers is drawn.
            A column without a value in any row is left out, and named below.
        title: what the table shows; empty for none.
        note: a sentence below it, or several, one below the other.
        script: whether it sorts, searches, turns pages and gives a CSV where scripts run.
        exact: the frame of the CSV, where it has more columns than are shown.
        rows: how many there are, where the frame has the first of them.

    Returns:
        One `div`. Of a long frame the first rows, and all others in one, where it is a
        view of groups; else how many more there are.

    >>> html = html_table(pl.DataFrame({"why": ["a <b>"]}), title="")
    >>> '<th scope="row">a &lt;b&gt;</th>' in html
    True
    """
    total = frame.height if rows is None else rows
    most = most_rows(frame if exact is None else exact) if script else MOST_ROWS
    kept, left_out = without_dashes(written(with_others(frame, most)))
    names = [column.name for column in kept]
    some = with_others(frame, MOST_ROWS)
    columns = kept if script and frame.height <= MOST_ROWS else written(some)
    columns = [column for column in columns if column.name in names]
    height = some.height
    if script and is_upright(columns, height):
        columns, script, height = upright(columns), False, len(columns)
    more = total - MOST_ROWS
    cut = some.height == MOST_ROWS and more > 0  # and no row is of the others
    below = f'<p class="more">… and {more:,} more</p>' if cut else ""
    notes = ["No rows."] if frame.is_empty() else []
    if script and total > most:
        notes.append(f"The first {most:,} of {total:,} rows; the frame itself has all.")
    notes += [note] if isinstance(note, str) else note
    below += "".join(f"<p>{escape(note)}</p>" for note in [*notes, left_out] if note)
    if script and not frame.is_empty():
        below += _script(frame if exact is None else exact, kept, title, most)
    return (
        f'<div class="lectr-table {NO_MATH}">{_style()}{_above(title)}'
        f"{_table(columns, height, title)}{below}</div>"
    )


def without_scripts(html: str) -> str:
    """Tables for a page that runs no script but its own: the first rows stay."""
    return _SCRIPTS.sub("", html)


def with_one_script(html: str) -> tuple[str, str]:
    """Tables whose script stands once: the HTML without it, and what is to run after all
    of that; empty where no table has one.

    >>> some = html_table(pl.DataFrame({"n": [1, 2]}), title="", script=True)
    >>> html, script = with_one_script(some + some)
    >>> script in html, script in some
    (False, True)
    """
    script = _asset("table.js")
    element = f"<script data-lectr>{script}</script>"
    return html.replace(element, ""), script if element in html else ""


def _above(title: str) -> str:
    """To be seen; who listens has it from the table's caption."""
    return f'<p class="title" aria-hidden="true">{escape(title)}</p>' if title else ""


def _table(columns: list[Column], height: int, title: str) -> str:
    heads = "".join(
        f'<th scope="col"{_right(c)}>{escape(c.heading)}</th>' for c in columns
    )
    rows = "".join(f"<tr>{_cells(columns, i)}</tr>" for i in range(height))
    caption = f"<caption>{escape(title)}</caption>" if title else ""
    label = escape(title or "Table", quote=True)
    return (
        f'<div class="scroll" role="group" tabindex="0" aria-label="{label}"><table>'
        f"{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _script(frame: pl.DataFrame, shown: list[Column], title: str, most: int) -> str:
    some = with_others(frame, most)
    drawn = {
        c.name: list(map(sparkline, c.lines)) for c in shown if c.lines is not None
    }
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60]
    others = some.height > most
    data = packed(some, shown, name=words or "table", drawn=drawn, others=others)
    return (
        f'<script type="application/octet-stream">{data}</script>'
        f"<script data-lectr>{_asset('table.js')}</script>"
    )


def _style() -> str:
    return f"<style>\n{_asset('table.css')}</style>"


@cache
def _asset(file: str) -> str:
    return files("lectr_lab.tables").joinpath(file).read_text("utf-8")


def _right(column: Column) -> str:
    return ' class="n"' if column.right else ""


def _side(column: Column) -> str:
    return ' class="w"' if column.whole else _right(column)


def _cells(columns: list[Column], i: int) -> str:
    return "".join(_cell(column, i, k == 0) for k, column in enumerate(columns))


def _cell(column: Column, i: int, first: bool) -> str:
    """What a row is about heads it, unless it is a figure."""
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
    text = escape(column.texts[i])
    if first and not column.right:
        return f'<th scope="row"{_side(column)}>{text}</th>'
    return f"<td{_side(column)}{bar}>{text}</td>"


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
