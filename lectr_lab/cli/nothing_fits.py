"""A filter that no request fits: said with what there is, and an error for a script."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from lectr_lab.core.errors import LabError

if TYPE_CHECKING:
    from lectr_lab.analysis.log import AnyLog
    from lectr_lab.analysis.views.select import Names

_NAMED = 5


def check_something_fits(log: "AnyLog", some: "AnyLog", **asked: "Names") -> None:
    """Pass where something was left of a log, or nothing was asked of it.

    Args:
        log: the log, as it was before.
        some: what `select` left of it.
        asked: what was asked of it, by the option; None is nothing.

    Raises:
        LabError: nothing is left; says by what, and what names there are.
    """
    told = {name: wanted for name, wanted in asked.items() if wanted}
    if not told or some.select("org").head(1).collect().height:
        return
    what = " and ".join(f"--{name} {_listed(some)}" for name, some in told.items())
    raise LabError(f"No request in the log fits {what}.{_there(log, told)}")


def _there(log: "AnyLog", told: "Mapping[str, Names]") -> str:
    """What the log has in place of a name that it does not have."""
    from lectr_lab.analysis.views.groups import key_columns
    from lectr_lab.core.formatting import name

    for column, wanted in told.items():
        if column in ("since", "until"):
            continue
        key = key_columns(log.lazy(), column, org=column)[-1].alias("key")
        there = log.select(key).unique().sort("key").collect()["key"].to_list()
        known = [one for one in there if isinstance(one, str)]
        missing = [one for one in _several(wanted) if one not in known]
        if known and missing:
            near = get_close_matches(missing[0], known, n=_NAMED) or known[:_NAMED]
            which = ", ".join(name(one) for one in near)
            more = ", …" if len(near) < len(known) else ""
            return f" Of {column} there is {which}{more}."
    return ""


def _several(wanted: "Names") -> list[str]:
    return [wanted] if isinstance(wanted, str) else list(wanted or [])


def _listed(wanted: "Names") -> str:
    return ", ".join(_several(wanted))
