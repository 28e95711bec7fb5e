"""What a single row of the log is: the questions that every view asks of it."""

import operator
from functools import reduce
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.views.money import pusd, usd_of
from lectr_lab.core.event import UNTAGGED
from lectr_lab.core.event_values import GATEWAY_CACHE, NOT_CALLS
from lectr_lab.core.free_paths import FREE_PATHS


class Each(NamedTuple):
    """What stands in a row of a frame that measures are taken of: a row of the log, or a
    cell, a row that stands for `rows` of them that are alike in all that is asked here."""

    calls: bool = False
    """The frame has calls alone, as `grouped` gives it."""
    cells: bool = False

    def number(self, which: pl.Expr | None = None) -> pl.Expr:
        """How many rows of the log are so, or all; Int64."""
        if self.cells:
            n = pl.col("rows")
            return (n if which is None else n.filter(which)).sum()
        return (pl.len() if which is None else which.sum()).cast(pl.Int64)

    def pusd(self, usd: str) -> pl.Expr:
        """An amount in whole 1e-12 USD, Int128: `cost_usd`, `plan_usd` or
        `cost_stated_usd`; null where it is not known."""
        return pl.col(usd.replace("_usd", "_pusd")) if self.cells else pusd(usd)

    def usd(self, amount: str | pl.Expr) -> pl.Expr:
        """The sum of an amount in USD, Float64, the same to the bit of rows and cells.

        Args:
            amount: its name, or what was made of `pusd`.
        """
        some = self.pusd(amount) if isinstance(amount, str) else amount
        return usd_of(some.sum())


ROWS = Each()
"""Rows of the log, of any kind."""

_ANSWERED = ["ok", "client_disconnect", "upstream_disconnect", "error_in_stream"]
BILLED = ("image_count", "audio_seconds", "input_characters", "rerank_searches")
"""Counts that a call is billed by where no tokens are."""


def is_call() -> pl.Expr:
    """A model was asked, or something else that may be billed: all but operations and
    paths that are known to be free, and these too where tokens were counted.

    An imported row that does not say its operation is a call.
    """
    operation, path = pl.col("operation"), pl.col("path")
    free = path.is_in(FREE_PATHS, nulls_equal=True) & pl.col("input_tokens").is_null()
    other = operation.eq_missing("other") & ~free
    return pl.when(operation.is_in(NOT_CALLS)).then(other).otherwise(pl.lit(True))


def is_own() -> pl.Expr:
    """Of calls: a client's own, and not a shadow of one."""
    return pl.col("kind") == "request"


def is_request(calls: bool = False) -> pl.Expr:
    """A client's own call of a model, not a shadow of one.

    Args:
        calls: the log has calls alone, as `grouped` gives it; nothing else is looked
            for then, which takes most of the time of a count.
    """
    return is_own() if calls else is_own() & is_call()


def is_other_request() -> pl.Expr:
    """What a client asked that is no call of a model, such as its list of models."""
    return (pl.col("kind") == "request") & ~is_call()


def succeeded(calls: bool = False) -> pl.Expr:
    """A client's call that was answered to its end."""
    return is_request(calls) & (pl.col("outcome") == "ok")


def failed(calls: bool = False) -> pl.Expr:
    """A client's call that went wrong; a client that left is not a failure."""
    return is_request(calls) & _went_wrong()


def other_failed() -> pl.Expr:
    """What went wrong and was no call of a model."""
    return is_other_request() & _went_wrong()


def _went_wrong() -> pl.Expr:
    # Compared twice, for `is_in` takes three times as long.
    ended = (pl.col("outcome") == "ok") | (pl.col("outcome") == "client_disconnect")
    return ~ended


def batch_fetched() -> pl.Expr:
    """The results of a batch passed by: what they cost is in no row."""
    kept = (pl.col("operation") == "batches") | (pl.col("operation") == "files")
    path = pl.col("path")
    results = path.str.ends_with("/results") | path.str.ends_with("/content")
    fetched = kept & results & (pl.col("outcome") == "ok")
    return is_other_request() & fetched.fill_null(False)


def disconnected(calls: bool = False) -> pl.Expr:
    """A request whose client left before the end."""
    return is_request(calls) & (pl.col("outcome") == "client_disconnect")


def retried(calls: bool = False) -> pl.Expr:
    """A repeat of a request that had failed: an SDK says so, or the same body came again."""
    said = (pl.col("retry_count") > 0).fill_null(False)
    return is_request(calls) & (said | pl.col("retry_of_failed").fill_null(False))


def main_turn() -> pl.Expr:
    """A client's call by the main agent of its session, or by the only one."""
    unsaid = pl.col("turn_kind").is_null() & pl.col("parent_agent").is_null()
    is_main = (pl.col("turn_kind") == "main").fill_null(False) | unsaid
    return is_request() & is_main


def feature() -> pl.Expr:
    """The feature that was named; `untagged` where none was."""
    return pl.col("feature").fill_null(UNTAGGED)


def untagged() -> pl.Expr:
    """A client's request that named no feature."""
    return is_request() & pl.col("feature").is_null()


def is_priced() -> pl.Expr:
    """The cost is known."""
    return pl.col("cost_usd").is_not_null()


def answered() -> pl.Expr:
    """The provider answered, to the end or not: what it did is billed."""
    return pl.col("outcome").is_in(_ANSWERED)


def counted() -> pl.Expr:
    """Somebody said how much of anything it took that is billed."""
    told = (pl.col(name).is_not_null() for name in ("input_tokens", *BILLED))
    return reduce(operator.or_, told)


def unpriced() -> pl.Expr:
    """It was counted, but what that costs is not known."""
    return counted() & pl.col("cost_usd").is_null()


def uncounted(calls: bool = False) -> pl.Expr:
    """An answer came that may be billed, but nobody said how much it took."""
    silent = answered() & ~counted()
    return silent if calls else silent & is_call()


def gateway_cached() -> pl.Expr:
    """A gateway answered out of its cache: nobody bills it."""
    return (pl.col("service_tier") == GATEWAY_CACHE).fill_null(False)


def covered_by_plan() -> pl.Expr:
    """A plan paid for it, such as a subscription that a coding agent logs in to."""
    return pl.col("credential") == "plan"


def list_usd() -> pl.Expr:
    """What it costs by list, billed or covered by a plan; null where not known."""
    return pl.when(covered_by_plan()).then("plan_usd").otherwise("cost_usd")


def estimated() -> pl.Expr:
    """The tokens are an estimate, not the provider's count."""
    return pl.col("token_source").is_in(["tokenizer", "ratio"])


def model() -> pl.Expr:
    """The model that answered, or else the one that was asked."""
    return pl.coalesce("model_actual", "model_sent", "model_requested").alias("model")
