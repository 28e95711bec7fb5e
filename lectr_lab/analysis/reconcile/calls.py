"""Two logs of the same calls: which call is which, and where they differ.

A call is the same where the provider's id of its reply is the same, else that of the
request, else where model and counts are the same and the times are near, and last where
model and one of the counts are. What is left then is one side's alone. Calls that one side has twice by a provider's id are counted
once, and said: transcripts that repeat an earlier session's history have many.
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from lectr_lab.analysis.reconcile.call_result import CallReconciliation
from lectr_lab.analysis.views import rows

_IDS = ("provider_response_id", "provider_request_id")
_COUNTS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
    "input_image_tokens",
    "output_image_tokens",
    "web_searches",
)
_NEAR = (
    ("time and counts", ("model", "input_tokens", "output_tokens")),
    ("time and input", ("model", "input_tokens")),
    ("time and output", ("model", "output_tokens")),
)
_NEAR_USD = 1e-9


def compare_calls(
    log: pl.LazyFrame, other: pl.LazyFrame, *, within: timedelta
) -> CallReconciliation:
    """Set two logs of the same calls beside each other.

    Only answered calls of the days that both have are compared, at list price (what a
    plan covered, too, for a transcript does not know of plans).

    Args:
        log: events with `cost_usd`, as `scan` gives them.
        other: the same, from elsewhere.
        within: how far apart the clocks may be.

    Returns:
        Each call that differs, the largest amount first, with its cause.
    """
    ours, theirs = (_calls(one).collect() for one in (log, other))
    span = _common(ours, theirs)
    ours, theirs = (
        one.filter(pl.col("day").is_between(*span)) for one in (ours, theirs)
    )
    ours, our_repeats = _once(ours)
    theirs, their_repeats = _once(theirs)
    pairs = _paired(ours, theirs, within)
    both = (
        pairs.join(ours, left_on="our_row", right_on="row")
        .join(theirs, left_on="their_row", right_on="row", suffix="_theirs")
        .with_columns(cause=_cause())
    )
    lost = ours.join(pairs, left_on="row", right_on="our_row", how="anti")
    extra = theirs.join(pairs, left_on="row", right_on="their_row", how="anti")
    found = pl.concat(
        [
            _shown(both.filter(pl.col("cause").is_not_null())),
            _alone(lost, "ours", "only in the log"),
            _alone(extra, "theirs", "only in the other"),
            _alone(our_repeats, "ours", "twice in the log"),
            _alone(their_repeats, "theirs", "twice in the other"),
        ],
        how="diagonal",
    )
    size = pl.col("difference_usd").abs()
    return CallReconciliation(
        differences=found.select(_COLUMNS).sort(
            size, "started_at", "id", descending=[True, False, False], nulls_last=True
        ),
        calls=(ours.height + our_repeats.height, theirs.height + their_repeats.height),
        matched=pairs["matched_by"].value_counts().sort("matched_by"),
        usd=(_total(ours, our_repeats), _total(theirs, their_repeats)),
        days=span,
    )


_COLUMNS = (
    "cause",
    "started_at",
    "id",
    "model",
    "model_theirs",
    "matched_by",
    "input_tokens_missing",
    "cache_read_tokens_missing",
    "output_tokens_missing",
    "difference_usd",
    "our_usd",
    "their_usd",
)


def _calls(log: pl.LazyFrame) -> pl.LazyFrame:
    """What is compared of each call that was answered."""
    answered = pl.col("input_tokens").is_not_null() | rows.uncounted()
    has_plan = "plan_usd" in log.collect_schema()
    usd = rows.list_usd() if has_plan else pl.col("cost_usd")
    return (
        log.filter(rows.is_request(), answered)
        .select(
            "started_at",
            pl.col("started_at").dt.date().alias("day"),
            "total_ms",
            rows.model().str.to_lowercase().alias("model"),
            *_IDS,
            *(pl.col(name).fill_null(0) for name in _COUNTS),
            pl.col("service_tier"),
            usd.alias("usd"),
        )
        .with_row_index("row")
    )


def _common(ours: pl.DataFrame, theirs: pl.DataFrame) -> tuple[Any, Any]:
    """The days from the later first to the earlier last."""
    if ours.is_empty() or theirs.is_empty():
        whole = pl.concat([ours["day"], theirs["day"]])
        return whole.min(), whole.max()
    ends: list[Any] = [[one["day"].min(), one["day"].max()] for one in (ours, theirs)]
    return max(first for first, _ in ends), min(last for _, last in ends)


def _once(calls: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Calls, and the repeats of a provider's id: the row that says most is the call.

    Some local servers give every reply one id: what they repeat has other input.
    """
    whole = calls.sort("output_tokens", "started_at", descending=[True, False])
    id_ = pl.struct(_IDS[0], "model", "input_tokens")
    again = pl.col(_IDS[0]).is_not_null() & ~id_.is_first_distinct()
    repeats = whole.select("row", again.alias("again"))
    told = calls.join(repeats, on="row", how="left", maintain_order="left")
    return told.filter(~pl.col("again")), told.filter(pl.col("again"))


def _paired(
    ours: pl.DataFrame, theirs: pl.DataFrame, within: timedelta
) -> pl.DataFrame:
    """Rows of both that are one call, the surest first."""
    found: list[pl.DataFrame] = []

    def rest(one: pl.DataFrame, row: str) -> pl.DataFrame:
        for pairs in found:
            one = one.join(pairs, left_on="row", right_on=row, how="anti")
        return one

    for name in _IDS:
        known = pl.col(name).is_not_null()
        left, right = (
            one.filter(known).unique(name, keep="first", maintain_order=True)
            for one in (rest(ours, "our_row"), rest(theirs, "their_row"))
        )
        pairs = left.join(right, on=name, suffix="_right")
        found.append(_pairs(pairs["row"], pairs["row_right"], name))
    known = pl.col(_IDS[0]).is_not_null()
    for by, keys in _NEAR:
        # Two that have ids are one call where those are the same, and only there.
        for which, other, more in (
            (known, known, _IDS[:1]),
            (~known, True, ()),
            (known, ~known, ()),
        ):
            left = rest(ours, "our_row").filter(which)
            right = rest(theirs, "their_row").filter(other)
            near = list(_near(left, right, (*keys, *more), within))
            one, two = zip(*near, strict=True) if near else ((), ())
            found.append(
                _pairs(
                    pl.Series(one, dtype=pl.UInt32), pl.Series(two, dtype=pl.UInt32), by
                )
            )
    return pl.concat(found)


def _pairs(ours: pl.Series, theirs: pl.Series, by: str) -> pl.DataFrame:
    return pl.DataFrame({"our_row": ours, "their_row": theirs}).with_columns(
        matched_by=pl.lit(by)
    )


def _near(
    ours: pl.DataFrame, theirs: pl.DataFrame, keys: Sequence[str], within: timedelta
) -> Iterator[tuple[int, int]]:
    """Of what is equal in the keys, the calls in their order of time, where they are near.

    Another log may note when a call began, or when it was over.
    """
    waiting: dict[tuple[Any, ...], deque[tuple[int, datetime]]] = defaultdict(deque)
    columns = ("row", "started_at", "total_ms", *keys)
    for row, at, _, *key in _in_order(theirs).select(columns).iter_rows():
        waiting[tuple(key)].append((row, at))
    for row, at, ms, *key in _in_order(ours).select(columns).iter_rows():
        others = waiting[tuple(key)]
        over = at + timedelta(milliseconds=max(ms or 0.0, 0.0)) + within
        while others and others[0][1] < at - within:
            others.popleft()
        if others and others[0][1] <= over:
            yield row, others.popleft()[0]


def _in_order(calls: pl.DataFrame) -> pl.DataFrame:
    return calls.sort("started_at", "row")


def _cause() -> pl.Expr:
    """Why two accounts of one call differ; null where they do not."""
    counts = pl.any_horizontal(
        pl.col(name) != pl.col(f"{name}_theirs") for name in _COUNTS
    )
    near = (pl.col("usd") - pl.col("usd_theirs")).abs() <= _NEAR_USD
    one_price = near.fill_null(False) | (
        pl.col("usd").is_null() & pl.col("usd_theirs").is_null()
    )
    tier = pl.col("service_tier").ne_missing(pl.col("service_tier_theirs"))
    return (
        pl.when(pl.col("model").ne_missing(pl.col("model_theirs")) & ~one_price)
        .then(pl.lit("another model"))
        .when(counts)
        .then(pl.lit("counted differently"))
        .when(one_price)
        .then(None)
        .when(tier)
        .then(pl.lit("another service tier"))
        .otherwise(pl.lit("another price"))
    )


def _shown(both: pl.DataFrame) -> pl.DataFrame:
    lacks = (
        (pl.col(f"{name}_theirs") - pl.col(name))
        .cast(pl.Int64)
        .alias(f"{name}_missing")
        for name in ("input_tokens", "cache_read_tokens", "output_tokens")
    )
    return both.select(
        "cause",
        "started_at",
        pl.coalesce(_IDS).alias("id"),
        "model",
        "model_theirs",
        "matched_by",
        *lacks,
        (pl.col("usd_theirs") - pl.col("usd")).alias("difference_usd"),
        pl.col("usd").alias("our_usd"),
        pl.col("usd_theirs").alias("their_usd"),
    )


def _alone(calls: pl.DataFrame, whose: str, cause: str) -> pl.DataFrame:
    """Calls that the other side does not have, or has once."""
    sign = -1 if whose == "ours" else 1
    lacks = (
        (sign * pl.col(name)).cast(pl.Int64).alias(f"{name}_missing")
        for name in ("input_tokens", "cache_read_tokens", "output_tokens")
    )
    usd, none = pl.col("usd"), pl.lit(None, pl.Float64)
    model = pl.col("model")
    no_model = pl.lit(None, pl.String)
    return calls.select(
        pl.lit(cause).alias("cause"),
        "started_at",
        pl.coalesce(_IDS).alias("id"),
        (model if whose == "ours" else no_model).alias("model"),
        (model if whose == "theirs" else no_model).alias("model_theirs"),
        no_model.alias("matched_by"),
        *lacks,
        (sign * usd).alias("difference_usd"),
        (usd if whose == "ours" else none).alias("our_usd"),
        (usd if whose == "theirs" else none).alias("their_usd"),
    )


def _total(*calls: pl.DataFrame) -> float:
    return float(sum(one["usd"].sum() for one in calls))
