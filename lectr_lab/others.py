"""Long lists of groups: the first of them, and all others in one row.

A group may be whatever a user names: a user's id as the feature makes a million. What
adds up is added up, so that a column's sum is the whole's; what does not (percentiles,
means) is left open.
"""

import re

import polars as pl

from lectr_lab.core.formatting import count
from lectr_lab.core.intervals import wilson

_ADDS_UP = re.compile(r"(^|_)usd(_month|_day)?$|^share(_|$)")
_DOES_NOT = re.compile(r"(^|_)(per|mean|p\d+|low|high|rate|ms|days)(_|$)")
_IN_ORDER = {"day", "hour", "time", "started_at"}


def with_others(view: pl.DataFrame, most: int) -> pl.DataFrame:
    """The first groups of a view, and a row of all others.

    Args:
        view: its keys stand before `requests`, as the views of a log have it; any other
            frame, and one by day or hour, is cut off.
        most: so many groups; where there are no more, they are all.

    Returns:
        At most `most` + 1 rows with the view's columns. In the last, named "all others
        (n)", counts, dollars and shares are sums, `error_rate` is theirs, a text that all
        rows share stays, and the rest is null.

    >>> view = pl.DataFrame({"feature": ["a", "b", "c"], "requests": [5, 2, 1]})
    >>> with_others(view, 1)["requests"].to_list()
    [5, 3]
    """
    label = _label(view)
    if view.height <= most or label is None:
        return view.head(most)
    rest = view.slice(most)
    named = f"all others ({count(rest.height)})"
    row = rest.select(
        pl.lit(named).alias(name) if name == label else _together(view, name)
        for name in view.columns
    )
    if "share_of_errors" in view.columns:  # each row is of all that could have failed
        row = row.with_columns(requests=pl.lit(rest["requests"].max()))
    if {"errors", "error_rate"} <= set(view.columns):
        row = row.with_columns(_error_rate(row))
    return pl.concat([view.head(most), row.cast(view.schema)])


def _label(view: pl.DataFrame) -> str | None:
    """The key that the others are named in: the last that is a name."""
    if "requests" not in view.columns:
        return None
    keys = view.columns[: view.columns.index("requests")]
    names = [key for key in keys if view.schema[key] == pl.String and key != "org"]
    return None if not names or _IN_ORDER & set(keys) else names[-1]


def _together(view: pl.DataFrame, name: str) -> pl.Expr:
    kind, column = view.schema[name], pl.col(name)
    if kind == pl.String:  # whose all of it is, it is the others' too
        said = view[name].head(1) if view[name].n_unique() == 1 else [None]
        return pl.lit(said[0], kind).alias(name)
    adds_up = kind.is_integer() or (kind.is_float() and _ADDS_UP.search(name))
    if not adds_up or _DOES_NOT.search(name):
        return pl.lit(None, kind).alias(name)
    # A sum of nulls would be 0: what is not known stays so.
    return pl.when(column.is_not_null().any()).then(column.sum()).alias(name)


def _error_rate(row: pl.DataFrame) -> list[pl.Series]:
    errors, requests = row["errors"].item(), row["requests"].item()
    if not requests:
        return []
    low, high = wilson(errors, requests)
    found = {"error_rate": errors / requests, "error_rate_low": low}
    found["error_rate_high"] = high
    return [pl.Series(n, [v]) for n, v in found.items() if n in row.columns]
