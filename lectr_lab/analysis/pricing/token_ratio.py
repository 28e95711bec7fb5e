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

import polars as pl

from lectr_lab.analysis.views import rows

LEAST_REPORTED = 3
"""Reported rows of a model, below which no ratio is learned from it."""

_CHARS = {"input_tokens": "prompt_chars", "output_tokens": "output_chars"}


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
    some = log.filter(is_silent())
    return pl.concat([log.filter(~is_silent()), estimated(some, log)])


def is_silent() -> pl.Expr:
    """A stream was answered, and nobody counted its tokens."""
    told = pl.col("operation") != "other"  # of the rest, nobody reads what it says
    return (rows.uncounted() & pl.col("stream") & told).fill_null(False)


def may_be_silent() -> pl.Expr:
    """Rows among which silent streams are: told in less time, and few of a log."""
    return (pl.col("input_tokens").is_null() & pl.col("stream")).fill_null(False)


def estimated(some: pl.LazyFrame, log: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of a log, the silent streams among them with estimates, as `with_ratios`."""
    counts = {
        tokens: (pl.col(chars) * pl.col(_per_char(tokens))).round().cast(pl.Int64)
        for tokens, chars in _CHARS.items()
    }
    both = pl.all_horizontal(n.is_not_null() for n in counts.values())
    known = pl.when(is_silent() & both)
    return (
        some.with_columns(_key())
        .join(_ratios(log), on="_model", how="left")
        .with_columns(
            *(
                known.then(n).otherwise(pl.col(name)).alias(name)
                for name, n in counts.items()
            ),
            known.then(pl.lit("ratio")).otherwise("token_source").alias("token_source"),
        )
        .drop("_model", *map(_per_char, _CHARS))
    )


def _ratios(log: pl.LazyFrame) -> pl.LazyFrame:
    """Tokens per character of each model that reported often enough."""
    reported = (
        rows.succeeded()
        & (pl.col("token_source") == "provider")
        & pl.all_horizontal(
            (pl.col(name) > 0).fill_null(False)
            for pair in _CHARS.items()
            for name in pair
        )
    )
    per_char = [
        (pl.col(tokens).sum() / pl.col(chars).sum()).alias(_per_char(tokens))
        for tokens, chars in _CHARS.items()
    ]
    return (
        log.filter(reported)
        .group_by(_key())
        .agg(*per_char, pl.len().alias("_n"))
        .filter(pl.col("_n") >= LEAST_REPORTED, pl.col("_model").is_not_null())
        .drop("_n")
    )


def _key() -> pl.Expr:
    return rows.model().alias("_model")


def _per_char(tokens: str) -> str:
    return f"_{tokens}_per_char"
