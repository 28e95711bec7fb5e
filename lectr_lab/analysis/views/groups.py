"""By what a view groups: any columns of the log, a time step, and always the org.

Two orgs' `chat` are two rows, unless one org is asked for. What is missing forms a group
like any other, with a name: `untagged` where no feature was named, else `no session`,
`no user`, and so on.
"""

import re
from collections.abc import Callable, Sequence

import polars as pl

from lectr_lab.analysis.cells.asked import Asked
from lectr_lab.analysis.log import AnyLog, Log
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.columns import STEPS, column
from lectr_lab.analysis.views.rows import Each
from lectr_lab.analysis.views.time_steps import time_step
from lectr_lab.core.errors import LabError
from lectr_lab.core.event import unnamed

By = str | Sequence[str] | None
"""One column, several, or none: any of the log, such as `feature`, `session`, `agent`,
`client` or `user`, and any that was joined to it. `model` is the model that answered;
`day` and `hour` are those of the time zone in which it was sent."""

Measures = Sequence[pl.Expr] | Callable[[Each], Sequence[pl.Expr]]
"""Named aggregates: of rows, or told what they are of."""

_NUMBERED = (pl.Categorical, pl.Enum)
_TEXTS = (pl.String, *_NUMBERED)
# What views call columns of their own, beside what they sum.
_OF_VIEWS = re.compile(
    r"time|rank|requests|sessions|percentiles|share_of_.+|error_rate.*|retries|errors"
    r"|(spend|plan|stated|before|after|change|all|mean|median|p95|from_.+)_usd"
    r"|(total|ttfb|ttft|overhead)_(n|p\d+.*)|output_tokens_per_s"
    r"|priced|unpriced|uncounted|estimated|incomplete|on_plan"
)


def grouped(
    log: AnyLog,
    measures: Measures,
    *,
    by: By = None,
    every: str | None = None,
    tz: str = "UTC",
    org: str | None = None,
    missing: bool = True,
    where: pl.Expr | None = None,
    failures: bool = False,
) -> pl.LazyFrame:
    """One row per group of model calls, shadows included: its keys, then the measures.

    Args:
        log: events, priced where the measures need it.
        measures: named aggregates of rows; or what gives them, of rows or of cells,
            which a `Log` may then be read from.
        by: columns to group by, beside the org.
        every: a time step, such as "1h" or "1d"; adds `time`, the start of each step.
        tz: the time zone in which days begin.
        org: look at one org alone; there is then no `org` column.
        missing: names for what is missing; else null, but for the feature.
        where: of the calls, those of which this is true.
        failures: these are calls that failed.

    Raises:
        LabError: a column that the log does not have.
    """
    each = Each(calls=True)
    cells = None
    if callable(measures) and isinstance(log, Log):
        names = frozenset(_names(by, alone=False))
        steps = [every] if every else []
        steps += [STEPS[name] for name in names & STEPS.keys()]
        cells = log.weighed(Asked(names, tuple(steps), tz, failures))
    if cells is not None:
        each = each._replace(cells=True)
    found = log.lazy() if cells is None else cells
    named = measures(each) if callable(measures) else measures
    some = found.filter(rows.is_call() if where is None else rows.is_call() & where)
    if org is not None:
        some = some.filter(pl.col("org") == org)
    keys = key_columns(some, by, every=every, tz=tz, org=org, missing=missing)
    own = {one.meta.output_name(raise_if_undetermined=False) for one in named}
    for name in key_names(by, org=org):
        if name in own:
            raise _taken(name)
    return some.group_by(keys).agg(*named) if keys else some.select(*named)


def counted_bins(
    log: AnyLog,
    how: str,
    by: By = None,
    *,
    every: str | None = None,
    tz: str = "UTC",
    org: str | None = None,
) -> pl.LazyFrame | None:
    """Bins of durations for the same groups, where a `Log` has them counted."""
    if how != "binned" or not isinstance(log, Log):
        return None
    names = frozenset(_names(by, alone=False))
    steps = [*([every] if every else []), *(STEPS[n] for n in names & STEPS.keys())]
    found = log.binned(Asked(names, tuple(steps), tz))
    if found is None or org is None:
        return found
    return found.filter(pl.col("org") == org)


def key_columns(
    log: pl.LazyFrame,
    by: By = None,
    *,
    every: str | None = None,
    tz: str = "UTC",
    org: str | None = None,
    missing: bool = True,
) -> list[pl.Expr]:
    """What `grouped` groups by, named as `key_names` says.

    Raises:
        LabError: a column that the log does not have.
    """
    types = log.collect_schema()
    names = _names(by, alone=org is not None)
    keys = [_key(name, tz, types, missing) for name in names]
    return keys if every is None else [*keys, _step(every, tz).alias("time")]


def key_names(by: By, every: str | None = None, org: str | None = None) -> list[str]:
    """The key columns that `grouped` gives, in their order."""
    return _names(by, alone=org is not None) + (["time"] if every else [])


def _names(by: By, alone: bool) -> list[str]:
    named = [] if by is None else [by] if isinstance(by, str) else list(by)
    if not alone and "org" not in named:
        named.insert(0, "org")
    return list(dict.fromkeys(named))


def _key(name: str, tz: str, types: pl.Schema, missing: bool) -> pl.Expr:
    if name == "feature":
        named = rows.feature()
        return named.cast(pl.String) if types.get(name) in _NUMBERED else named
    if name in STEPS:
        step = _step(STEPS[name], tz)
        return (step.dt.date() if name == "day" else step).alias(name)
    if _OF_VIEWS.fullmatch(name):
        raise _taken(name)
    key = column(name, types)
    if name != "model" and types[name] in _NUMBERED:
        key = key.cast(pl.String)
    is_text = name == "model" or types[name] in _TEXTS
    if name == "org" or not (is_text and missing):
        return key
    return pl.when(key != "").then(key).otherwise(pl.lit(unnamed(name))).alias(name)


def as_text(key: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """A key as a name, whatever its type; null where it is."""
    if kind == pl.Binary:
        return key.bin.encode("hex")
    if kind == pl.Duration:
        return key.dt.to_string("polars")
    if kind == pl.Struct:
        return key.struct.json_encode()
    if kind.is_nested():
        some = key.arr.to_list() if kind == pl.Array else key
        return some.cast(pl.List(pl.String)).list.join(", ")
    return key.cast(pl.String)


def _taken(name: str) -> LabError:
    return LabError(
        f"Views have a column {name!r} of their own. Rename yours: "
        f"log.rename({{{name!r}: {f'my_{name}'!r}}})."
    )


def _step(every: str, tz: str) -> pl.Expr:
    return time_step(pl.col("started_at"), every, tz)
