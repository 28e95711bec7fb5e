"""A log in cells of facts: what its rows add up to, with no price in it.

A cell is a row of the log that stands for `rows` rows. Its names and states are those
of each of them, and its counts are their sums; so what `views/rows.py` asks of a row is
true of a cell where it is true of all its rows, and a frame of rows as cells (`rows` 1
in each) is a frame of cells too. Cells of two parts of a log, put together, are the
cells of both. What a price can depend on is among the names: the quarter of an hour,
the model, the tier, how many lengths of input at which a price changes were passed
(`band`), and of each count whether it was said, and was above 0. So rows of one cell
have a price or have none together, and their cost is that of their sums.

Rows of which that is not true stay rows (`rest`): counts that contradict each other or
stand beside tokens (pictures, seconds of sound), counts beyond belief, and responses
that are asked for again. No cell, and none of these rows, says which session, user or
agent asked.
"""

import operator
from collections.abc import Collection, Sequence
from functools import reduce
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.cells.kinds import kinds
from lectr_lab.analysis.pricing.answered_once import may_be_repeated
from lectr_lab.analysis.pricing.bands import band, slot
from lectr_lab.analysis.pricing.billing import UNITS as BILLED_HERE
from lectr_lab.analysis.pricing.billing import doubts
from lectr_lab.analysis.pricing.token_ratio import (
    CHARS,
    ESTIMATES,
    REPORTED,
    has_chars,
    is_silent,
    per_char,
    prompt_bucket,
    reported,
)
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.money import PUSD_PER_USD
from lectr_lab.core.free_paths import FREE_PATHS
from lectr_lab.core.pricing.units import COUNTS, UNITS
from lectr_lab.log.schema import polars_schema

STEP = "15m"
"""The days of every time zone in use begin at one of these."""

NAMES = (
    *("org", "feature", "task", "provider"),
    *("model_actual", "model_sent", "model_requested"),
    *("service_tier", "inference_geo", "kind", "operation", "outcome"),
    *("status", "error_type", "error_source", "credential", "token_source"),
)
"""Columns of a cell by which its rows can be grouped; how a request failed stands where
it failed, and is null elsewhere."""

_ASKED = ("path", "stream", "include_usage", "retry_count", "retry_of_failed")
KEYS = ("started_at", *NAMES, *_ASKED, "band", "bucket", "slot")
"""What the rows of a cell have in common. `started_at` is the start of their quarter of
an hour; of path, stream, usage asked for and retries a cell says what is asked of them:
whether it is a call, silent, and a repeat. `band` counts the lengths that prices change
above and that input passed; `bucket` the steps of a silent stream's prompt; `slot` the
times of day at which prices change, where they do."""

_FIRST = ("org", "feature", "outcome", "task", "provider", "model_actual", "stream")
ORDER = (*dict.fromkeys((*_FIRST, *KEYS[1:])), "started_at")
"""How cells stand in files: like beside like, so that these are half as large."""

SUMS = (
    *("rows", "first_at", "last_at", *COUNTS, *CHARS.values()),
    "cost_stated_pusd",
)
"""What a cell adds up. Counts are null where no row says them; characters are those of
silent streams alone; `cost_stated_pusd` is in 1e-12 USD. `first_at` and `last_at` are
right for any org, feature and whole day (UTC) together, and null on most cells."""

COSTS = {
    "cost_usd": pl.Float64(),
    "plan_usd": pl.Float64(),
    "cost_stated_usd": pl.Float64(),
    "price_source": pl.String(),
    "cost_pusd": pl.Int128(),
    "plan_pusd": pl.Int128(),
    "cost_stated_pusd": pl.Int128(),
}
"""What a price adds to a cell: each amount in whole 1e-12 USD, and as a float that says
whether it is known. They stand last; what was stated is there already."""

MOST_IN_A_CELL = 10**7
"""A row that counts higher stays one: its cost, below 9,007 USD, is a float exactly."""

_MOST_STATED_USD = 9_000  # times 10^12, a float exactly
_SHAPED = (*COUNTS, *CHARS.values(), "cost_stated_pusd")
_QUARTER_US = 900_000_000
_OF_FAILURES = ("status", "error_type", "error_source")
_ID = ("event_id", "provider_response_id")
_TIMES = ("total_ms", "ttfb_ms", "ttft_ms", "overhead_ms")
_KEPT = (
    *("started_at", *NAMES, *_ASKED, *COUNTS, *CHARS.values(), "cost_stated_usd"),
    *("finish_reason", *_TIMES, *_ID),
)
_BATCHES = ("batches", "files")
_FREE, _RESULTS = FREE_PATHS[-1], "/results"


class Facts(NamedTuple):
    """What a part of a log says: its cells, the rows that are in none, and what all of
    its rows teach of each model (`token_ratio.reported`, added up)."""

    sums: pl.DataFrame
    rest: pl.DataFrame
    taught: pl.DataFrame


def schema() -> pl.Schema:
    """The columns of cells, and their types.

    >>> schema().names()[:3]
    ['started_at', 'org', 'feature']
    """
    of_log = polars_schema()
    kinds: dict[str, pl.DataType] = {
        name: of_log[name] for name in ("started_at", *NAMES)
    }
    kinds |= {name: of_log[name] for name in _ASKED}
    kinds |= dict.fromkeys(("band", "bucket", "slot"), pl.Int8())
    kinds |= {
        name: of_log[name if name in of_log else "started_at"]
        if name in (*COUNTS, "first_at", "last_at")
        else pl.Int64()
        for name in SUMS
    }
    return pl.Schema(kinds)


def rest_schema() -> pl.Schema:
    """The columns of rows that stay rows: those of the log that views and prices need."""
    of_log = polars_schema()
    return pl.Schema({name: of_log[name] for name in _KEPT})


def facts(log: pl.DataFrame) -> Facts:
    """What a part of a log says, so that it need not be read again.

    Args:
        log: events as they are stored, one a row, before anything is made of them.

    Returns:
        One cell for each set of `KEYS` (and of counts that are null, 0 or above), and
        the rows that are in none, which have an id only where they may be asked for
        again.

    >>> from lectr_lab.log.schema import frame
    >>> facts(frame([])).sums.height
    0
    """
    stays = log.select(_stays(log)).to_series()
    rest = log.filter(stays)
    fit = log.filter(~stays) if rest.height else log
    repeated = pl.when(may_be_settled())
    kept = rest.select(
        repeated.then(name).alias(name) if name in _ID else pl.col(name)
        for name in _KEPT
    )
    # Most columns are empty: to look at those, too, takes twice as long.
    empty = {one.name for one in fit if one.null_count() == one.len() > 0}
    said = (one for one in _each() if one.meta.output_name() not in empty)
    each = fit.lazy().select(said)
    # In memory, for else it comes in pieces, which each step would put together.
    cells = each.collect(engine="in-memory")
    return Facts(added_here(cells), kept, taught(reported(log.lazy())).collect())


def may_be_settled() -> pl.Expr:
    """Another request may say what it used: it is, or is made whole by, a fetch."""
    return may_be_repeated() & pl.col("provider_response_id").is_not_null()


def as_cells(priced: pl.LazyFrame) -> pl.LazyFrame:
    """Rows that have prices, as a cell each, with the columns of `costed`.

    Args:
        priced: events as `scan` gives them, or those of `rest_schema()`.
    """
    has = priced.collect_schema()
    if not {*ESTIMATES} <= {*has}:
        none = (pl.lit(None, kind).alias(name) for name, kind in ESTIMATES.items())
        priced = priced.with_columns(*none)
    guessed = pl.col(per_char("input_tokens")).is_not_null()
    found = dict(zip(schema(), _each(guessed), strict=True))
    found |= {name: pl.col(name) for name in (*ESTIMATES, *COSTS)}
    for name in COSTS:
        if name.endswith("_pusd"):
            found[name] = _pusd(name.replace("_pusd", "_usd"))
    kinds = ESTIMATES | COSTS
    return priced.select(
        *(one for name, one in found.items() if name not in kinds),
        *(found[name].cast(kind).alias(name) for name, kind in kinds.items()),
    )


def added(
    cells: pl.LazyFrame,
    *,
    keys: Collection[str] = KEYS,
    at: pl.Expr | None = None,
) -> pl.LazyFrame:
    """Cells that are alike, as one each.

    Args:
        cells: of any parts of a log.
        keys: what they have to have in common; other columns are null then.
        at: what stands for `started_at`; the start of the quarter of an hour, unless
            told.
    """
    known = {name: pl.col(name) for name in KEYS if name in keys}
    if "started_at" in known:
        known["started_at"] = _moment(at)
    found = cells.group_by(*known.values(), _shape(_SHAPED)).agg(_sums(SUMS))
    return _whole(found, known, _SHAPED)


def added_here(cells: pl.DataFrame, *, at: pl.Expr | None = None) -> pl.DataFrame:
    """The same of cells in memory, by all keys, in half the time; in their `ORDER`.

    Args:
        cells: of any parts of a log; columns that are null may be left out.
        at: the start of a quarter of an hour (UTC) that stands for `started_at`.
    """
    said = {one.name for one in cells if one.null_count() < one.len() or not one.len()}
    names = [name for name in ORDER if name in said and name != "started_at"]
    shaped = [name for name in _SHAPED if name in said]
    quarter = _moment(at).dt.timestamp("us") // _QUARTER_US
    told = cells.lazy().select(*names, _shape(shaped), quarter.alias("quarter"))
    each = told.collect(engine="in-memory")
    whose, quarters = kinds(each, [*names, "shape"]), each["quarter"]
    first = int(quarters.min() or 0)  # type: ignore[arg-type]
    n = int(quarters.max() or 0) - first + 1  # type: ignore[arg-type]
    group = (whose.of_rows * n + (quarters - first)).alias("group")
    some = cells.lazy().with_columns(group).group_by("group").agg(_sums(said))
    found = some.sort("group").collect()
    started = (found["group"] % n + first) * _QUARTER_US
    at_once = started.cast(schema()["started_at"]).alias("started_at")
    whole = found.hstack(whose.names[found["group"] // n]).hstack([at_once])
    told_apart = _whole(whole.lazy(), {*names, "started_at"}, shaped)
    return told_apart.collect(engine="in-memory")


def _moment(at: pl.Expr | None) -> pl.Expr:
    """What stands for `started_at`; the start of the quarter of an hour, unless told."""
    quarter = pl.col("started_at").dt.truncate(STEP)
    return (quarter if at is None else at).alias("started_at")


def _sums(said: Collection[str]) -> list[pl.Expr]:
    return [
        pl.col("first_at").min(),
        pl.col("last_at").max(),
        *(pl.col(n).sum() for n in SUMS if n in said and not n.endswith("_at")),
    ]


def _whole(
    found: pl.LazyFrame, known: Collection[str], shaped: Sequence[str]
) -> pl.LazyFrame:
    """Sums with all columns of cells: what nobody said is null, whatever it adds up to.

    Args:
        found: `_sums` by `known` and by `shape`.
        known: some of `KEYS`.
        shaped: those that `shape` tells of.
    """
    counts = [
        pl.when(pl.col("shape") // 3**place % 3 > 0).then(name).alias(name)
        for place, name in enumerate(shaped)
    ]
    # A day has one first moment of a feature, and no other of its cells needs to say it:
    # moments compress to nothing, and would be a tenth of all bytes.
    whole = pl.col("started_at").dt.date() if "started_at" in known else pl.lit(0)
    of = [whole, *(pl.col(name) for name in ("org", "feature") if name in known)]
    ends = [
        pl.when(pl.col(name) == end.over(of)).then(name).alias(name)
        for name, end in (
            ("first_at", pl.col("first_at").min()),
            ("last_at", pl.col("last_at").max()),
        )
    ]
    none = [
        pl.lit(None, kind).alias(name)
        for name, kind in schema().items()
        if (name in KEYS and name not in known)
        or (name in _SHAPED and name not in shaped)
    ]
    return found.with_columns(*counts, *ends, *none).select(*KEYS, *SUMS)


def taught(log: pl.LazyFrame) -> pl.LazyFrame:
    """What is taught of each model, added up.

    Args:
        log: `_model` and `REPORTED`, of any parts of a log.
    """
    return log.group_by("_model").agg(pl.col(name).sum() for name in REPORTED)


def _shape(names: Sequence[str]) -> pl.Expr:
    """Which counts were said, and which of them were above 0: a digit each."""
    digits = (
        ((pl.col(name) > 0).cast(pl.Int8) + 1).fill_null(0).cast(pl.Int64) * 3**place
        for place, name in enumerate(names)
    )
    return reduce(operator.add, digits, pl.lit(0, pl.Int64)).alias("shape")


def _each(guessed: pl.Expr | None = None) -> list[pl.Expr]:
    """A row of a log as a cell of one.

    Args:
        guessed: where the tokens of silent streams are estimates by now.
    """
    silent = is_silent() & has_chars()
    if guessed is not None:
        silent |= guessed
    at = pl.col("started_at")
    known = {name: pl.col(name) for name in ("started_at", *NAMES)}
    known |= {name: pl.when(rows.failed()).then(name) for name in _OF_FAILURES}
    known |= _asked()
    known["started_at"] = at.dt.truncate(STEP)
    known["band"] = band(pl.col("input_tokens"))
    known["bucket"] = pl.when(silent).then(prompt_bucket())
    known["slot"] = slot()
    known |= {"rows": pl.lit(1, pl.Int64), "first_at": at, "last_at": at}
    known |= {name: pl.col(name) for name in COUNTS}
    known |= {name: pl.when(silent).then(name) for name in CHARS.values()}
    known["cost_stated_pusd"] = _pusd("cost_stated_usd")
    return [known[name].cast(kind).alias(name) for name, kind in schema().items()]


def _asked() -> dict[str, pl.Expr]:
    """As much as is asked of a row by `views/rows.py`, and no more names than that."""
    operation, path = pl.col("operation"), pl.col("path")
    free = (operation == "other") & path.is_in(FREE_PATHS)
    ends = path.str.ends_with("/results") | path.str.ends_with("/content")
    by_provider = pl.col("token_source") == "provider"
    stream = pl.col("stream") & ~(by_provider & pl.col("input_tokens").is_not_null())
    return {
        "path": pl.when(free)
        .then(pl.lit(_FREE))
        .when(operation.is_in(_BATCHES) & ends)
        .then(pl.lit(_RESULTS)),
        "stream": pl.when(stream).then(True),
        "include_usage": pl.when(stream & pl.col("include_usage")).then(True),
        "retry_count": pl.when(pl.col("retry_count") > 0).then(1),
        "retry_of_failed": pl.when(pl.col("retry_of_failed")).then(True),
    }


def _pusd(usd: str) -> pl.Expr:
    pusd = (pl.col(usd) * float(PUSD_PER_USD)).round()
    return pusd.cast(pl.Int128, strict=False)


def _stays(log: pl.DataFrame) -> pl.Expr:
    """The rows that do not add up."""
    said = [name for name in COUNTS if log[name].null_count() < log.height]
    stated = pl.col("cost_stated_usd")
    beside = [pl.col(name).is_not_null() for name in rows.BILLED if name in said]
    tools = pl.col("other_tool_calls").fill_null(0) != 0
    beyond = [~pl.col(name).is_between(0, MOST_IN_A_CELL) for name in said]
    others = [pl.col(name).is_not_null() for name in said if name != "input_tokens"]
    silent = is_silent() & pl.any_horizontal(*others, pl.lit(False))
    # Where parts take all of the input, one row of a cell may be free and others not.
    parts = [pl.col(part) > 0 for part in UNITS["input_tokens"].parts if part in said]
    free = ~(pl.col("output_tokens") > 0).fill_null(False)
    unsure = (stated > 0) & free & pl.any_horizontal(*parts, pl.lit(False))
    odd = [may_be_settled(), *beside, tools, *beyond, silent, unsure]
    odd.append(~stated.is_between(-_MOST_STATED_USD, _MOST_STATED_USD))
    odd += doubts(log, [name for name in said if name in BILLED_HERE])
    return pl.any_horizontal(one.fill_null(False) for one in odd)
