"""Which columns of a frame stand where: what matters first, and nothing for nothing.

A frame keeps all it has; this is about what is shown of it.
"""

import polars as pl

from lectr_lab.core.formatting import UNKNOWN, name
from lectr_lab.tables.columns import Column

# Dollars that a view is about, the first of them that it has.
_MAIN_USD = ("cost_usd", "spend_usd", "lost_usd", "saving_usd")
_BESIDE = ("share_of_spend", "share")
_SAID_ONCE = ("org", "percentiles")
_LISTED = 8
_IN_A_ROW = 15


def by_weight(frame: pl.DataFrame) -> pl.DataFrame:
    """What it cost directly behind what it is: a group's keys, or a request's time.

    >>> by_weight(pl.DataFrame({"feature": [], "requests": [], "spend_usd": []})).columns
    ['feature', 'spend_usd', 'requests']
    """
    names = frame.columns
    main = next((usd for usd in _MAIN_USD if usd in names), None)
    if main is None:
        return frame
    moved = [n for n in (main, f"{main}_low", f"{main}_high", *_BESIDE) if n in names]
    rest = [n for n in names if n not in moved]
    keys = rest.index("requests") if "requests" in rest else 1
    keys = min(keys, names.index(main))  # never further back than it was
    return frame.select(*rest[:keys], *moved, *rest[keys:])


def said_once(frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """Without the org and the like, where all rows have the same; and which that is.

    >>> said_once(pl.DataFrame({"org": ["me", "me"], "requests": [1, 2]}))[1]
    {'org': 'me'}
    """
    same: dict[str, str] = {}
    for column in _SAID_ONCE:
        if column in frame.columns and frame.width > 1 and frame.height:
            of_all = frame[column].unique()
            # What is binned is said of each figure.
            if len(of_all) == 1 and of_all.item() != "binned":
                same[column] = name(of_all.item())
                frame = frame.drop(column)
    return frame, same


def without_dashes(columns: list[Column]) -> tuple[list[Column], str]:
    """The columns that hold something in some row, and a sentence that names the rest.

    >>> spend = Column("spend", ["$1"], True)
    >>> kept, said = without_dashes([spend, Column("task", ["—"], False)])
    >>> [column.heading for column in kept], said
    (['spend'], 'Left out, for no row has any: task.')
    """
    empty = [c for c in columns if c.texts and set(c.texts) == {UNKNOWN}]
    stems = {c.name.rpartition("_p")[0] for c in empty if "_p" in c.name}
    empty += [c for c in columns if _counts_none(c, stems)]
    kept = [column for column in columns if column not in empty]
    if not kept or not empty:
        return columns, ""
    names = list(dict.fromkeys(column.heading for column in empty))
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return kept, f"Left out, for no row has any: {', '.join(names[:_LISTED])}{more}."


def upright(columns: list[Column]) -> list[Column]:
    """One row of many figures as a line for each of them.

    >>> [names, values] = upright([Column("spend", ["$1"], True)])
    >>> names.texts, values.texts
    (['spend'], ['$1'])
    """
    texts = [c.texts[0] for c in columns]
    names = [c.heading for c in columns]
    return [Column("figure", names, False), Column("value", texts, True)]


def is_upright(columns: list[Column], height: int) -> bool:
    """It is one row, too long to be read as one."""
    return height == 1 and len(columns) > _IN_A_ROW and all(c.texts for c in columns)


def _counts_none(column: Column, stems: set[str]) -> bool:
    """It is how many rows an empty column rests on."""
    stem = column.name.removesuffix("_n")
    return stem != column.name and stem in stems and set(column.texts) == {"0"}
