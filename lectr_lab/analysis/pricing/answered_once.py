"""A response that is asked for again counts once: the row that made it has its usage.

A background response is made by one request and fetched by later ones, which carry the
same `provider_response_id`; only the fetch that finds it completed says what it used.
Nothing but a fetch is taken for a repeat: two requests that each make a response are two
calls, though some local servers give both one id.
"""

from typing import Literal

import polars as pl

from lectr_lab.core.event import columns

_ID = ["provider", "provider_response_id"]
_COUNTS = [c.name for c in columns() if ".usage." in c.otel]
_TOLD_AT_THE_END = ["service_tier", "inference_geo", "finish_reason", "output_chars"]
_NONE = {"token_source": "absent"}
SETTLED = frozenset({"operation", *_COUNTS, *_TOLD_AT_THE_END})
"""Columns that are otherwise, in some rows, where a response was fetched."""


def may_be_repeated() -> pl.Expr:
    """Rows among which fetches are, and those that a fetch may complete: few of a log."""
    operation = pl.col("operation")
    may_be_open = pl.col("input_tokens").is_null() & (operation == "responses")
    return ((operation == "other") | may_be_open | _fetches()).fill_null(False)


def answered_once(some: pl.LazyFrame, log: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of a log, with the usage of each response in one row.

    Args:
        some: events, one a row: those that `may_be_repeated`, and any others.
        log: all events, in which those responses may be whole already.

    Returns:
        The rows and columns of `some`. The first row of an id that was fetched has its
        usage and the operation `responses`; later fetches have no usage and are
        `other`. All other rows are untouched.

    >>> from lectr_lab.log.schema import frame
    >>> log = frame([]).lazy()
    >>> answered_once(log, log).collect().height
    0
    """
    counted = pl.col("input_tokens").is_not_null()
    known = pl.col("provider_response_id").is_not_null()
    ids = some.filter(_is_fetch(), known).select(_ID[1]).unique()
    makers = log.filter(pl.col("operation") == "responses", ~_is_fetch())
    whole = makers.filter(counted, known).select(_ID)
    # By one key in half the time, and the other is looked at in the next join.
    # The right side is few rows, and held: polars would hold all of the left to see.
    few: Literal["force_right"] = "force_right"
    made = whole.join(ids, on=_ID[1], how="semi", build_side=few).unique()
    is_made = made.with_columns(_is_made=True)
    told = some.join(is_made, on=_ID, how="left", build_side=few)
    return _settled(told).drop("_is_made")


def fetched() -> pl.Expr:
    """Fetches that name what they fetch: its maker may be anywhere in the log."""
    return _is_fetch() & pl.col("provider_response_id").is_not_null()


def _fetches() -> pl.Expr:
    # Compared, for to look at the ends of all paths takes twice as long.
    path = pl.col("path")
    return (path == "/v1/responses/*") | (path == "/openai/v1/responses/*")


def _is_fetch() -> pl.Expr:
    """The proxy names one `responses` that found its response over, `other` before."""
    either = pl.col("operation").is_in(["other", "responses"])
    return (either & _fetches()).fill_null(False)


def _settled(some: pl.LazyFrame) -> pl.LazyFrame:
    """Rows by their ids: the maker first, then fetches as they came."""
    known = pl.col("provider_response_id").is_not_null()
    counted = pl.col("input_tokens").is_not_null()
    told = counted & _is_fetch()
    place = pl.int_range(pl.len()).over(_ID)
    first = (place == 0) & pl.col("_is_made").is_null()
    usage = [
        pl.when(known & first)
        .then(pl.coalesce(pl.col(name).filter(told).first().over(_ID), name))
        .when(known & ~first & _is_fetch() & (name not in _TOLD_AT_THE_END))
        .then(pl.lit(_NONE.get(name)))
        .otherwise(name)
        .alias(name)
        for name in [*_COUNTS, *_TOLD_AT_THE_END]
    ]
    named = pl.when(first).then(pl.lit("responses")).otherwise(pl.lit("other"))
    operation = pl.when(known & _is_fetch()).then(named).otherwise("operation")
    return some.sort(_is_fetch(), "started_at", "event_id").with_columns(
        *usage, operation.alias("operation")
    )
