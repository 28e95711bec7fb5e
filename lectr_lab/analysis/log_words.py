"""Which part of a folder's log is meant, in words."""

from datetime import date

from lectr_lab.analysis.views.selection import Selection
from lectr_lab.core.formatting import count, name

_NAMED = 3


def words(of_day: date | None, selected: Selection) -> list[str]:
    """What of the folder's log it is."""
    said = [] if of_day is None else [f"files of {of_day}"]
    for column, some in selected.names:
        few = ", ".join(name(str(one)) for one in some[:_NAMED])
        more = len(some) - _NAMED
        said.append(f"{column} {few}{f' and {count(more)} more' if more > 0 else ''}")
    said += [
        f"{word} {at:%Y-%m-%d %H:%M %Z}"
        for word, at in zip(("from", "before"), selected.when, strict=True)
        if at is not None
    ]
    return said


def all_rows(of_day: date | None) -> str:
    """What is read where rows are."""
    return "All rows." if of_day is None else f"All rows of {of_day}."
