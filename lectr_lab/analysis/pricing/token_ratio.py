"""Token counts for streams that reported none: estimates, labelled `ratio`.

A stream of an OpenAI-style API counts its tokens only where the client asked for it.
For the others, characters are multiplied by the tokens per character of the same
model's reported rows. Characters do not see images, tool definitions or hidden
reasoning, so a single estimate is rough; sums over many rows are better. Rows that the
`tokenizer` extra counted as they went by have numbers, and stay (`token_source`).

Measured, leaving each out of its own ratio, on recorded streams that do report usage
(median absolute error of one row, 95 % bootstrap interval, n rows):

| recordings | input tokens | output tokens |
|---|---|---|
| replies of five hosted models, mostly short | 42 % (10 to 103), n 17 | 24 % (16 to 56), n 17 |
| two small local models, longer prompts | 10 % (6 to 11), n 31 | 13 % (12 to 18), n 31 |
"""

import operator
from functools import reduce

import polars as pl

from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.money import share
from lectr_lab.core.pricing.units import COUNTS

LEAST_REPORTED = 3
"""Reported rows of a model, below which no ratio is learned from it."""

MOST_CHARS = 10**9
"""More than any request can hold; what counts higher is not estimated."""

CHARS = {"input_tokens": "prompt_chars", "output_tokens": "output_chars"}
"""Of each count that is estimated, the characters that it is estimated from."""

REPORTED = ("rep_rows", *(f"rep_{name}" for pair in CHARS.items() for name in pair))
"""What ratios are learned from: how many rows reported, and the sums of what they did."""


def per_char(tokens: str) -> str:
    """The column that says how many tokens a character was estimated to be."""
    return f"{tokens}_per_char"


ESTIMATES = {per_char(name): pl.Float64() for name in CHARS}
"""Beside an estimated row: the tokens of one of its characters, in billionths. Its own
tokens are rounded, to be shown; sums and costs are of its characters, so that they are
the same however a log is cut and counted."""

_NANO = 10**9
_SHORT_CHARS = 8_000  # no price goes by a length of so few
_STEPS = 4  # of length, from there on, to a doubling


def with_ratios(log: pl.LazyFrame) -> pl.LazyFrame:
    """The log, with token counts where streams reported none.

    Args:
        log: events, one a row. Ratios are learned from all of them: narrow it after.

    Returns:
        The same rows and columns, the estimated rows last. Where a stream was answered
        without token counts and its model has at least three reported rows,
        `input_tokens` and `output_tokens` are estimates and `token_source` is "ratio";
        all other rows are untouched.

    >>> from lectr_lab.log.schema import frame
    >>> with_ratios(frame([]).lazy()).collect().height
    0
    """
    # Most rows need no ratio: only the few that may are joined with the models'.
    some = estimated(log.filter(is_silent()), ratios(reported(log)))
    return pl.concat([log.filter(~is_silent()), some.drop(list(ESTIMATES))])


def is_silent() -> pl.Expr:
    """A stream was answered, and nobody counted its tokens."""
    told = pl.col("operation") != "other"  # of the rest, nobody reads what it says
    return (rows.uncounted() & pl.col("stream") & told).fill_null(False)


def may_be_silent() -> pl.Expr:
    """Rows among which silent streams are: told in less time, and few of a log."""
    return (pl.col("input_tokens").is_null() & pl.col("stream")).fill_null(False)


def estimated(some: pl.LazyFrame, ratios: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of a log, the silent streams among them with estimates, as `with_ratios`.

    Args:
        some: events, one a row.
        ratios: as `ratios` learns them.

    Returns:
        Their rows with the columns `ESTIMATES`: null where a row is no estimate, or has
        other counts that its price is told by.
    """
    of = {name: pl.col(per_char(name)) for name in CHARS}
    known = is_silent() & has_chars() & of["input_tokens"].is_not_null()
    alone = known & pl.all_horizontal(_others_null())
    return (
        some.with_columns(_key())
        # Else polars holds rows while it looks which side is smaller: all, for the
        # other has to read the log before it is told.
        .join(ratios, on="_model", how="left", build_side="force_right")
        .with_columns(
            *(
                pl.when(known).then(estimate(name)).otherwise(name).alias(name)
                for name in CHARS
            ),
            *(pl.when(alone).then(n).alias(per_char(name)) for name, n in of.items()),
            pl.when(known)
            .then(pl.lit("ratio"))
            .otherwise("token_source")
            .alias("token_source"),
        )
        .drop("_model")
    )


def estimate(tokens: str) -> pl.Expr:
    """So many tokens by their characters, rounded to be shown."""
    exact = pl.col(CHARS[tokens]) * pl.col(per_char(tokens))
    return exact.round().cast(pl.Int64)


def tokens_sum(name: str) -> pl.Expr:
    """The sum of a count over rows, or cells, that have `ESTIMATES`; Int64.

    Estimates are added up by their characters, and rounded once. So the sum is the same
    to the last token of rows and of cells, however they are cut; 0 where nobody said.
    """
    count = pl.col(name).cast(pl.Int64)
    if name not in CHARS:
        return count.sum()
    nano = nano_tokens(name)
    whole = (nano.sum() + _NANO // 2) // pl.lit(_NANO, pl.Int128)
    # Chosen row by row: what is filtered in a group is kept whole till its end.
    return pl.when(nano.is_null()).then(count).sum() + whole.cast(pl.Int64)


def nano_tokens(name: str) -> pl.Expr:
    """Estimated tokens in billionths, Int128; null of a row, or cell, that was counted.

    Args:
        name: `input_tokens` or `output_tokens`.
    """
    nano = (pl.col(per_char(name)) * _NANO).round().cast(pl.Int64).cast(pl.Int128)
    return pl.col(CHARS[name]).cast(pl.Int128) * nano


def has_chars() -> pl.Expr:
    """Both lengths are known, and can be."""
    return pl.all_horizontal(
        pl.col(chars).is_between(0, MOST_CHARS).fill_null(False)
        for chars in CHARS.values()
    )


def prompt_bucket() -> pl.Expr:
    """How long a prompt is, in steps; 0 where it is too short for its length to matter.

    Prices have tiers by length, and the sum of many prompts has none: so that sums cost
    what their rows do, each row goes by the start of its step.
    """
    chars = pl.col("prompt_chars")
    steps = (chars / _SHORT_CHARS).log(2) * _STEPS
    return (
        pl.when(chars < _SHORT_CHARS).then(0).otherwise(steps.floor() + 1).cast(pl.Int8)
    )


def length_of(bucket: pl.Expr, per_char: pl.Expr) -> pl.Expr:
    """The input tokens at the start of a step."""
    steps = (bucket.cast(pl.Float64) - 1) / _STEPS
    chars = (
        pl.when(bucket > 0).then(_SHORT_CHARS * pl.lit(2.0).pow(steps)).otherwise(0.0)
    )
    return (chars * per_char).floor().cast(pl.Int64)


def _others_null() -> list[pl.Expr]:
    return [pl.col(name).is_null() for name in COUNTS if name not in CHARS]


def is_reported() -> pl.Expr:
    """A ratio can be learned from it."""
    some = [(pl.col(n) > 0).fill_null(False) for pair in CHARS.items() for n in pair]
    by_provider = (pl.col("token_source") == "provider").fill_null(False)
    return reduce(operator.and_, [rows.succeeded(), by_provider, *some])


def reported(log: pl.LazyFrame) -> pl.LazyFrame:
    """What a log teaches: the model of each row that reported, and `REPORTED`."""
    names = [name for pair in CHARS.items() for name in pair]
    return log.filter(is_reported()).select(
        _key(),
        pl.lit(1, pl.Int64).alias("rep_rows"),
        *(pl.col(name).cast(pl.Int64).alias(f"rep_{name}") for name in names),
    )


def ratios(taught: pl.LazyFrame) -> pl.LazyFrame:
    """Tokens per character of each model that reported often enough.

    Args:
        taught: `_model` and `REPORTED`, as `reported` gives them of rows; of cells, and
            of both together, likewise.
    """
    found = [
        share(
            (pl.col(f"rep_{tokens}") / pl.col(f"rep_{chars}") * _NANO).round(),
            pl.lit(float(_NANO)),
        ).alias(per_char(tokens))
        for tokens, chars in CHARS.items()
    ]
    return (
        taught.group_by("_model")
        .agg(pl.col(name).sum() for name in REPORTED)
        .filter(pl.col("rep_rows") >= LEAST_REPORTED, pl.col("_model").is_not_null())
        .select("_model", *found)
    )


def _key() -> pl.Expr:
    return rows.model().alias("_model")
