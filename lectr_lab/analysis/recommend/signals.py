"""What a group of requests looks like, in one row: the figures that advice rests on.

A group is one org's feature, task, provider and model. Only requests that were answered
in full and chat-like operations count: no embedding has a smaller model to go to.
"""

from random import SystemRandom

import polars as pl

from lectr_lab.analysis.views import binned, rows
from lectr_lab.analysis.views.money import usd_sum
from lectr_lab.analysis.views.percentiles import group_number
from lectr_lab.analysis.views.rows import ROWS, Each
from lectr_lab.core.pricing.price import MOST_COUNTED

KEYS = ["org", "feature", "task", "provider", "model"]
CHATS = ("chat", "responses", "messages", "generate_content")

# Ours, all of them: no source has such figures.
SHORT_ANSWER_TOKENS = 100
SHORT_PROMPT_TOKENS = 2_000
LONG_PROMPT_TOKENS = 8_000
DEEP_SCHEMA_LEVELS = 4
LOW_TEMPERATURE = 0.3


def judged() -> pl.Expr:
    """The requests that advice rests on."""
    return rows.succeeded() & pl.col("operation").is_in(CHATS)


def signals(log: pl.LazyFrame) -> pl.LazyFrame:
    """One row per group of answered chats: its size, its shape and what it uses.

    Args:
        log: events with `cost_usd`.

    Returns:
        The keys; `asked_for`, the models that clients named; `requests`, `counted` (with token counts), `days` (UTC, with traffic),
        `spend_usd`, `priced`, `estimated`; tokens at the median, p95 or most; rows that
        have a sign, named `n_…`; whether any row needs an ability, named `uses_…`; and
        `unsaid`, whether some do not say.

    >>> from lectr_lab.analysis.pricing.priced import priced
    >>> from lectr_lab.log.schema import frame
    >>> signals(priced(frame([]).lazy())).collect().columns[:5]
    ['org', 'feature', 'task', 'provider', 'model']
    """
    own = log.filter(judged()).with_columns(rows.model())
    # By day and asked-for name first: sets of these would hold every row.
    parts = own.group_by(*KEYS, "model_requested", day=pl.col("started_at").dt.date())
    sums = parts.agg(*size(ROWS), *_most(), *_signs(), *_uses()).group_by(KEYS)
    shape = [
        pl.col("day").n_unique().alias("days"),
        pl.col("^n_.*$").sum(),
        pl.col("input_most_tokens", "output_most_tokens").max(),
        pl.col("^uses_.*$", "unsaid").any(),
    ]
    return _with_ranks(sums.agg(*sizes(), *shape), own)


def shapes(log: pl.LazyFrame) -> pl.LazyFrame:
    """`signals` of some rows of a log, without what they cost.

    Returns:
        The keys; `looked_requests` and `looked_counted`; and what requests look like and
        use, as of `signals`.
    """
    own = log.filter(judged()).with_columns(rows.model())
    sums = own.group_by(KEYS).agg(
        ROWS.number().alias("looked_requests"),
        ROWS.number(_counted()).alias("looked_counted"),
        *(*_most(), *_signs(), *_uses()),
    )
    return _with_ranks(sums, own)


def size(each: Each) -> list[pl.Expr]:
    """How many requests there are, and what they cost, of rows or of cells."""
    return [
        each.number().alias("requests"),
        each.number(_counted()).alias("counted"),
        each.usd("cost_usd").alias("spend_usd"),
        each.number(rows.is_priced()).alias("priced"),
        each.number(rows.estimated()).alias("estimated"),
    ]


def sizes() -> list[pl.Expr]:
    """The sums of a group's parts, each of one asked-for name."""
    return [
        pl.col("model_requested").drop_nulls().unique().sort().alias("asked_for"),
        pl.col("requests", "counted", "priced", "estimated").sum(),
        usd_sum("spend_usd"),
    ]


def _counted() -> pl.Expr:
    return pl.all_horizontal(pl.col("input_tokens", "output_tokens").is_not_null())


def _most() -> list[pl.Expr]:
    return [
        pl.col("input_tokens").max().alias("input_most_tokens"),
        pl.max_horizontal(
            pl.col("output_tokens").max(), pl.col("max_output_tokens").max()
        ).alias("output_most_tokens"),
    ]


def _with_ranks(groups: pl.LazyFrame, log: pl.LazyFrame) -> pl.LazyFrame:
    """Groups with the median of their input and the 95th percentile of their output.

    From how often there is each number of tokens: these are few beside the rows, which
    are read now.
    """
    number = group_number([pl.col(key) for key in KEYS], SystemRandom().getrandbits(62))
    tokens = pl.col("input_tokens", "output_tokens")
    counts = binned.value_counts(
        log.select(number, tokens.cast(pl.Int64).clip(0, MOST_COUNTED)),
        "_group",
        below=MOST_COUNTED + 1,
    )
    median, p95 = (share * (binned.count() - 1) for share in (0.5, 0.95))
    middle = _at("input_tokens", median.floor()) + _at("input_tokens", median.ceil())
    figures = {
        "input_tokens": (middle / 2).alias("input_p50_tokens"),
        "output_tokens": _at("output_tokens", p95.round()).alias("output_p95_tokens"),
    }
    found = groups.with_columns(number)
    for name, figure in figures.items():
        ranked = counts[name].lazy().group_by("_group").agg(figure)
        found = found.join(ranked, on="_group", how="left", validate="1:1")
    return found.drop("_group")


def _at(name: str, rank: pl.Expr) -> pl.Expr:
    """The value at a rank, from 0."""
    value = pl.col(name)
    passed = pl.col("_n").sort_by(value).cum_sum() > rank
    return value.sort().get(passed.arg_max()).cast(pl.Float64)


def _signs() -> list[pl.Expr]:
    """Rows that have each sign; a row that does not say has it not."""
    signs = {
        "short_answer": pl.col("output_tokens") <= SHORT_ANSWER_TOKENS,
        "short_prompt": pl.col("input_tokens") <= SHORT_PROMPT_TOKENS,
        "long_prompt": pl.col("input_tokens") > LONG_PROMPT_TOKENS,
        "low_temperature": pl.col("temperature") <= LOW_TEMPERATURE,
        "json": pl.col("response_format").is_in(["json_object", "json_schema"]),
        "deep_schema": pl.col("schema_depth") >= DEEP_SCHEMA_LEVELS,
        "reasoning": _reasons(),
        "tools": pl.col("has_tools"),
        "pictures_or_sound": pl.col("has_images") | pl.col("has_audio"),
    }
    return [sign.sum().alias(f"n_{name}") for name, sign in signs.items()]


def _reasons() -> pl.Expr:
    effort_set = pl.col("reasoning_effort").is_not_null()
    return effort_set | (pl.col("reasoning_tokens") > 0).fill_null(False)


_COUNTS = {
    "images": ["input_image_tokens", "output_image_tokens"],
    "audio": ["input_audio_tokens", "output_audio_tokens"],
    "web_search": ["web_searches"],
    "other_output": ["output_audio_tokens", "output_image_tokens"],
}


def counted_uses() -> list[pl.Expr]:
    """What any row, or cell, needs of a model by its counts alone."""
    return [_any(*names).alias(f"uses_{what}") for what, names in _COUNTS.items()]


def _uses() -> list[pl.Expr]:
    """What any row needs of a model; `unsaid` where some rows do not say."""
    flags = ["has_images", "has_audio", "has_tools"]
    return [
        _any("has_images", *_COUNTS["images"]).alias("uses_images"),
        _any("has_audio", *_COUNTS["audio"]).alias("uses_audio"),
        pl.col("has_tools").any().alias("uses_tools"),
        pl.col("response_format")
        .is_in(["json_object", "json_schema"])
        .any()
        .alias("uses_json_schema"),
        _any(*_COUNTS["web_search"]).alias("uses_web_search"),
        _any(*_COUNTS["other_output"]).alias("uses_other_output"),
        pl.col("reasoning_effort").is_not_null().any().alias("uses_effort"),
        pl.any_horizontal(pl.col(flags).is_null()).any().alias("unsaid"),
    ]


def _any(*names: str) -> pl.Expr:
    """Any row has the flag, or a count above zero."""
    return pl.any_horizontal((pl.col(n).cast(pl.Int64) > 0).any() for n in names)
