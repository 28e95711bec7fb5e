"""A frame as a CSV that a spreadsheet takes for what it is."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(frame: "pl.DataFrame") -> str:
    """A line per row; names are no formulas, and lists are one text.

    >>> import polars as pl
    >>> print(csv_text(pl.DataFrame({"feature": ["=1+1"], "reasons": [["a", "b"]]})))
    feature,reasons
    '=1+1,a; b
    """
    import polars as pl

    lists = [name for name, kind in frame.schema.items() if kind == pl.List(pl.String)]
    joined = frame.with_columns(pl.col(lists).list.join("; "))
    texts = [
        pl.col(name).map_elements(cell, return_dtype=pl.String)
        for name, kind in joined.schema.items()
        if kind == pl.String
    ]
    return joined.with_columns(texts).write_csv().rstrip("\n")


def cell(text: str) -> str:
    """A name as a spreadsheet may hold it: one line, no formula (OWASP, CSV Injection),
    and nothing invisible, for people read it there; as it was sent it is in JSON.

    >>> cell("=1+1"), cell("chat"), cell("ch\\u200bat")
    ("'=1+1", 'chat', 'ch<U+200B>at')
    """
    from lectr_lab.core.formatting import name

    line = name(text, most=1000)
    return f"'{line}" if line.startswith(_STARTS_FORMULA) else line
