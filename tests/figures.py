"""What figures have to be: told of the rows in plain polars, and of what a page carries.

An oracle: nothing of it is taken from the views, nor from the page's own script.
"""

import html
import json
import re
from collections.abc import Iterable
from typing import Any

import polars as pl
from unpacked import unpacked_cells

OWN = pl.col("kind") == "request"
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens")
FAILED = ~pl.col("outcome").is_in(["ok", "client_disconnect"])


def figures_of(rows: pl.DataFrame) -> dict[str, Any]:
    """Of rows of a log, collected, which are all calls of a model: `requests`,
    `spend_usd`, `errors`, `error_rate`, tokens, and percentiles of what succeeded."""
    own = rows.filter(OWN)
    timed = own.filter(pl.col("outcome") == "ok")["total_ms"].drop_nulls()
    requests, errors = own.height, own.filter(FAILED).height
    known = rows["cost_usd"].drop_nulls()
    counted = rows["input_tokens"].is_not_null().any()
    return {
        "requests": requests,
        "spend_usd": known.sum() if known.len() or not counted else None,
        "errors": errors,
        "error_rate": errors / requests if requests else None,
        **{
            name: _tokens(rows, name) if rows[name].count() else None for name in TOKENS
        },
        "total_n": timed.len(),
        **{f"total_p{p}_ms": timed.quantile(p / 100, "linear") for p in (50, 95, 99)},
    }


def _tokens(rows: pl.DataFrame, name: str) -> float:
    """A sum of tokens, in which estimates are not rounded one by one."""
    chars = {"input_tokens": "prompt_chars", "output_tokens": "output_chars"}.get(name)
    if chars is None or f"{name}_per_char" not in rows.columns:
        return rows[name].drop_nulls().sum()
    guessed = pl.col(f"{name}_per_char")
    count = pl.when(guessed.is_null()).then(name).otherwise(pl.col(chars) * guessed)
    return rows.select(count.sum()).item()


def data_of(page: str) -> dict[str, Any]:
    """What a page draws: the JSON that stands in it."""
    found = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL
    )
    assert found is not None
    return json.loads(html.unescape(found[1]) if "&quot;" in found[1] else found[1])


def added_up(
    data: dict[str, Any],
    *,
    features: Iterable[int] | None = None,
    models: Iterable[int] | None = None,
    times: tuple[int, int] | None = None,
) -> dict[str, float]:
    """The sums of a page's cells that a selection lets through.

    Args:
        data: as `data_of` gives it.
        features: places among `data["features"]`; None is all.
        models: places among `data["models"]`; likewise.
        times: from and to before, in ms of the wall clock, as in `data["times"]`.
    """
    data = unpacked_cells(data)
    cells = data["cells"]
    n = len(cells["t"])

    def column(name: str) -> list[float]:
        found = cells[name] if isinstance(cells[name], list) else [0] * n
        return [pusd / 1e12 for pusd in found] if name.endswith("usd") else found

    wanted = {"f": features, "m": models}
    keep = [True] * n
    for key, places in wanted.items():
        if places is not None:
            chosen = {*places}
            keep = [
                old and at in chosen for old, at in zip(keep, column(key), strict=True)
            ]
    if times is not None:
        at = [data["times"][t] for t in cells["t"]]
        keep = [
            old and times[0] <= when < times[1]
            for old, when in zip(keep, at, strict=True)
        ]
    return {
        name: sum(v for v, some in zip(column(name), keep, strict=True) if some)
        for name in data["measures"]
    }


def cells_of(table: str) -> list[list[str]]:
    """The texts of an HTML table's body, a list for each row."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.DOTALL)
    found = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL) for row in rows]
    return [
        [html.unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in row]
        for row in found
    ]
