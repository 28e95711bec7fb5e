"""What a column of a log is called, and `model`, which several columns say."""

from difflib import get_close_matches

import polars as pl

from lectr_lab.analysis.views import rows
from lectr_lab.core.errors import LabError

STEPS = {"day": "1d", "hour": "1h"}
"""What is told from when a request was sent, with the length of its step."""


def column(name: str, types: pl.Schema) -> pl.Expr:
    """A column of a log, or `model`.

    Args:
        name: what it is called.
        types: the log's schema.

    Raises:
        LabError: a column that the log does not have.
    """
    if name == "model":
        return rows.model()
    if name in types:
        return pl.col(name)
    near = get_close_matches(name, ["model", *STEPS, *types], n=3)
    hint = f"; near it: {', '.join(near)}" if near else ""
    raise LabError(
        f"The log has no column {name!r}{hint}. Take feature, session, agent, client, "
        "user, task, provider, model, day, hour or any column of the log."
    )
