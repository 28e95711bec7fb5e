"""What a single row of the log is: the questions that every view asks of it."""

import polars as pl

from lectr_lab.core.event import UNTAGGED


def is_request() -> pl.Expr:
    """A client's own request, not a shadow of one."""
    return pl.col("kind") == "request"


def succeeded() -> pl.Expr:
    """A client's request that was answered to its end."""
    return is_request() & (pl.col("outcome") == "ok")


def failed() -> pl.Expr:
    """A client's request that went wrong; a client that left is not a failure."""
    # Compared twice, for `is_in` takes three times as long.
    ended = (pl.col("outcome") == "ok") | (pl.col("outcome") == "client_disconnect")
    return is_request() & ~ended


def disconnected() -> pl.Expr:
    """A request whose client left before the end."""
    return is_request() & (pl.col("outcome") == "client_disconnect")


def retried() -> pl.Expr:
    """An SDK's repeat of a request that had failed."""
    return is_request() & (pl.col("retry_count") > 0).fill_null(False)


def feature() -> pl.Expr:
    """The feature that was named; `untagged` where none was."""
    return pl.col("feature").fill_null(UNTAGGED)


def untagged() -> pl.Expr:
    """A client's request that named no feature."""
    return is_request() & pl.col("feature").is_null()


def is_priced() -> pl.Expr:
    """The cost is known."""
    return pl.col("cost_usd").is_not_null()


def unpriced() -> pl.Expr:
    """Tokens were counted, but what they cost is not known."""
    return pl.col("input_tokens").is_not_null() & pl.col("cost_usd").is_null()


def uncounted() -> pl.Expr:
    """An answer came, but nobody said how many tokens it took."""
    answered = pl.col("outcome").is_in(
        ["ok", "client_disconnect", "upstream_disconnect", "error_in_stream"]
    )
    metered = pl.col("operation") != "other"
    return answered & metered & pl.col("input_tokens").is_null()


def estimated() -> pl.Expr:
    """The tokens are an estimate, not the provider's count."""
    return pl.col("token_source").is_in(["tokenizer", "ratio"])


def model() -> pl.Expr:
    """The model that answered, or else the one that was asked."""
    return pl.coalesce("model_actual", "model_sent", "model_requested").alias("model")
