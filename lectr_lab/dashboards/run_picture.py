"""One session drawn small, as SVG in the page's ink: a bar a request, stacked by kind of
token, the dollars spent so far as a line, and below the bars who asked. Made of strings:
a chart's engine would take longer than the whole page.
"""

from html import escape

import polars as pl

from lectr_lab.core.formatting import count, name, tokens, usd

_KINDS = (
    ("cache_read_tokens", "cache read", "#56B4E9"),
    ("cache_write_tokens", "cache write", "#009E73"),
    ("fresh_input_tokens", "fresh input", "#0072B2"),
    ("output_tokens", "output", "#E69F00"),
)
_WIDTH, _HIGH, _LEFT, _RIGHT, _TOP = 720, 130, 76, 62, 10
_LANE, _MOST_LANES = 12, 6
_FAILED, _COMPACTED, _GREY = "#D55E00", "#CC79A7", "#8A94A0"


def run_picture(turns: pl.DataFrame) -> str:
    """A session's requests as SVG with its legend.

    Args:
        turns: what the view `turns` gives, collected: a row per request.

    >>> from lectr_lab.analysis.pricing.priced import priced
    >>> from lectr_lab.analysis.views.turns import turns
    >>> from lectr_lab.log.schema import frame
    >>> run_picture(turns(priced(frame([]).lazy()), "s").collect())
    ''
    """
    if turns.is_empty():
        return ""
    rows = turns.to_dicts()
    lanes = list(dict.fromkeys(row["lane"] for row in rows))
    shown = lanes[:_MOST_LANES]
    slot = (_WIDTH - _LEFT - _RIGHT) / len(rows)
    high = _TOP + _HIGH + 8 + _LANE * len(shown) + 4
    most = max(sum(row[kind] or 0 for kind, _, _ in _KINDS) for row in rows) or 1
    marks = [
        _axis(most, rows[-1]["spent_usd"]),
        *(_bar(row, _LEFT + i * slot, slot, most) for i, row in enumerate(rows)),
        _spent(rows, slot),
        *(_lane(lane, at, rows, slot) for at, lane in enumerate(shown)),
    ]
    said = f"{count(len(rows))} requests, {usd(rows[-1]['spent_usd'])}"
    return (
        f'{_legend(rows)}<div class="wide"><svg class="run" viewBox="0 0 {_WIDTH} {high}" '
        f'width="100%" role="img" aria-label="{escape(said)}">{"".join(marks)}</svg></div>'
    )


def _axis(most: int, spent_usd: float) -> str:
    """What the highest bar is, and what the line ends at."""
    lines = "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>'
        for y in (_TOP, _TOP + _HIGH)
    )
    left = (
        f'<text x="{_LEFT - 6}" y="{_TOP + 4}" text-anchor="end">{tokens(most)}</text>'
    )
    right = f'<text x="{_WIDTH - _RIGHT + 6}" y="{_TOP + 4}">{usd(spent_usd)}</text>'
    return lines + left + right


def _bar(row: dict[str, object], x: float, slot: float, most: int) -> str:
    gap = 1.0 if slot > 4 else 0.0
    base, made = float(_TOP + _HIGH), []
    words = [f"{row['request']} · {name(str(row['lane']))}"]
    for kind, said, colour in _KINDS:
        n = row[kind]
        if not isinstance(n, int) or n <= 0:
            continue
        height = n / most * _HIGH
        base -= height
        made.append(_rect(x + gap / 2, base, slot - gap, height, colour))
        words.append(f"{count(n)} {said}")
    cost = row["cost_usd"]
    words.append(usd(cost if isinstance(cost, float) else None))
    middle, bottom = x + slot / 2, _TOP + _HIGH
    if row["turn_kind"] == "compaction":
        made.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}" '
            f'stroke="{_COMPACTED}" stroke-width="1.5" stroke-dasharray="5 2"/>'
        )
    if row["failed"]:
        words.append(name(str(row["error_type"] or row["outcome"])))
        path = f"M{middle - 3:.1f},{bottom - 8}l6,6m0,-6l-6,6"
        made.append(f'<path d="{path}" stroke="{_FAILED}" stroke-width="2"/>')
    return f"<g><title>{escape(', '.join(words))}</title>{''.join(made)}</g>"


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" '
        f'height="{height:.1f}" fill="{colour}"/>'
    )


def _spent(rows: list[dict[str, object]], slot: float) -> str:
    """The line of dollars so far, which ends at the top."""
    last = rows[-1]["spent_usd"]
    if not isinstance(last, float) or last <= 0:
        return ""
    points = []
    for i, row in enumerate(rows):
        spent = row["spent_usd"]
        up = spent / last * _HIGH if isinstance(spent, float) else 0.0
        points.append(f"{_LEFT + (i + 0.5) * slot:.1f},{_TOP + _HIGH - up:.1f}")
    return (
        f'<polyline points="{" ".join(points)}" fill="none" stroke="currentColor" '
        'stroke-width="1.6"/>'
    )


def _lane(lane: str, at: int, rows: list[dict[str, object]], slot: float) -> str:
    """Marks where this one asked."""
    y = _TOP + _HIGH + 8 + at * _LANE
    marks = "".join(
        _rect(_LEFT + i * slot, y + 2, max(slot - 1, 1), _LANE - 5, _GREY)
        for i, row in enumerate(rows)
        if row["lane"] == lane
    )
    label = escape(name(lane, 9))
    text = f'<text x="{_LEFT - 6}" y="{y + 9}" text-anchor="end">{label}</text>'
    return f"<g><title>{escape(name(lane))}</title>{text}{marks}</g>"


def _legend(rows: list[dict[str, object]]) -> str:
    kinds = [
        f'<span><i style="background:{colour}"></i>{said}</span>'
        for kind, said, colour in _KINDS
        if any(row[kind] for row in rows)
    ]
    if any(row["turn_kind"] == "compaction" for row in rows):
        kinds.append(f'<span><i style="background:{_COMPACTED}"></i>compacted</span>')
    if any(row["failed"] for row in rows):
        kinds.append(f'<span><i style="background:{_FAILED}"></i>failed</span>')
    kinds.append("<span>line: dollars so far</span>")
    return f'<div class="legend">{"".join(kinds)}</div>'
