"""What stands beside the totals of calls: other requests, batches that passed by, what a
plan covered, and what providers themselves say that calls cost."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.rows import ROWS, Each
from lectr_lab.core import formatting
from lectr_lab.core.event_values import NOT_CALLS

_NAMED: tuple[str, ...] = tuple(name for name in NOT_CALLS if name != "other")
_OTHERS = ("other_requests", "other_failed", *(f"other_{name}" for name in _NAMED))
_PLAN = ("plan_requests", "plan_unpriced", "plan_usd")
_STATED = ("stated_requests", "stated_usd", "stated_list_usd")
_STATED_ALONE = ("stated_unpriced", "stated_unpriced_usd")
SUMS = (*_OTHERS, "batches_fetched", "gateway_cached", *_PLAN, *_STATED, *_STATED_ALONE)
"""What is added up of them, in this order."""

IMPORT_COMMAND = "lectr-lab import results.jsonl --kind openai-batch"
"""What counts a batch, from the file of its results."""


def aside_measures(each: Each = ROWS) -> list[pl.Expr]:
    """The sums of `SUMS`: counts of rows, and USD."""
    covered = rows.covered_by_plan() & pl.col("input_tokens").is_not_null()
    stated, unlisted = (
        pl.col("cost_stated_usd").is_not_null(),
        rows.list_usd().is_null(),
    )
    plan, cost = each.pusd("plan_usd"), each.pusd("cost_usd")
    listed = pl.when(rows.covered_by_plan()).then(plan).otherwise(cost)
    said, other = each.pusd("cost_stated_usd"), rows.is_other_request()
    found = [
        each.number(other),
        each.number(rows.other_failed()),
        *(each.number(other & (pl.col("operation") == name)) for name in _NAMED),
        each.number(rows.batch_fetched()),
        each.number(rows.gateway_cached()),
        each.number(covered),
        each.number(covered & pl.col("plan_usd").is_null()),
        each.usd(plan),
        each.number(stated),
        each.usd(said),
        each.usd(listed.filter(stated)),
        each.number(stated & unlisted),
        each.usd(said.filter(stated & unlisted)),
    ]
    return [sum_.alias(name) for name, sum_ in zip(SUMS, found, strict=True)]


def aside_sentences(total: Mapping[str, Any]) -> list[str]:
    """A sentence for each thing that is there; takes the sums of `aside_measures`.

    >>> total = dict.fromkeys(SUMS, 0) | {"other_requests": 24, "other_models": 2}
    >>> aside_sentences(total | {"other_count_tokens": 22})
    ['24 other requests (22 count_tokens, 2 models), 0 failed: not model calls.']
    """
    told = (_others, _batches, _cached, _plan, _stated)
    return [said for said in (tell(total) for tell in told) if said]


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
        f"With the file of results: {IMPORT_COMMAND} (or anthropic-batch)"
    )


def _cached(total: Mapping[str, Any]) -> str:
    n = total["gateway_cached"]
    return f"{_calls(n)} answered by a gateway's cache, which is free." if n else ""


def _plan(total: Mapping[str, Any]) -> str:
    n, unpriced = total["plan_requests"], total["plan_unpriced"]
    if not n:
        return ""
    but = f" ({formatting.count(unpriced)} without a known price)" if unpriced else ""
    return (
        f"{_calls(n)} covered by a plan, which bills none of it: "
        f"{formatting.usd(total['plan_usd'])} at list price{but}, not part of the spend."
    )


def _stated(total: Mapping[str, Any]) -> str:
    """Ours beside theirs where there are both; the rest apart."""
    alone, alone_usd = total["stated_unpriced"], total["stated_unpriced_usd"]
    both = total["stated_requests"] - alone
    said = []
    if both:
        stated, listed = total["stated_usd"] - alone_usd, total["stated_list_usd"]
        beyond = round(stated - listed, 9)  # else the last bit of a float is one
        said.append(
            f"{_calls(both)} cost {formatting.usd(stated)} by the provider's own word, "
            f"{formatting.usd(listed)} by list: difference "
            f"{'-' if beyond < 0 else ''}{formatting.usd(abs(beyond))}."
        )
    if alone:
        usd = formatting.usd(alone_usd)
        said.append(
            f"{_calls(alone)} without a known price cost {usd} by its own word."
        )
    return " ".join(said)


def _calls(n: int) -> str:
    return f"{formatting.count(n)} call{'' if n == 1 else 's'}"
