"""What stands beside the totals of calls: other requests, and batches that passed by."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from lectr_lab.analysis.views import rows
from lectr_lab.core import formatting
from lectr_lab.core.event_values import NOT_CALLS

_NAMED: tuple[str, ...] = tuple(name for name in NOT_CALLS if name != "other")
COUNTS = (
    *("other_requests", "other_failed", *(f"other_{name}" for name in _NAMED)),
    "batches_fetched",
)
"""What is counted of them, in this order."""

IMPORT_COMMAND = (
    "lectr-lab import batch.csv --kind table --columns started_at=… model_actual=… "
    "input_tokens=… output_tokens=… provider==openai operation==chat "
    "service_tier==batch outcome==ok"
)
"""What counts a batch, once its results are a table."""


def aside_measures() -> list[pl.Expr]:
    """Requests that are no calls, how many failed, each kind, and batches fetched."""
    other = rows.is_other_request()
    found = [
        other,
        rows.other_failed(),
        *(other & (pl.col("operation") == name) for name in _NAMED),
        rows.batch_fetched(),
    ]
    return [some.sum().alias(name) for name, some in zip(COUNTS, found, strict=True)]


def aside_sentences(total: Mapping[str, Any]) -> list[str]:
    """A sentence for each thing that is there; takes the counts of `aside_measures`.

    >>> total = dict.fromkeys(COUNTS, 0) | {"other_requests": 24, "other_models": 2}
    >>> aside_sentences(total | {"other_count_tokens": 22})
    ['24 other requests (22 count_tokens, 2 models), 0 failed: not model calls.']
    """
    return [said for said in (_others(total), _batches(total)) if said]


def _others(total: Mapping[str, Any]) -> str:
    n = total["other_requests"]
    if not n:
        return ""
    kinds = [(total[f"other_{name}"], name) for name in _NAMED]
    kinds.append((n - sum(some for some, _ in kinds), "of no kind we know"))
    said = ", ".join(f"{formatting.count(some)} {name}" for some, name in kinds if some)
    return (
        f"{formatting.count(n)} other request{'' if n == 1 else 's'} ({said}), "
        f"{formatting.count(total['other_failed'])} failed: not model calls."
    )


def _batches(total: Mapping[str, Any]) -> str:
    n = total["batches_fetched"]
    if not n:
        return ""
    return (
        f"{formatting.count(n)} batch{'' if n == 1 else 'es'} fetched, not counted. "
        f"With the results as a table: {IMPORT_COMMAND}"
    )
